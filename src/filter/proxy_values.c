/* The values of a header about TLS; see proxy_values.h. */
#include "filter/proxy_values.h"

#include <string.h>

#include "filter/tls_filter.h"

static struct proxy_header_value
proxy_values_text(const char *text)
{
	return text == NULL
		? (struct proxy_header_value){ NULL, 0 }
		: (struct proxy_header_value){ (const unsigned char *)text, strlen(text) };
}

/* Appends a part of the TLS value, if it fits; returns its end. */
static size_t
proxy_values_part(struct proxy_values *values, size_t at, unsigned char type, const char *text)
{
	size_t length = text != NULL ? strlen(text) : 0;
	if (length == 0 || length > sizeof values->ssl - at - 3)
		return at;
	unsigned char *part = values->ssl + at;
	part[0] = type;
	part[1] = (unsigned char)(length >> 8);
	part[2] = (unsigned char)length;
	memcpy(part + 3, text, length);
	return at + 3 + length;
}

void
proxy_values_set(
	struct proxy_values *values, const struct stream *stream, struct proxy_header *header)
{
	struct tls_facts facts;
	if (!tls_filter_describe(stream, &facts))
		return;
	memset(values, 0, sizeof *values);
	values->ssl[0] = PROXY_HEADER_SSL_USED;
	/* No session is resumed. */
	if (facts.pin != NULL)
		values->ssl[0] |= PROXY_HEADER_SSL_CERT | PROXY_HEADER_SSL_CERT_SESSION;
	values->ssl[PROXY_HEADER_SSL_FIXED - 1] = facts.pin == NULL || !facts.verified;
	size_t end = proxy_values_part(
		values, PROXY_HEADER_SSL_FIXED, PROXY_HEADER_SSL_VERSION, facts.version);
	end = proxy_values_part(values, end, PROXY_HEADER_SSL_CIPHER, facts.cipher);
	end = proxy_values_part(values, end, PROXY_HEADER_SSL_CN, facts.common_name);
	header->ssl = (struct proxy_header_value){ values->ssl, end };
	header->alpn = proxy_values_text(facts.alpn);
	header->authority = proxy_values_text(facts.server_name);
}
