/*
 * Fuzzes endpoints in one argument: a valid one, printed and parsed again, is the same endpoint,
 * printed alike; all others are status 3.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/endpoint.h"
#include "net/endpoint_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Parses the text and modifies it; false if it is rejected. */
static bool
endpoint_fuzz_parse(struct endpoint *endpoint, char *text, bool *resolved)
{
	struct fault fault = FAULT_NONE;
	struct endpoint_uri word;
	bool good = endpoint_uri_split(&word, text, false, &fault);
	bool datagrams =
		good && (word.scheme == ENDPOINT_URI_UDP || word.scheme == ENDPOINT_URI_DTLS);
	const struct transport *transport = transport_find(TRANSPORT_INET, datagrams, false, -1);
	memset(endpoint, 0, sizeof *endpoint);
	*resolved = true;
	switch (good ? word.scheme : ENDPOINT_URI_FD) {
	case ENDPOINT_URI_UNIX:
		endpoint->names = TRANSPORT_UNIX;
		good = endpoint_set_path(endpoint, word.host, &fault);
		break;
	case ENDPOINT_URI_VSOCK:
		endpoint->names = TRANSPORT_VSOCK;
		good = endpoint_set_vsock(endpoint, word.host, word.port, &fault);
		break;
	case ENDPOINT_URI_PLAIN:
	case ENDPOINT_URI_TLS:
	case ENDPOINT_URI_TCP:
	case ENDPOINT_URI_UDP:
	case ENDPOINT_URI_DTLS:
		endpoint->names = TRANSPORT_INET;
		good = endpoint_set_host(endpoint, word.host, false, &fault) &&
			endpoint_set_port(endpoint, word.port, transport, &fault);
		break;
	case ENDPOINT_URI_FD:
		*resolved = false;
		break;
	}
	if (good == fault_is_set(&fault) || (fault_is_set(&fault) && fault.status != STATUS_VALUE))
		abort();
	fault_clear(&fault);
	return good;
}

/* The endpoint in one argument. The caller frees it. */
static char *
endpoint_fuzz_print(const struct endpoint *endpoint)
{
	const char *prefix = endpoint->names == TRANSPORT_UNIX ? "unix:"
		: endpoint->names == TRANSPORT_VSOCK           ? "vsock://"
							       : "tcp://";
	char *shown = endpoint_print(endpoint);
	if (shown == NULL)
		abort();
	size_t size = strlen(prefix) + strlen(shown) + 1;
	char *text = malloc(size);
	if (text == NULL)
		abort();
	memcpy(text, prefix, strlen(prefix));
	memcpy(text + strlen(prefix), shown, strlen(shown) + 1);
	free(shown);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char *text = malloc(n + 1);
	struct endpoint first, second;
	bool resolved;
	if (text == NULL)
		abort();
	if (n > 0)
		memcpy(text, bytes, n);
	text[n] = '\0';
	if (endpoint_fuzz_parse(&first, text, &resolved) && resolved) {
		char *shown = endpoint_fuzz_print(&first);
		char *copy = strdup(shown);
		if (copy == NULL || !endpoint_fuzz_parse(&second, copy, &resolved))
			abort();
		char *again = endpoint_fuzz_print(&second);
		if (strcmp(shown, again) != 0 || first.names != second.names ||
			first.port != second.port || first.cid != second.cid ||
			first.numeric != second.numeric || strcmp(first.host, second.host) != 0)
			abort();
		free(again);
		free(copy);
		free(shown);
	}
	free(text);
	return 0;
}
