#include "plugin/openssl_format.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Certificates may follow a long text. */
#define OPENSSL_FORMAT_SIZE 65536

/* The types of elements (X.690). */
#define OPENSSL_FORMAT_SEQUENCE 0x30
#define OPENSSL_FORMAT_INTEGER 0x02

#define OPENSSL_FORMAT_PKCS12 \
	"it is PKCS#12, expected PEM (openssl pkcs12 -nodes -in FILE -out NEWFILE)"
#define OPENSSL_FORMAT_DER(command) \
	"it is DER, expected PEM (openssl " command " -inform DER -in FILE -out NEWFILE)"

static const struct openssl_format_row {
	const char *name;
	const char *block; /* the end of the line that begins it in PEM */
	const char *der, *missing;
} openssl_format_rows[] = {
	[OPENSSL_FORMAT_CERTIFICATE] = { "certificate", "CERTIFICATE-----",
		OPENSSL_FORMAT_DER("x509"), "it has no certificate in PEM" },
	[OPENSSL_FORMAT_KEY] = { "key", "PRIVATE KEY-----", OPENSSL_FORMAT_DER("pkey"),
		"it has no private key in PEM" },
	[OPENSSL_FORMAT_TRUSTED] = { "trusted certificates in", "CERTIFICATE-----",
		OPENSSL_FORMAT_DER("x509"), "it has no certificate in PEM" },
	[OPENSSL_FORMAT_REVOKED] = { "lists of revoked certificates in", "X509 CRL-----",
		OPENSSL_FORMAT_DER("crl"), "it has no list of revoked certificates in PEM" },
};

const char *
openssl_format_name(enum openssl_format format)
{
	return openssl_format_rows[format].name;
}

/* Reads the beginning, as a text; not of a pipe, which has been read. False: it cannot be read. */
static bool
openssl_format_read(const char *file, char *text, size_t size, size_t *length)
{
	struct stat status;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return false;
	ssize_t n =
		fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? read(fd, text, size - 1) : -1;
	(void)close(fd);
	if (n < 0)
		return false;
	*length = (size_t)n;
	text[n] = '\0';
	return true;
}

/* Whether a DER element, of which this is the beginning, is a PKCS#12 file (RFC 7292, 4): its first
 * part is the number 3. */
static bool
openssl_format_is_pkcs12(const char *text, size_t length)
{
	static const char version[] = { OPENSSL_FORMAT_INTEGER, 1, 3 };
	unsigned char first = (unsigned char)text[1];
	size_t at = first > 0x80 ? 2 + (first & 0x7fU) : 2;
	return at + sizeof version <= length && memcmp(text + at, version, sizeof version) == 0;
}

const char *
openssl_format_fault(enum openssl_format format, const char *file)
{
	static char text[OPENSSL_FORMAT_SIZE];
	const struct openssl_format_row *row = &openssl_format_rows[format];
	size_t length;
	if (!openssl_format_read(file, text, sizeof text, &length))
		return NULL;
	if (length > 1 && text[0] == OPENSSL_FORMAT_SEQUENCE)
		return openssl_format_is_pkcs12(text, length) ? OPENSSL_FORMAT_PKCS12 : row->der;
	if (format == OPENSSL_FORMAT_KEY && strstr(text, "BEGIN OPENSSH PRIVATE KEY") != NULL)
		return "it is in the format of OpenSSH, expected PEM";
	return strstr(text, row->block) == NULL && length < sizeof text - 1 ? row->missing : NULL;
}
