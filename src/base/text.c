/* Text made harmless; see text.h. */
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* "\\x9b", "\\u202e": a letter that says which, and the value in hexadecimal. */
static size_t
text_put_hex(unsigned char *out, char letter, unsigned digits, uint32_t value)
{
	out[0] = '\\';
	out[1] = (unsigned char)letter;
	for (unsigned i = 0; i < digits; i++)
		out[2 + i] = (unsigned char)"0123456789abcdef"[value >> 4 * (digits - 1 - i) & 0xf];
	return 2 + digits;
}

static size_t
text_put_control(unsigned char *out, unsigned char byte)
{
	out[0] = '^';
	out[1] = byte ^ 0x40;
	return 2;
}

/* Ends a sequence that did not become a character: each of its bytes is shown. */
static size_t
text_put_partial(struct text *text, unsigned char *out)
{
	size_t n = 0;
	for (unsigned i = 0; i < text->have; i++)
		n += text_put_hex(out + n, 'x', 2, text->partial[i]);
	text->have = 0;
	return n;
}

/* Characters that are valid but change how the text around them is shown. */
static bool
text_is_harmful(uint32_t character)
{
	return (character >= 0x80 && character <= 0x9f) || character == 0x061c ||
		character == 0x200e || character == 0x200f ||
		(character >= 0x2028 && character <= 0x202e) ||
		(character >= 0x2066 && character <= 0x2069);
}

static size_t
text_put_character(struct text *text, unsigned char *out)
{
	static const unsigned char lead_bits[] = { 0, 0, 0x1f, 0x0f, 0x07 };
	uint32_t character = text->partial[0] & lead_bits[text->need];
	for (unsigned i = 1; i < text->need; i++)
		character = character << 6 | (text->partial[i] & 0x3fu);
	size_t n = text->have;
	text->have = 0;
	if (text_is_harmful(character))
		return text_put_hex(out, 'u', 4, character);
	memcpy(out, text->partial, n);
	return n;
}

/* Whether the byte can be the next one of the sequence (Unicode, table 3-7: no overlong forms, no
 * surrogates, nothing above U+10FFFF). */
static bool
text_continues(const struct text *text, unsigned char byte)
{
	unsigned char low = 0x80, high = 0xbf;
	if (text->have == 1) {
		switch (text->partial[0]) {
		case 0xe0:
			low = 0xa0;
			break;
		case 0xed:
			high = 0x9f;
			break;
		case 0xf0:
			low = 0x90;
			break;
		case 0xf4:
			high = 0x8f;
			break;
		default:
			break;
		}
	}
	return byte >= low && byte <= high;
}

static size_t
text_put_byte(struct text *text, unsigned char byte, unsigned char *out)
{
	size_t n = 0;
	if (text->carriage_return) {
		text->carriage_return = false;
		if (byte != '\n')
			n += text_put_control(out, '\r');
	}
	if (text->have > 0) {
		if (text_continues(text, byte)) {
			text->partial[text->have++] = byte;
			return text->have < text->need ? n : n + text_put_character(text, out + n);
		}
		n += text_put_partial(text, out + n);
	}
	if (byte >= 0xc2 && byte <= 0xf4) {
		text->partial[text->have++] = byte;
		text->need = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
	} else if (byte >= 0x80) {
		n += text_put_hex(out + n, 'x', 2, byte);
	} else if (text->lines && byte == '\r') {
		text->carriage_return = true;
	} else if (byte == 0x7f ||
		(byte < 0x20 && !(text->lines && strchr("\n\t", byte) != NULL && byte != '\0'))) {
		n += text_put_control(out + n, byte);
	} else {
		out[n++] = byte;
	}
	return n;
}

size_t
text_feed(struct text *text, const unsigned char *in, size_t n, size_t *used, unsigned char *out,
	size_t size)
{
	size_t taken = 0, put = 0;
	while (taken < n && size - put >= TEXT_EXPANSION)
		put += text_put_byte(text, in[taken++], out + put);
	*used = taken;
	return put;
}

size_t
text_finish(struct text *text, unsigned char out[static TEXT_EXPANSION])
{
	size_t n = 0;
	if (text->carriage_return)
		n += text_put_control(out, '\r');
	text->carriage_return = false;
	return n + text_put_partial(text, out + n);
}

char *
text_escape(const char *in, size_t n)
{
	if (n > (SIZE_MAX - 2 * TEXT_EXPANSION) / 6)
		return NULL;
	/* Six for one is the most that a byte becomes ("\u0080" comes from two, "\x80" is four). */
	size_t size = n * 6 + 2 * TEXT_EXPANSION;
	unsigned char *out = malloc(size);
	if (out == NULL)
		return NULL;
	struct text text = { .lines = false };
	size_t used;
	size_t put = text_feed(&text, (const unsigned char *)in, n, &used, out, size);
	put += text_finish(&text, out + put);
	out[put] = '\0';
	return (char *)out;
}
