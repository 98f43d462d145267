/*
 * Text from outside made harmless: every control character is shown as visible characters.
 *
 * C0 controls and DEL become ^X; C1 controls, line separators and bidirectional controls become
 * \uXXXX; bytes that are not UTF-8 become \xXX. All other text passes unchanged. The result does
 * not depend on how the input is cut, and no byte is dropped but the CR of a CR LF, which a
 * terminal shows as the line break that it is.
 */
#ifndef SOCKCAT_BASE_TEXT_H
#define SOCKCAT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The state between two pieces of one text; zeroed at the start. */
struct text {
	bool lines;               /* LF and TAB pass, and CR LF is LF: for a terminal */
	bool carriage_return;     /* a CR that may be the first half of a CR LF */
	unsigned char partial[4]; /* the `have` first bytes of a UTF-8 sequence of `need` */
	unsigned char have, need;
};

/* The most that one byte of input, or the end, can add to the output. */
#define TEXT_EXPANSION 32

/*
 * Converts up to n bytes into out[size]; returns the number of bytes written. *used (≤ n) is how
 * much of the input was taken; less than n only if fewer than TEXT_EXPANSION bytes were left.
 */
size_t text_feed(struct text *text, const unsigned char *in, size_t n, size_t *used,
	unsigned char *out, size_t size);

/* The input has ended: what was held back, at most TEXT_EXPANSION bytes. */
size_t text_finish(struct text *text, unsigned char out[static TEXT_EXPANSION]);

/* The whole of a text as one harmless line: LF and TAB are shown too. To be freed; NULL if there
 * is no memory. */
char *text_escape(const char *in, size_t n);

#endif
