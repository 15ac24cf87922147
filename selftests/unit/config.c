// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of machines' descriptions as JSON: each option survives being written and read,
 * and what is no description is refused.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/options.h"
#include "kselftest_harness.h"
#include "memfile.h"

#define SILENT (ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_NO_HELP)
#define MAX_WORDS 48

/* Each option, as it may be given. */
static char *const every[] = {
	"--name=web",
	"--kernel=vmlinuz",
	"--initrd=first,second",
	"--initrd=\"third\" \\ with\targuments",
	"--append=console=ttyS0 \"quoted\" caf\xc3\xa9",
	"--memory=1G",
	"--memory-backing=memfd",
	"--cpus=2",
	"--cpu=v3,smep",
	"--serial=out.txt",
	"--serial=none",
	"--no-reboot",
	"--on-crash=stop",
	"--device=testdev",
	"--device=debug-exit,port=0xf5",
	"--net=user",
	"--disk=/dev/null",
	"--cdrom=/dev/null",
	"--pmem=/dev/null",
	"--share=/tmp:work",
	"--vsock=3",
	"--testdev",
	"--flat=0x7c00:32",
	"--cpu-weight=0x64",
	"--memory-max=2G",
	"--detach",
	"--directory=/tmp",
	"--json",
	"--no-sandbox",
};

#define EVERY (sizeof(every) / sizeof(every[0]))

static int parse(struct run_options *options, char *const *words, size_t count)
{
	char *argv[MAX_WORDS + 1] = { "lodge run" };

	memcpy(argv + 1, words, count * sizeof(*words));
	return options_parse(options, count + 1, argv, SILENT);
}

/* Parses a file's options, and more behind it. */
static int parse_file(struct run_options *options, const char *text,
		      char *behind)
{
	char path[MEMFILE_PATH_SIZE], word[MEMFILE_PATH_SIZE + 16];
	int fd = memfile(text, strlen(text), path);
	char *words[] = { word, behind };
	int err;

	snprintf(word, sizeof(word), "--config=%s", path);
	err = parse(options, words, behind ? 2 : 1);
	close(fd);
	return err;
}

/* Return: the description of a command line, to be freed. */
static char *written(char *const *words, size_t count)
{
	struct run_options options;
	char *text;

	if (parse(&options, words, count))
		return NULL;
	text = config_text(options.config);
	options_free(&options);
	return text;
}

TEST(each_option_is_among_those_that_are_tried)
{
	for (const struct config_key *key = options_keys(); key->name; key++) {
		size_t length = strlen(key->name);
		/* They go with few others, and have tests below. */
		bool tried = !strcmp(key->name, "firmware") ||
			     !strcmp(key->name, "root") ||
			     !strcmp(key->name, "command");

		for (size_t i = 0; i < EVERY; i++)
			tried |= !strncmp(every[i] + 2, key->name, length) &&
				 (!every[i][2 + length] ||
				  every[i][2 + length] == '=');
		EXPECT_TRUE(tried)
		{
			TH_LOG("--%s", key->name);
		}
	}
}

TEST(a_root_and_its_command_survive_being_written_and_read)
{
	static char *const words[] = { "--kernel=vmlinuz", "--root=/srv/root",
				       "--command=sh", "--command=-c",
				       "--command=echo \"a  b\", --root" };
	struct run_options options;
	char *text = written(words, 5), *again;

	ASSERT_NE(NULL, text);
	ASSERT_EQ(0, parse_file(&options, text, NULL));
	again = config_text(options.config);
	EXPECT_STREQ(text, again);
	EXPECT_STREQ("/srv/root", options.root);
	ASSERT_NE(NULL, options.command);
	EXPECT_STREQ("sh", options.command[0]);
	EXPECT_STREQ("-c", options.command[1]);
	EXPECT_STREQ("echo \"a  b\", --root", options.command[2]);
	EXPECT_EQ(NULL, options.command[3]);
	options_free(&options);
	free(text);
	free(again);
}

TEST(options_survive_being_written_and_read)
{
	struct run_options options;
	char *text = written(every, EVERY), *again;

	ASSERT_NE(NULL, text);
	ASSERT_EQ(0, parse_file(&options, text, NULL));
	again = config_text(options.config);
	EXPECT_STREQ(text, again);
	EXPECT_STREQ("web", options.machine.name);
	EXPECT_STREQ("vmlinuz", options.machine.boot.kernel);
	EXPECT_STREQ("first,second,\"third\" \\ with\targuments",
		     options.machine.boot.initrd);
	EXPECT_STREQ("console=ttyS0 \"quoted\" caf\xc3\xa9",
		     options.machine.boot.append);
	EXPECT_EQ(1ULL << 30, options.machine.memory);
	EXPECT_EQ(2, options.machine.boot.cpus);
	EXPECT_EQ(CONSOLE_FILE, options.serials[0].kind);
	EXPECT_STREQ("out.txt", options.serials[0].path);
	EXPECT_EQ(CONSOLE_NONE, options.serials[1].kind);
	EXPECT_TRUE(options.machine.no_reboot);
	EXPECT_TRUE(options.machine.stop_on_crash);
	EXPECT_EQ(FLAT_PROTECTED, options.machine.boot.flat_mode);
	EXPECT_EQ(100, options.cpu_weight);
	EXPECT_EQ(2ULL << 30, options.memory_max);
	EXPECT_TRUE(options.detach);
	EXPECT_TRUE(options.json);
	EXPECT_STREQ("/tmp", options.directory);
	options_free(&options);
	free(text);
	free(again);
}

TEST(each_option_survives_alone)
{
	for (size_t i = 0; i < EVERY; i++) {
		char *words[] = { "--kernel=x", every[i] };
		char *text = written(words, 2), *again = NULL;
		struct run_options options;

		ASSERT_NE(NULL, text);
		ASSERT_EQ(0, parse_file(&options, text, NULL))
		{
			TH_LOG("%s", text);
		}
		again = config_text(options.config);
		EXPECT_STREQ(text, again);
		options_free(&options);
		free(text);
		free(again);
	}
}

TEST(a_disk_without_an_option_survives_as_one_that_has_it)
{
	char *words[] = { "first,,1.img", "--disk=/dev/null" };
	char *options[] = { "--disk=first,,1.img", "--disk=/dev/null" };
	char *text = written(words, 2), *same = written(options, 2);

	ASSERT_NE(NULL, text);
	ASSERT_NE(NULL, same);
	EXPECT_STREQ(same, text);
	free(text);
	free(same);
}

/* State and disks of a saved machine are told apart by the numbers of its devices. */
TEST(devices_of_a_kind_keep_their_order_whatever_options_add_them)
{
	static const char *const paths[] = { "a", "b", "c,1", "d" };
	char *words[] = { "--disk=a", "--device=virtio-blk,file=b",
			  "--disk=c,,1", "--device=virtio-blk,file=d" };
	char *text = written(words, 4);
	struct run_options options;

	ASSERT_NE(NULL, text);
	ASSERT_EQ(0, parse_file(&options, text, NULL));
	for (unsigned int i = 0; i < 4; i++) {
		const struct device_value *values =
			devices_wants(&options.machine.devices,
				      devices_find("virtio-blk"), i);

		ASSERT_NE(NULL, values);
		EXPECT_STREQ(paths[i], values[0].text);
	}
	options_free(&options);
	free(text);
}

TEST(a_firmware_survives_without_a_kernel)
{
	char *words[] = { "--firmware=bios.bin" };
	char *text = written(words, 1);
	struct run_options options;

	ASSERT_NE(NULL, text);
	ASSERT_EQ(0, parse_file(&options, text, NULL));
	EXPECT_STREQ("bios.bin", options.machine.boot.firmware);
	options_free(&options);
	free(text);
}

TEST(what_comes_behind_a_file_counts_more)
{
	struct run_options options;

	ASSERT_EQ(0, parse_file(&options,
				"{\"kernel\": \"a\", \"cpus\": 2, \"memory\": "
				"\"1G\"}",
				"--memory=2G"));
	EXPECT_EQ(2ULL << 30, options.machine.memory);
	EXPECT_EQ(2, options.machine.boot.cpus);
	options_free(&options);
}

TEST(false_stands_for_no_option)
{
	struct run_options options;

	ASSERT_EQ(0, parse_file(&options,
				"{\"kernel\": \"a\", \"no-reboot\": false}",
				NULL));
	EXPECT_FALSE(options.machine.no_reboot);
	options_free(&options);
}

TEST(a_text_may_stand_for_a_list_of_one)
{
	struct run_options options;

	ASSERT_EQ(0,
		  parse_file(&options, "{\"kernel\": \"a\", \"initrd\": \"b\"}",
			     NULL));
	EXPECT_STREQ("b", options.machine.boot.initrd);
	options_free(&options);
}

TEST(what_is_no_description_is_refused)
{
	static const char *const texts[] = {
		"",
		"x",
		"[]",
		"{\"kernel\": \"a\"",
		"{\"kernel\": \"a\"} x",
		"{\"kernel\": \"a\", \"kernel\": \"b\"}",
		"{\"kernel\": [\"a\"]}",
		"{\"kernel\": null}",
		"{\"kernel\": {}}",
		"{\"kernel\": true}",
		"{\"kernel\": \"a\", \"cpus\": 2.5}",
		"{\"kernel\": \"a\", \"cpus\": -1}",
		"{\"kernel\": \"a\", \"cpus\": 65}",
		"{\"kernel\": \"a\", \"json\": \"yes\"}",
		"{\"kernel\": \"a\", \"device\": [[\"testdev\"]]}",
		"{\"kernel\": \"a\", \"drive\": \"b\"}",
		"{\"kernel\": \"a\", \"kern\": \"b\"}",
		"{\"kernel\": \"a\", \"help\": true}",
		"{\"kernel\": \"a\", \"config\": \"b\"}",
		"{\"kernel\": \"a\\u0000b\"}",
		"{\"cpus\": 1}",
	};
	struct run_options options;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		EXPECT_EQ(EINVAL, parse_file(&options, texts[i], NULL))
		{
			TH_LOG("%s", texts[i]);
		}
	}
}

TEST(a_file_that_is_too_long_is_refused)
{
	char *text = malloc(CONFIG_MAX + 2);
	struct run_options options;

	memset(text, ' ', CONFIG_MAX + 1);
	text[CONFIG_MAX + 1] = '\0';
	memcpy(text, "{\"kernel\": \"a\"}", 15);
	EXPECT_EQ(EINVAL, parse_file(&options, text, NULL));
	text[CONFIG_MAX] = '\0';
	EXPECT_EQ(0, parse_file(&options, text, NULL));
	options_free(&options);
	free(text);
}

TEST(a_value_that_is_no_text_is_refused)
{
	char *words[] = { "--kernel=\xff" };
	struct run_options options;

	EXPECT_EQ(EINVAL, parse(&options, words, 1));
}

TEST(in_the_background_there_is_no_standard_input)
{
	char *words[] = { "--kernel=x", "--detach", "--serial=stdio" };
	struct run_options options;

	EXPECT_EQ(0, parse(&options, words, 2));
	options_free(&options);
	EXPECT_EQ(EINVAL, parse(&options, words, 3));
}

TEST_HARNESS_MAIN
