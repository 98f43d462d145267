/* Fuzzes banners: bounded, one line without control characters, however the bytes are cut; and the
 * argument of --banner. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/banner.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static char *
banner_fuzz_read(const uint8_t *bytes, size_t n, size_t piece)
{
	struct banner banner = { .length = 0 };
	for (size_t at = 0; at < n; at += piece) {
		size_t most = piece < n - at ? piece : n - at;
		if (banner_add(&banner, bytes + at, most) < most && !banner_is_complete(&banner))
			abort();
	}
	if (banner.length > BANNER_MAX)
		abort();
	return banner_text(&banner);
}

static void
banner_fuzz_argument(const uint8_t *bytes, size_t n)
{
	struct banner_config config = { .wanted = false };
	struct fault fault = FAULT_NONE;
	char *text = malloc(n + 1);
	if (text == NULL)
		abort();
	memcpy(text, bytes, n);
	text[n] = '\0';
	if (banner_parse(&config, text, &fault) && config.length > n)
		abort();
	banner_close(&config);
	fault_clear(&fault);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n < 1)
		return 0;
	char *whole = banner_fuzz_read(bytes, n, n);
	char *cut = banner_fuzz_read(bytes, n, 1 + bytes[0] % 7u);
	if ((whole == NULL) != (cut == NULL) || (whole != NULL && strcmp(whole, cut) != 0))
		abort();
	for (const char *at = whole; at != NULL && *at != '\0'; at++)
		if ((*at >= 0 && *at < 0x20) || *at == 0x7f)
			abort();
	if (whole != NULL && (*whole == '\0' || strlen(whole) > 4 * BANNER_MAX + 3))
		abort();
	free(whole);
	free(cut);
	banner_fuzz_argument(bytes, n);
	return 0;
}
