/*
 * Fuzzes what the plug-in `tls` parses itself: the first byte chooses a list of protocols, pins,
 * rules for certificates, the name of a server, or a certificate, whose names are printed and
 * compared. A text that is refused has a cause.
 */
#include <openssl/x509.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/openssl_allow.h"
#include "plugin/openssl_context.h"
#include "plugin/openssl_pin.h"
#include "plugin/openssl_session.h"
#include "plugin/openssl_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void
tls_text_fuzz_check(bool holds)
{
	if (!holds)
		abort();
}

/* A context of the settings, and a session for this server. */
static void
tls_text_fuzz_context(const struct tls_settings *settings, const char *name)
{
	static const struct tls_bottom bottom;
	struct fault fault = FAULT_NONE;
	void *context = openssl_context_new(settings, NULL, &fault);
	tls_text_fuzz_check((context == NULL) == fault_is_set(&fault));
	void *session = context != NULL
		? openssl_session_new(context, &bottom, "peer", name, &fault)
		: NULL;
	tls_text_fuzz_check(context == NULL || (session == NULL) == fault_is_set(&fault));
	if (session != NULL)
		openssl_session_free(session);
	if (context != NULL)
		openssl_context_free(context);
	fault_clear(&fault);
}

static void
tls_text_fuzz_rules(const char *rule, X509 *certificate)
{
	const struct tls_settings settings = { .allowed = &rule, .allowed_count = 1 };
	struct fault fault = FAULT_NONE;
	bool good = openssl_allow_check(&settings, &fault);
	tls_text_fuzz_check(good != fault_is_set(&fault));
	if (good && certificate != NULL)
		(void)openssl_allow_permits(&settings, certificate);
	fault_clear(&fault);
}

static void
tls_text_fuzz_certificate(const uint8_t *bytes, size_t n)
{
	static const char *const rules[] = { "URI:urn:a", "DNS:localhost", "CN:localhost",
		"pin:sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
	char pin[TLS_PIN_SIZE];
	struct fault fault = FAULT_NONE;
	X509 *certificate = d2i_X509(NULL, &bytes, (long)n);
	if (certificate == NULL)
		return;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		tls_text_fuzz_rules(rules[i], certificate);
	openssl_pin_print(certificate, pin);
	tls_text_fuzz_check(pin[0] == '\0' ||
		(openssl_pin_matches(pin, pin) && openssl_pin_check(pin, &fault)));
	openssl_allow_explain(certificate, "peer", &fault);
	tls_text_fuzz_check(fault_is_set(&fault));
	fault_clear(&fault);
	free(openssl_text_date(X509_get0_notAfter(certificate)));
	X509_free(certificate);
}

static void
tls_text_fuzz_pins(const char *text)
{
	struct fault fault = FAULT_NONE;
	bool good = openssl_pin_check(text, &fault);
	tls_text_fuzz_check(good != fault_is_set(&fault));
	/* Each of several pins matches itself. */
	if (good) {
		char *first = strndup(text, strcspn(text, ";"));
		tls_text_fuzz_check(first != NULL && openssl_pin_matches(text, first));
		free(first);
	}
	fault_clear(&fault);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n == 0)
		return 0;
	char *text = strndup((const char *)bytes + 1, n - 1);
	tls_text_fuzz_check(text != NULL);
	switch (bytes[0] % 6) {
	case 0:
		tls_text_fuzz_context(
			&(struct tls_settings){ .alpn = text, .unverified = true }, NULL);
		break;
	case 1:
		tls_text_fuzz_pins(text);
		break;
	case 2:
		tls_text_fuzz_rules(text, NULL);
		break;
	case 3:
		tls_text_fuzz_context(&(struct tls_settings){ .unverified = true }, text);
		break;
	case 4:
		tls_text_fuzz_context(
			&(struct tls_settings){
				.ciphers = text, .groups = text, .unverified = true },
			NULL);
		break;
	default:
		tls_text_fuzz_certificate(bytes + 1, n - 1);
	}
	free(text);
	return 0;
}
