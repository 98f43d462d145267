/* Failures as values; see fault.h. */
#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *fault_format(int error, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

static char *
fault_format(int error, const char *format, va_list arguments)
{
	va_list again;
	va_copy(again, arguments);
	int head = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (head < 0)
		return NULL;

	const char *cause = error != 0 ? strerror(error) : "";
	size_t size = (size_t)head + strlen(cause) + sizeof ": ";
	char *text = malloc(size);
	if (text == NULL)
		return NULL;
	(void)vsnprintf(text, size, format, arguments);
	if (error != 0)
		(void)snprintf(text + head, size - (size_t)head, ": %s", cause);
	return text;
}

bool
fault_set(struct fault *fault, enum status status, int error, const char *format, ...)
{
	if (fault_is_set(fault))
		return false;
	va_list arguments;
	va_start(arguments, format);
	fault->text = fault_format(error, format, arguments);
	va_end(arguments);
	fault->status = status;
	fault->quiet = false;
	return false;
}

void
fault_add(struct fault *fault, const char *format, ...)
{
	if (fault->text == NULL)
		return;
	va_list arguments;
	va_start(arguments, format);
	char *more = fault_format(0, format, arguments);
	va_end(arguments);
	size_t old = strlen(fault->text);
	char *text = more == NULL ? NULL : realloc(fault->text, old + strlen(more) + 1);
	if (text != NULL) {
		memcpy(text + old, more, strlen(more) + 1);
		fault->text = text;
	}
	free(more);
}

void
fault_add_quoted(struct fault *fault, const void *bytes, size_t n)
{
	const char *at = bytes;
	size_t left = n < FAULT_QUOTED ? n : FAULT_QUOTED;
	fault_add(fault, "'");
	while (left > 0) {
		size_t run = strnlen(at, left);
		bool nul = run < left;
		fault_add(fault, "%.*s%s", (int)run, at, nul ? "^@" : "");
		at += run + nul;
		left -= run + nul;
	}
	fault_add(fault, n > FAULT_QUOTED ? "'..." : "'");
}

bool
fault_set_quiet(struct fault *fault, enum status status)
{
	if (fault_is_set(fault))
		return false;
	fault->status = status;
	fault->quiet = true;
	return false;
}

bool
fault_set_signal(struct fault *fault, int signal)
{
	if (!fault_is_set(fault))
		fault->signal = signal;
	return fault_set_quiet(fault, (enum status)(STATUS_SIGNAL + signal));
}

void
fault_move(struct fault *to, struct fault *from)
{
	if (fault_is_set(to))
		fault_clear(from);
	else
		*to = *from;
	*from = FAULT_NONE;
}

void
fault_clear(struct fault *fault)
{
	free(fault->text);
	*fault = FAULT_NONE;
}

bool
fault_status_row(size_t i, int *number, const char **text)
{
	static const struct {
		int number;
		const char *text;
	} rows[] = {
#define STATUS(name, number, text) { number, text },
#include "base/status.def"
#undef STATUS
		{ STATUS_SIGNAL, "plus n: ended by signal n" },
	};
	if (i >= sizeof rows / sizeof rows[0])
		return false;
	*number = rows[i].number;
	*text = rows[i].text;
	return true;
}

const char *
fault_status_text(uint64_t status)
{
	int number;
	const char *text;
	for (size_t i = 0; fault_status_row(i, &number, &text); i++)
		if ((uint64_t)number == status)
			return text;
	return NULL;
}
