/*
 * Escapes untrusted text: every control character becomes visible characters.
 *
 * C0 controls and DEL become ^X; C1 controls, line separators, bidirectional controls, and format
 * characters that are not shown become \uXXXX, or \UXXXXXXXX above U+FFFF; bytes that are not UTF-8
 * become \xXX. All other text is unchanged. The result does not depend on how the input is
 * split, and no byte is dropped except the CR of a CR LF when `lines` is set.
 */
#ifndef SOCKCAT_BASE_TEXT_H
#define SOCKCAT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state between two pieces of one text; initially zeroed. */
struct text {
	bool lines;               /* for a terminal: LF and TAB pass, and CR LF becomes LF */
	bool carriage_return;     /* holds a CR until the next byte decides whether it is CR LF */
	unsigned char partial[4]; /* the `have` first bytes of a UTF-8 sequence of `need` */
	unsigned char have, need;
};

/* The most bytes that one byte of input, or the end, can add to the output. */
#define TEXT_EXPANSION 32

/*
 * Converts up to n bytes into out[size]; returns the number of bytes written. *used is the number
 * of input bytes taken, less than n only if fewer than TEXT_EXPANSION bytes of `out` are left.
 */
size_t text_feed(struct text *text, const unsigned char *in, size_t n, size_t *used,
	unsigned char *out, size_t size);

/* Whether text_finish would return bytes. */
static inline bool
text_holds(const struct text *text)
{
	return text->have > 0 || text->carriage_return;
}

/* Ends the input: writes the bytes held back, at most TEXT_EXPANSION; returns their number. */
size_t text_finish(struct text *text, unsigned char out[static TEXT_EXPANSION]);

/* Whether a character changes how the surrounding text is shown, or is invisible, so that different
 * texts look the same. */
bool text_is_spoofing(uint32_t character);

/* Escapes a whole text as one line, LF and TAB too. The caller frees it; NULL: out of memory. */
char *text_escape(const char *in, size_t n);

#endif
