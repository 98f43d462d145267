/* What a client asks a proxy server for; see proxy_request.h. */
#include "net/proxy_request.h"

#include <string.h>

static const char *const proxy_request_outcomes[PROXY_REQUEST_OUTCOMES] = {
	[PROXY_REQUEST_CONNECTED] = "connected",
	[PROXY_REQUEST_DENIED] = "the target is not allowed",
	[PROXY_REQUEST_UNKNOWN] = "the name of the target does not resolve",
	[PROXY_REQUEST_NO_LISTENER] = "the target refused the connection",
	[PROXY_REQUEST_NO_NETWORK] = "the network of the target is unreachable",
	[PROXY_REQUEST_NO_HOST] = "the target is unreachable",
	[PROXY_REQUEST_TIMED_OUT] = "connecting to the target timed out",
	[PROXY_REQUEST_FAILED] = "connecting to the target failed",
};

static const struct proxy_request_protocol *const proxy_request_protocols[] = {
	&socks_server_v4_protocol, &socks_server_v5_protocol, &http_server_protocol
};

void
proxy_request_start(struct proxy_request *request, const struct proxy_request_rules *rules)
{
	*request = (struct proxy_request){ .rules = *rules, .wants = 1 };
}

/* The protocol that begins with this byte; NULL: none does. */
static const struct proxy_request_protocol *
proxy_request_find(unsigned char first)
{
	if (first == 4 || first == 5)
		return proxy_request_protocols[first - 4];
	bool letter = (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z');
	return letter ? &http_server_protocol : NULL;
}

enum proxy_request_result
proxy_request_take(struct proxy_request *request, const unsigned char *bytes, size_t n)
{
	if (n == 0 || n > request->wants)
		return proxy_request_refuse(request, "more bytes than were wanted");
	request->wants -= n;
	if (request->protocol == NULL) {
		const struct proxy_request_protocol *protocol = proxy_request_find(bytes[0]);
		if (protocol == NULL)
			return proxy_request_refuse(request, "it is neither HTTP nor SOCKS");
		request->protocol = protocol;
		if ((request->rules.protocols & protocol->bit) == 0)
			return proxy_request_refuse(
				request, "the protocol is not among those of --proxy-server");
	}
	request->taken += n;
	return request->protocol->take(request, bytes, n);
}

void
proxy_request_answer(struct proxy_request *request, enum proxy_request_outcome outcome)
{
	request->protocol->answer(request, outcome);
}

const char *
proxy_request_words(enum proxy_request_outcome outcome)
{
	return proxy_request_outcomes[outcome];
}

const char *
proxy_request_name(const struct proxy_request *request)
{
	return request->protocol != NULL ? request->protocol->name : "unknown protocol";
}

void
proxy_request_put(struct proxy_request *request, const void *bytes, size_t n)
{
	size_t room = sizeof request->out - request->out_length;
	memcpy(request->out + request->out_length, bytes, n < room ? n : room);
	request->out_length += n < room ? n : room;
}

bool
proxy_request_keep(struct proxy_request *request, const unsigned char *bytes, size_t n)
{
	if (n > sizeof request->in - request->in_length)
		return false;
	memcpy(request->in + request->in_length, bytes, n);
	request->in_length += n;
	return true;
}

enum proxy_request_result
proxy_request_want(struct proxy_request *request, size_t n)
{
	request->wants = n;
	return PROXY_REQUEST_MORE;
}

enum proxy_request_result
proxy_request_refuse(struct proxy_request *request, const char *words)
{
	request->words = words;
	request->wants = 0;
	return PROXY_REQUEST_REFUSED;
}

const char *
proxy_request_set_target(struct proxy_request *request, const void *host, size_t n, uint32_t port)
{
	struct endpoint *target = &request->target;
	struct fault fault = FAULT_NONE;
	if (n == 0 || n >= sizeof request->host || memchr(host, '\0', n) != NULL ||
		memchr(host, '%', n) != NULL)
		return "the target is not a name or an address";
	if (port == 0 || port > UINT16_MAX)
		return "the port of the target is not one from 1 to 65535";
	memcpy(request->host, host, n);
	request->host[n] = '\0';
	*target = (struct endpoint){ .names = TRANSPORT_INET, .port = port };
	bool good = endpoint_set_host(target, request->host, request->rules.numeric, &fault);
	fault_clear(&fault);
	if (good)
		return NULL;
	return request->rules.numeric && !target->numeric
		? "names of targets are not resolved (-n)"
		: "the target is not a name or an address";
}
