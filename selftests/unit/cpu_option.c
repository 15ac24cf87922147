// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of --cpu: names, levels and files of names.
 */
#include "cmd/cpu_option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/exit_code.h"
#include "cmd/step_refusal.h"
#include "kselftest_harness.h"
#include "memfile.h"

static struct cpu_option option;
static char why[256];

static int parse(const char *text)
{
	free(option.text);
	option = (struct cpu_option){ 0 };
	return cpu_option_parse(&option, text, why, sizeof(why));
}

static int parse_file(const char *bytes, size_t size)
{
	char path[MEMFILE_PATH_SIZE];
	int fd = memfile(bytes, size, path);
	int err = parse(path);

	close(fd);
	return err;
}

static bool has(const char *name)
{
	unsigned int at = 0;
	const char *found;

	while ((found = features_next(&option.set, &at)))
		if (!strcmp(found, name))
			return true;
	return false;
}

TEST(host_is_all)
{
	ASSERT_EQ(0, parse("host"));
	EXPECT_TRUE(option.all);
	EXPECT_STREQ("host", option.text);
}

TEST(each_level_has_those_before)
{
	ASSERT_EQ(0, parse("baseline"));
	EXPECT_TRUE(has("lm") && has("cx16"));
	EXPECT_FALSE(option.all || has("ssse3"));
	ASSERT_EQ(0, parse("v2"));
	EXPECT_TRUE(has("lm") && has("sse4_2"));
	EXPECT_FALSE(has("avx"));
	ASSERT_EQ(0, parse("v3"));
	EXPECT_TRUE(has("lm") && has("sse4_2") && has("avx2") && has("movbe"));
}

/* As the psABI lists them, by the names of /proc/cpuinfo. */
TEST(levels_lack_nothing_that_the_psabi_has)
{
	static const char *const names[] = {
		"cmov",	  "cx8",    "fpu",   "fxsr",	"mmx",	  "syscall",
		"sse",	  "sse2",   "cx16",  "lahf_lm", "popcnt", "sse3",
		"sse4_1", "sse4_2", "ssse3", "avx",	"avx2",	  "bmi1",
		"bmi2",	  "f16c",   "fma",   "abm",	"movbe",  "xsave",
	};

	ASSERT_EQ(0, parse("v3"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		EXPECT_TRUE(has(names[i]));
}

TEST(names_are_added_to_levels)
{
	ASSERT_EQ(0, parse("v2,smep,aes"));
	EXPECT_TRUE(has("ssse3") && has("smep") && has("aes"));
	EXPECT_FALSE(has("avx"));
	EXPECT_STREQ("v2,smep,aes", option.text);
}

TEST(file_has_names_and_comments)
{
	static const char text[] = "# of our hosts\nv2 smep # both\n\n\taes\n#";
	char *again;

	ASSERT_EQ(0, parse_file(text, strlen(text)));
	EXPECT_TRUE(has("ssse3") && has("smep") && has("aes"));
	EXPECT_STREQ("v2,smep,aes", option.text);
	again = strdup(option.text);
	ASSERT_EQ(0, parse(again));
	EXPECT_STREQ(again, option.text);
	free(again);
}

TEST(what_is_no_name_is_told)
{
	EXPECT_EQ(-EINVAL, parse("v2,avx9"));
	EXPECT_NE(NULL, strstr(why, "\"avx9\""));
	EXPECT_EQ(-EINVAL, parse("host,avx"));
	EXPECT_EQ(-EINVAL, parse(""));
	EXPECT_EQ(-EINVAL, parse(","));
	EXPECT_NE(NULL, strstr(why, "no feature"));
	EXPECT_EQ(-ENOENT, parse("./there/is/none"));
	EXPECT_EQ(NULL, option.text);
}

TEST(file_of_other_bytes_is_refused_and_does_not_reach_the_terminal)
{
	static char large[CPU_OPTION_FILE_MAX + 1];

	EXPECT_EQ(-EINVAL, parse_file("\033[2J", 4));
	EXPECT_EQ(NULL, strchr(why, '\033'));
	EXPECT_EQ(-EINVAL, parse_file("avx\0avx2", 8));
	EXPECT_EQ(-EINVAL, parse_file("", 0));
	EXPECT_EQ(-EINVAL, parse_file("# nothing", 9));
	memset(large, 'a', sizeof(large));
	EXPECT_EQ(-EINVAL, parse_file(large, sizeof(large) - 1));
	EXPECT_EQ(-EFBIG, parse_file(large, sizeof(large)));
	EXPECT_EQ(-EISDIR, parse("/tmp/."));
}

/* Return: the exit code when the kernel refuses a kernel's first registers. */
static int refuse_start(const char *features, char said[static 512])
{
	const struct machine_error error = { .step = MACHINE_STEP_START };
	struct run_options options = { 0 };
	int messages = memfd_create("err", 0), own = dup(STDERR_FILENO), code;
	ssize_t size;

	if (!parse(features) && !option.all)
		options.machine.features = &option.set;
	dup2(messages, STDERR_FILENO);
	code = complain_step(&options, -EINVAL, &error);
	dup2(own, STDERR_FILENO);
	size = pread(messages, said, 511, 0);
	said[size < 0 ? 0 : size] = '\0';
	close(messages);
	close(own);
	return code;
}

TEST(features_with_which_no_64_bit_kernel_starts_are_told)
{
	char said[512];

	EXPECT_EQ(EXIT_CODE_USAGE, refuse_start("fpu,sse2,pae", said));
	EXPECT_NE(NULL, strstr(said, "--cpu"));
	EXPECT_NE(NULL, strstr(said, "lm"));
	EXPECT_EQ(EXIT_CODE_USAGE, refuse_start("fpu,lm", said));
	EXPECT_NE(NULL, strstr(said, "pae"));
	EXPECT_EQ(EXIT_CODE_INTERNAL, refuse_start("baseline", said));
	EXPECT_EQ(NULL, strstr(said, "--cpu"));
	EXPECT_EQ(EXIT_CODE_INTERNAL, refuse_start("host", said));
}

TEST_HARNESS_MAIN
