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
escape_scan(const unsigned char *in, size_t n, bool *whole)
{
	size_t size;
	*whole = in[0] != '\\';
	if (*whole || n == 1)
		return 1;
	*whole = memchr(escape_letters, in[1], sizeof escape_letters) != NULL;
	if (*whole)
		return 2;
	if (in[1] != 'x')
		return 1;
	for (size = 2; size < n && size < ESCAPE_MAX && hex_value(in[size]) <= 15;)
		size++;
	*whole = size == ESCAPE_MAX;
	return size;
}

size_t
escape_read(const unsigned char *in, size_t n, unsigned char *byte)
{
	bool whole;
	size_t size = escape_scan(in, n, &whole);
	if (!whole)
		return 0;
	if (size == 1)
		*byte = in[0];
	else if (size == 2)
		*byte = escape_bytes[(const unsigned char *)memchr(
					     escape_letters, in[1], sizeof escape_letters) -
			escape_letters];
	else
		*byte = (unsigned char)(hex_value(in[2]) << 4 | hex_value(in[3]));
	return size;
}
