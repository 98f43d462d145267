/* Escaping of untrusted text; see text.h. */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* "\\x9b", "\\u202e", "\\U000e0041": the letter, and the value in hexadecimal. */
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

/* Ends an invalid UTF-8 sequence: escapes each of its bytes. */
static size_t
text_put_partial(struct text *text, unsigned char *out)
{
	size_t n = 0;
	for (unsigned i = 0; i < text->have; i++)
		n += text_put_hex(out + n, 'x', 2, text->partial[i]);
	text->have = 0;
	return n;
}

/* Unicode 15, 23.2, 23.8, 23.9. The joiners U+200C and U+200D and variation selectors pass: words
 * and emoji use them. */
bool
text_is_spoofing(uint32_t character)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x80, 0x9f }, { 0xad, 0xad }, { 0x061c, 0x061c }, { 0x180e, 0x180e },
		{ 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe00ff }, /* tags */
	};
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	return false;
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
	if (text_is_spoofing(character))
		return character > 0xffff ? text_put_hex(out, 'U', 8, character)
					  : text_put_hex(out, 'u', 4, character);
	memcpy(out, text->partial, n);
	return n;
}

/* Whether the byte can continue the sequence (Unicode, table 3-7: no overlong forms, no
 * surrogates, nothing above U+10FFFF). */
static bool
text_continues(const struct text *text, unsigned char byte)
{
	unsigned char lead = text->have == 1 ? text->partial[0] : 0;
	unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
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
	/* A byte becomes at most six: "\u0080" comes from two bytes, "\x80" is four. */
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
