/* C escapes; see escape.h. */
#include "frame/escape.h"

#include <string.h>

#include "frame/hex.h"

static const unsigned char escape_letters[] = { 'n', 'r', 't', '0', '\\' };
static const unsigned char escape_bytes[] = { '\n', '\r', '\t', '\0', '\\' };

size_t
escape_size(unsigned char byte)
{
	return memchr(escape_bytes, byte, sizeof escape_bytes) != NULL ? 2 : ESCAPE_MAX;
}

size_t
escape_write(unsigned char byte, unsigned char *out)
{
	const unsigned char *found = memchr(escape_bytes, byte, sizeof escape_bytes);
	out[0] = '\\';
	if (found != NULL) {
		out[1] = escape_letters[found - escape_bytes];
		return 2;
	}
	out[1] = 'x';
	out[2] = hex_digit(byte >> 4);
	out[3] = hex_digit(byte & 0xf);
	return ESCAPE_MAX;
}

size_t
escape_read(const unsigned char *in, size_t n, unsigned char *byte)
{
	if (in[0] != '\\') {
		*byte = in[0];
		return 1;
	}
	if (n < 2)
		return 0;
	const unsigned char *found = memchr(escape_letters, in[1], sizeof escape_letters);
	if (found != NULL) {
		*byte = escape_bytes[found - escape_letters];
		return 2;
	}
	if (n < ESCAPE_MAX || in[1] != 'x')
		return 0;
	unsigned high = hex_value(in[2]), low = hex_value(in[3]);
	if (high > 15 || low > 15)
		return 0;
	*byte = (unsigned char)(high << 4 | low);
	return ESCAPE_MAX;
}
