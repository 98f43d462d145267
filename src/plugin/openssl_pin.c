#include "plugin/openssl_pin.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#define OPENSSL_PIN_PREFIX "sha256//"
/* The length of a pin: the prefix and 32 bytes in base64. */
#define OPENSSL_PIN_LENGTH (sizeof OPENSSL_PIN_PREFIX - 1 + 44)

bool
openssl_pin_is_one(const char *text, size_t length)
{
	return length == OPENSSL_PIN_LENGTH &&
		memcmp(text, OPENSSL_PIN_PREFIX, sizeof OPENSSL_PIN_PREFIX - 1) == 0;
}

bool
openssl_pin_check(const char *pins, struct fault *fault)
{
	for (const char *at = pins;; at++) {
		size_t length = strcspn(at, ";");
		if (!openssl_pin_is_one(at, length))
			return fault_set(fault, STATUS_VALUE, 0,
				"invalid --pin '%s': expected sha256//BASE64, several separated "
				"by ';'",
				pins);
		at += length;
		if (*at == '\0')
			return true;
	}
}

void
openssl_pin_print(X509 *certificate, char text[static TLS_PIN_SIZE])
{
	unsigned char digest[SHA256_DIGEST_LENGTH], *bytes = NULL;
	text[0] = '\0';
	int length = certificate != NULL
		? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &bytes)
		: -1;
	if (length <= 0)
		return;
	if (EVP_Digest(bytes, (size_t)length, digest, NULL, EVP_sha256(), NULL) == 1) {
		memcpy(text, OPENSSL_PIN_PREFIX, sizeof OPENSSL_PIN_PREFIX - 1);
		(void)EVP_EncodeBlock((unsigned char *)text + sizeof OPENSSL_PIN_PREFIX - 1, digest,
			sizeof digest);
	}
	OPENSSL_free(bytes);
}

bool
openssl_pin_matches(const char *pins, const char *pin)
{
	for (const char *at = pins;; at++) {
		size_t length = strcspn(at, ";");
		if (length == strlen(pin) && memcmp(at, pin, length) == 0)
			return true;
		at += length;
		if (*at == '\0')
			return false;
	}
}
