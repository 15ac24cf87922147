/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's harness for tests, whose alarm gives a test 30 seconds of the
 * machine's time, and here as many as a busy machine may need; and a command line
 * for it, which that of Linux 6.1 lacks:
 *
 *	PROGRAM [-t PATTERN]... [-T PATTERN]...
 *	PROGRAM -l
 *
 * runs the tests that a -t names, by itself all, and reports those of them that a
 * -T names as skipped; -l prints the names of all tests.  A pattern is a shell's, for
 * a test's name with or without its fixture: `events.*`, `fault.outs*`, `calls_nest`.
 */
#ifndef LODGE_LIB_KSELFTEST_HARNESS_H
#define LODGE_LIB_KSELFTEST_HARNESS_H

#include <fnmatch.h>

#include_next <kselftest_harness.h>

#include "patience.h"

/* More than for one event, so that who waits for it can say that it did not come. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT (2 * PATIENCE)

/* One test with one variant of its fixture. */
struct harness_test {
	struct __fixture_metadata *fixture;
	struct __fixture_variant_metadata *variant;
	struct __test_metadata *test;
	char name[512];
};

static inline struct harness_test
harness_test(struct __fixture_metadata *fixture,
	     struct __fixture_variant_metadata *variant,
	     struct __test_metadata *test)
{
	struct harness_test it = { fixture, variant, test, "" };

	snprintf(it.name, sizeof(it.name), "%s%s%s.%s", fixture->name,
		 variant->name[0] ? "." : "", variant->name, test->name);
	return it;
}

/* Return: the number of patterns behind `option`; @fits: one of them fits. */
static inline int harness_patterns(char **argv, const char *option,
				   const struct harness_test *it, bool *fits)
{
	int count = 0;

	*fits = false;
	for (char **arg = argv + 1; *arg; arg += 2) {
		if (strcmp(*arg, option))
			continue;
		count++;
		*fits |= !fnmatch(arg[1], it->name, 0) ||
			 !fnmatch(arg[1], it->test->name, 0);
	}
	return count;
}

/* The tests that are to be reported. */
struct harness_list {
	struct harness_test *tests;
	int count;
};

static inline void harness_select(char **argv, const struct harness_test *it,
				  struct harness_list *list)
{
	bool fits;

	if (harness_patterns(argv, "-t", it, &fits) && !fits)
		return;
	list->tests =
		realloc(list->tests, (list->count + 1) * sizeof(*list->tests));
	if (!list->tests)
		abort();
	list->tests[list->count++] = *it;
}

static inline struct harness_list harness_list(char **argv)
{
	static struct __fixture_variant_metadata none = { .name = "" };
	struct __fixture_variant_metadata *variant;
	struct __fixture_metadata *fixture = __fixture_list;
	struct harness_list list = {};
	struct harness_test it;

	for (; fixture; fixture = fixture->next) {
		variant = fixture->variant ?: &none;
		for (; variant; variant = variant->next) {
			it.test = fixture->tests;
			for (; it.test; it.test = it.test->next) {
				it = harness_test(fixture, variant, it.test);
				harness_select(argv, &it, &list);
			}
		}
	}
	return list;
}

static inline bool harness_test_run(char **argv, const struct harness_test *it,
				    struct __test_results *results)
{
	bool left_out;

	harness_patterns(argv, "-T", it, &left_out);
	if (left_out) {
		ksft_test_result_skip("%s\n", it->name);
		return true;
	}
	it->test->results = results;
	__run_test(it->fixture, it->variant, it->test);
	return it->test->passed;
}

static inline void harness_check_arguments(int argc, char **argv)
{
	bool good = argc % 2;

	if (argc == 2 && !strcmp(argv[1], "-l"))
		return;
	for (int i = 1; i < argc; i += 2)
		good &= !strcmp(argv[i], "-t") || !strcmp(argv[i], "-T");
	if (good)
		return;
	fprintf(stderr, "usage: %s [-t PATTERN]... [-T PATTERN]... | -l\n",
		argv[0]);
	exit(KSFT_FAIL);
}

static inline int harness_print(const struct harness_list *list)
{
	for (int i = 0; i < list->count; i++)
		puts(list->tests[i].name);
	return KSFT_PASS;
}

static inline int harness_run(int argc, char **argv)
{
	struct __test_results *results;
	struct harness_list list;
	int passed = 0;

	harness_check_arguments(argc, argv);
	list = harness_list(argc == 2 ? argv + 1 : argv);
	if (argc == 2)
		return harness_print(&list);
	if (!list.count) {
		fprintf(stderr, "%s: no test is named so\n", argv[0]);
		return KSFT_FAIL;
	}
	/* A test is another process. */
	results = mmap(NULL, sizeof(*results), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		abort();
	ksft_print_header();
	ksft_set_plan(list.count);
	for (int i = 0; i < list.count; i++)
		passed += harness_test_run(argv, &list.tests[i], results);
	free(list.tests);
	ksft_print_cnts();
	return passed == list.count ? KSFT_PASS : KSFT_FAIL;
}

/* For TEST_HARNESS_MAIN, and for who has a main() of its own. */
#define test_harness_run(argc, argv) harness_run(argc, argv)

#endif
