#include "plugin/openssl_allow.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plugin/openssl_pin.h"
#include "plugin/openssl_text.h"

/* Whether an entry of subjectAltName of this type is the text. */
static bool
openssl_allow_has_name(X509 *certificate, int type, const char *text)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	size_t length = strlen(text);
	bool found = false;
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
		int kind;
		const ASN1_STRING *value =
			GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &kind);
		if (kind != type || (size_t)ASN1_STRING_length(value) != length)
			continue;
		const char *bytes = (const char *)ASN1_STRING_get0_data(value);
		/* Names of hosts have no case. */
		found = memchr(bytes, '\0', length) == NULL &&
			(type == GEN_DNS ? strncasecmp(bytes, text, length)
					 : memcmp(bytes, text, length)) == 0;
	}
	GENERAL_NAMES_free(names);
	return found;
}

static bool
openssl_allow_has_uri(X509 *certificate, const char *text)
{
	return openssl_allow_has_name(certificate, GEN_URI, text);
}

static bool
openssl_allow_has_host(X509 *certificate, const char *text)
{
	return openssl_allow_has_name(certificate, GEN_DNS, text);
}

static bool
openssl_allow_has_common(X509 *certificate, const char *text)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	size_t length = strlen(text);
	bool found = false;
	for (int i = -1; !found &&
		(i = X509_NAME_get_index_by_NID(
			 (X509_NAME *)(uintptr_t)subject, NID_commonName, i)) >= 0;) {
		unsigned char *bytes = NULL;
		int n = ASN1_STRING_to_UTF8(
			&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
		found = n >= 0 && (size_t)n == length && memcmp(bytes, text, length) == 0;
		OPENSSL_free(bytes);
	}
	return found;
}

static bool
openssl_allow_has_pin(X509 *certificate, const char *text)
{
	char pin[TLS_PIN_SIZE];
	openssl_pin_print(certificate, pin);
	return strcmp(pin, text) == 0;
}

static const struct {
	const char *prefix;
	bool (*matches)(X509 *certificate, const char *text);
} openssl_allow_kinds[] = {
	{ "URI:", openssl_allow_has_uri },
	{ "DNS:", openssl_allow_has_host },
	{ "CN:", openssl_allow_has_common },
	{ "pin:", openssl_allow_has_pin },
};
#define OPENSSL_ALLOW_KINDS (sizeof openssl_allow_kinds / sizeof openssl_allow_kinds[0])

/* The kind of a rule, and its text behind the prefix; OPENSSL_ALLOW_KINDS: it has none. */
static size_t
openssl_allow_kind(const char *rule, const char **text)
{
	size_t i;
	for (i = 0; i < OPENSSL_ALLOW_KINDS; i++) {
		size_t length = strlen(openssl_allow_kinds[i].prefix);
		*text = rule + length;
		if (strncmp(rule, openssl_allow_kinds[i].prefix, length) == 0 && **text != '\0')
			break;
	}
	return i;
}

bool
openssl_allow_check(const struct tls_settings *settings, struct fault *fault)
{
	for (size_t i = 0; i < settings->allowed_count; i++) {
		const char *text;
		size_t kind = openssl_allow_kind(settings->allowed[i], &text);
		if (kind == OPENSSL_ALLOW_KINDS ||
			(openssl_allow_kinds[kind].matches == openssl_allow_has_pin &&
				!openssl_pin_is_one(text, strlen(text))))
			return fault_set(fault, STATUS_VALUE, 0,
				"invalid --allow-cert '%s': expected URI:TEXT, DNS:NAME, CN:TEXT "
				"or pin:sha256//BASE64",
				settings->allowed[i]);
	}
	return true;
}

bool
openssl_allow_permits(const struct tls_settings *settings, X509 *certificate)
{
	bool permitted = settings->allowed_count == 0;
	for (size_t i = 0; i < settings->allowed_count && !permitted; i++) {
		const char *text;
		size_t kind = openssl_allow_kind(settings->allowed[i], &text);
		permitted = openssl_allow_kinds[kind].matches(certificate, text);
	}
	return permitted;
}

void
openssl_allow_explain(X509 *certificate, const char *peer, struct fault *fault)
{
	char *subject = openssl_text_name(X509_get_subject_name(certificate));
	char *names = openssl_text_subjects(certificate);
	(void)fault_set(fault, STATUS_CERTIFICATE, 0,
		"verify the certificate of %s: no --allow-cert allows it (%s; %s)", peer,
		subject != NULL && subject[0] != '\0' ? subject : "no subject",
		names != NULL ? names : "");
	free(subject);
	free(names);
}
