/* Fuzzes headers of the PROXY protocol: reading ends within the limits, does not depend on how the
 * bytes are cut, and what is read can be written and read again with the same addresses. The first
 * byte chooses the versions that are expected. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/proxy_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static enum proxy_reader_result
proxy_header_fuzz_run(struct proxy_reader *reader, enum proxy_header_version versions,
	const uint8_t *bytes, size_t n, size_t piece, size_t *taken)
{
	enum proxy_reader_result result = PROXY_READER_MORE;
	*taken = 0;
	proxy_reader_start(reader, versions);
	while (result == PROXY_READER_MORE) {
		if (reader->wants == 0 || reader->wants > sizeof reader->bytes - reader->length)
			abort();
		size_t part = reader->wants < piece ? reader->wants : piece;
		part = part < n - *taken ? part : n - *taken;
		if (part == 0)
			break;
		result = proxy_reader_take(reader, bytes + *taken, part);
		*taken += part;
	}
	if ((result == PROXY_READER_MALFORMED) != (reader->words != NULL))
		abort();
	return result;
}

static void
proxy_header_fuzz_again(const struct proxy_reader *reader)
{
	static struct proxy_reader again;
	static unsigned char out[PROXY_HEADER_MAX];
	size_t taken, length = proxy_header_write(&reader->header, PROXY_HEADER_V2, out);
	if (length > sizeof out ||
		proxy_header_fuzz_run(&again, PROXY_HEADER_V2, out, length, SIZE_MAX, &taken) !=
			PROXY_READER_DONE ||
		taken != length ||
		(again.header.source.any.sa_family == AF_UNSPEC) !=
			(reader->header.source.any.sa_family == AF_UNSPEC) ||
		address_port(&again.header.source) != address_port(&reader->header.source) ||
		again.header.id.length != reader->header.id.length)
		abort();
	length = proxy_header_write(&reader->header, PROXY_HEADER_V1, out);
	if (length > PROXY_HEADER_V1_MAX ||
		proxy_header_fuzz_run(&again, PROXY_HEADER_V1, out, length, 1, &taken) !=
			PROXY_READER_DONE)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct proxy_reader whole, cut;
	size_t taken, taken_cut;
	if (n == 0)
		return 0;
	enum proxy_header_version versions = 1 + bytes[0] % 3;
	enum proxy_reader_result result =
		proxy_header_fuzz_run(&whole, versions, bytes + 1, n - 1, SIZE_MAX, &taken);
	if (proxy_header_fuzz_run(&cut, versions, bytes + 1, n - 1, 1, &taken_cut) != result)
		abort();
	if (result != PROXY_READER_DONE)
		return 0;
	if (taken != taken_cut || memcmp(whole.bytes, cut.bytes, whole.length) != 0 ||
		proxy_reader_look(bytes + 1, taken) != PROXY_READER_ALIKE)
		abort();
	proxy_header_fuzz_again(&whole);
	return 0;
}
