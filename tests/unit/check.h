/*
 * A minimal unit test framework: CHECK reports and counts failures, check_verdict returns the exit
 * status.
 */
#ifndef SOCKCAT_TESTS_CHECK_H
#define SOCKCAT_TESTS_CHECK_H

#include <stdio.h>

static unsigned long check_done, check_failed;

#define CHECK(condition) \
	do { \
		check_done++; \
		if (!(condition)) { \
			check_failed++; \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
		} \
	} while (0)

static inline int
check_verdict(const char *name)
{
	(void)printf("%s: %lu checks, %lu failed\n", name, check_done, check_failed);
	return check_done > 0 && check_failed == 0 ? 0 : 1;
}

#endif
