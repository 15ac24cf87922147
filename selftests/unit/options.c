// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the command line of `lodge run`, and of sizes as people write them.
 */
#include <argp.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/options.h"
#include "kselftest_harness.h"
#include "lib/size.h"
#include "machine/serials.h"

#define SILENT (ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_NO_HELP)
#define MAX_WORDS 16

/* Parses a command line given as one string, with '|' between words. */
static int parse(struct run_options *options, const char *line)
{
	static char text[512];
	char *argv[MAX_WORDS + 1] = { "lodge run" };
	int argc = 1;
	char *rest = text;
	char *word;

	snprintf(text, sizeof(text), "%s", line);
	while (*text && (word = strsep(&rest, "|")) && argc < MAX_WORDS)
		argv[argc++] = word;
	return options_parse(options, argc, argv, SILENT);
}

/* Return: the values of a device's options, or NULL if it is not wanted. */
static const struct device_value *device(const struct run_options *options,
					 const char *name)
{
	return devices_wants(&options->machine.devices, devices_find(name), 0);
}

TEST(sizes_take_suffixes_in_powers_of_1024)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{ "0", 0 },
		{ "4096", 4096 },
		{ "0x1000", 4096 },
		{ "010", 10 },
		{ "010K", 10240 },
		{ "4K", 4096 },
		{ "4k", 4096 },
		{ "512M", 512ULL << 20 },
		{ "512m", 512ULL << 20 },
		{ "3G", 3ULL << 30 },
		{ "1T", 1ULL << 40 },
		{ "18446744073709551615", UINT64_MAX },
		{ "16777215T", 16777215ULL << 40 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t bytes = ~cases[i].bytes;

		EXPECT_EQ(0, size_parse(cases[i].text, &bytes))
		{
			TH_LOG("\"%s\"", cases[i].text);
		}
		EXPECT_EQ(cases[i].bytes, bytes);
	}
}

TEST(what_is_not_a_size_is_refused)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{ "", -EINVAL },	  { "M", -EINVAL },
		{ "-1", -EINVAL },	  { "+1", -EINVAL },
		{ " 1", -EINVAL },	  { "1 ", -EINVAL },
		{ "1MB", -EINVAL },	  { "1.5G", -EINVAL },
		{ "1X", -EINVAL },	  { "18446744073709551616", -ERANGE },
		{ "16777216T", -ERANGE }, { "0x", -EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t bytes;

		EXPECT_EQ(cases[i].error, size_parse(cases[i].text, &bytes))
		{
			TH_LOG("\"%s\"", cases[i].text);
		}
	}
}

TEST(a_number_has_no_suffix_and_no_sign)
{
	uint64_t value;

	EXPECT_EQ(0, number_parse("0x7c00", &value));
	EXPECT_EQ(0x7c00, value);
	EXPECT_EQ(-EINVAL, number_parse("1K", &value));
	EXPECT_EQ(-EINVAL, number_parse("-1", &value));
	EXPECT_EQ(-EINVAL, number_parse("", &value));
}

TEST(a_number_with_a_leading_zero_is_decimal)
{
	uint64_t value;

	EXPECT_EQ(0, number_parse("010", &value));
	EXPECT_EQ(10, value);
	EXPECT_EQ(0, number_parse("09", &value));
	EXPECT_EQ(9, value);
}

TEST(a_name_has_letters_digits_and_three_signs)
{
	static const char *const bad[] = {
		"--kernel|x|--name|",
		"--kernel|x|--name|.web",
		"--kernel|x|--name|-web",
		"--kernel|x|--name|a b",
		"--kernel|x|--name|a/b",
		"--kernel|x|--name|123456789012345678901234567890123456789012345"
		"6789012345678901234",
	};
	struct run_options options;

	ASSERT_EQ(0, parse(&options, "--kernel|x|--name|2.web_Server-1"));
	EXPECT_STREQ("2.web_Server-1", options.machine.name);
	options_free(&options);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(EINVAL, parse(&options, bad[i]));
}

TEST(sizes_are_written_in_at_most_five_characters)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1023, "1023" },
		{ 1024, "1K" },
		{ 1536, "1.5K" },
		{ 10 * 1024 - 1, "9.9K" },
		{ 10 * 1024, "10K" },
		{ (1 << 20) - 1, "1023K" },
		{ 512 << 20, "512M" },
		{ 3ULL << 29, "1.5G" },
		{ 1023ULL << 40, "1023T" },
		{ UINT64_MAX, "15E" },
	};
	char text[SIZE_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_format(text, sizeof(text), cases[i].bytes);
		EXPECT_STREQ(cases[i].text, text);
	}
}

TEST(a_long_option_with_one_dash_is_refused)
{
	static const char *const lines[] = {
		"-kernel|vmlinuz",
		"-kernel=vmlinuz",
		"--kernel|vmlinuz|-append|quiet",
		"-k|vmlinuz|-cpus|2",
		"--no-reboot|-kernel|vmlinuz",
		"-kvmlinuz|-append|quiet",
	};
	struct run_options options;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		EXPECT_EQ(EINVAL, parse(&options, lines[i]));
}

TEST(letters_that_only_look_like_a_long_option_are_fine)
{
	struct run_options options;

	ASSERT_EQ(0, parse(&options, "-kvmlinuz|-apparent|-m1G"));
	EXPECT_STREQ("pparent", options.machine.boot.append);
	options_free(&options);
}

TEST(a_value_may_look_like_a_long_option_with_one_dash)
{
	static const char *const lines[] = {
		"--kernel|vmlinuz|-a|-kernel",
		"--kernel|vmlinuz|--append|-kernel",
		"--kernel|vmlinuz|--app|-kernel",
		"--kernel=vmlinuz|--append=-kernel",
	};
	struct run_options options;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ASSERT_EQ(0, parse(&options, lines[i]));
		EXPECT_STREQ("-kernel", options.machine.boot.append);
		options_free(&options);
	}
}

TEST(a_device_is_added_by_its_name)
{
	struct run_options options;

	ASSERT_EQ(0, parse(&options, "-kvmlinuz|--device|testdev"));
	EXPECT_NE(NULL, device(&options, "testdev"));
	options_free(&options);
}

TEST(a_device_takes_its_options)
{
	struct run_options options;

	ASSERT_EQ(0, parse(&options, "-kvmlinuz"));
	EXPECT_EQ(0xf4, device(&options, "debug-exit")->number);
	options_free(&options);
	ASSERT_EQ(0,
		  parse(&options, "-kvmlinuz|--device=debug-exit,port=0x501"));
	EXPECT_EQ(0x501, device(&options, "debug-exit")->number);
	options_free(&options);
}

TEST(what_is_no_device_and_no_option_of_one_is_refused)
{
	static const char *const devices[] = {
		"",
		"disk",
		"testdev,",
		"testdev,port=1",
		"debug-exit,port",
		"debug-exit,port=",
		"debug-exit,port=0xfffd",
		"debug-exit,port=0x100000000000000f4",
		"debug-exit,ports=1",
		"debug-exit,port=1,port",
	};
	struct run_options options;
	char line[128];

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		snprintf(line, sizeof(line), "-kvmlinuz|--device=%s",
			 devices[i]);
		EXPECT_EQ(EINVAL, parse(&options, line))
		{
			TH_LOG("%s", devices[i]);
		}
	}
}

TEST(a_disk_is_a_device_of_its_file)
{
	const struct device_kind *kind = devices_find("virtio-blk");
	const struct device_value *first, *second;
	struct run_options options;

	ASSERT_EQ(0, parse(&options, "-kvmlinuz|--disk|a,,b.img,ro,serial=x|"
				     "--disk=c=d.img"));
	first = devices_wants(&options.machine.devices, kind, 0);
	second = devices_wants(&options.machine.devices, kind, 1);
	ASSERT_NE(NULL, first);
	ASSERT_NE(NULL, second);
	EXPECT_STREQ("a,b.img", first[0].text);
	EXPECT_EQ(1, first[1].number);
	EXPECT_STREQ("c=d.img", second[0].text);
	EXPECT_EQ(0, second[1].number);
	options_free(&options);
}

TEST(a_disk_without_a_file_or_with_an_unknown_option_is_refused)
{
	struct run_options options;

	EXPECT_EQ(EINVAL, parse(&options, "-kvmlinuz|--disk="));
	EXPECT_EQ(EINVAL, parse(&options, "-kvmlinuz|--disk=,ro"));
	EXPECT_EQ(EINVAL, parse(&options, "-kvmlinuz|--disk=a,rw"));
	EXPECT_EQ(EINVAL, parse(&options, "-kvmlinuz|--disk=a,queues=33"));
	EXPECT_EQ(EINVAL, parse(&options, "-kvmlinuz|--disk=a,format=vmdk"));
	EXPECT_EQ(EINVAL, parse(&options, "-kvmlinuz|--disk=help"));
}

TEST(an_image_is_enough)
{
	struct run_options options;

	ASSERT_EQ(0, parse(&options, "--kernel|vmlinuz"));
	EXPECT_STREQ("vmlinuz", options.machine.boot.kernel);
	EXPECT_EQ(512ULL << 20, options.machine.memory);
	EXPECT_EQ(1, options.machine.boot.cpus);
	EXPECT_EQ(CONSOLE_STDIO, options.serials[0].kind);
	EXPECT_EQ(NULL, options.machine.boot.initrd);
	EXPECT_EQ(NULL, options.machine.boot.append);
	EXPECT_FALSE(options.machine.boot.flat);
	EXPECT_EQ(NULL, device(&options, "testdev"));
	EXPECT_FALSE(options.machine.no_reboot);
	EXPECT_FALSE(options.machine.stop_on_crash);
	EXPECT_FALSE(options.json);
	options_free(&options);
}

TEST(every_option_reaches_its_place)
{
	struct run_options options;

	ASSERT_EQ(0, parse(&options, "--kernel=k|--initrd=i|--append=a b|"
				     "--memory=1G|--cpus=64|--no-reboot|"
				     "--testdev|--json|--serial=out.txt|"
				     "--on-crash=stop"));
	EXPECT_STREQ("k", options.machine.boot.kernel);
	EXPECT_STREQ("i", options.machine.boot.initrd);
	EXPECT_STREQ("a b", options.machine.boot.append);
	EXPECT_EQ(1ULL << 30, options.machine.memory);
	EXPECT_EQ(64, options.machine.boot.cpus);
	EXPECT_TRUE(options.machine.no_reboot);
	EXPECT_TRUE(options.machine.stop_on_crash);
	EXPECT_NE(NULL, device(&options, "testdev"));
	EXPECT_TRUE(options.json);
	EXPECT_EQ(CONSOLE_FILE, options.serials[0].kind);
	EXPECT_STREQ("out.txt", options.serials[0].path);
	options_free(&options);
}

TEST(several_initrds_become_one_list)
{
	struct run_options options;

	ASSERT_EQ(0, parse(&options, "-k|k|-i|one|-i|two three|-i|four"));
	EXPECT_STREQ("one,two three,four", options.machine.boot.initrd);
	options_free(&options);
}

TEST(the_serial_port_has_four_kinds_of_places)
{
	static const struct {
		const char *line;
		enum console_kind kind;
	} cases[] = {
		{ "-k|k|-s|stdio", CONSOLE_STDIO },
		{ "-k|k|-s|pty", CONSOLE_PTY },
		{ "-k|k|-s|none", CONSOLE_NONE },
		{ "-k|k|-s|./none", CONSOLE_FILE },
	};
	struct run_options options;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ASSERT_EQ(0, parse(&options, cases[i].line));
		EXPECT_EQ(cases[i].kind, options.serials[0].kind);
		options_free(&options);
	}
}

TEST(the_serial_option_may_come_for_each_of_four_ports)
{
	struct run_options options;

	ASSERT_EQ(0, parse(&options, "-k|k|-s|a|-s|pty|-s|none|-s|d"));
	EXPECT_EQ(0xf, serials_wanted(&options.machine.devices));
	EXPECT_STREQ("a", options.serials[0].path);
	EXPECT_EQ(CONSOLE_PTY, options.serials[1].kind);
	EXPECT_EQ(CONSOLE_NONE, options.serials[2].kind);
	EXPECT_STREQ("d", options.serials[3].path);
	options_free(&options);
}

TEST(a_machine_has_com1_alone_unless_others_are_asked_for)
{
	static const struct {
		const char *line;
		unsigned int ports;
	} cases[] = {
		{ "-k|k", 1 },
		{ "-k|k|-s|pty", 1 },
		{ "-k|k|-s|pty|-s|none", 3 },
		{ "-k|k|--device|serial,port=com3", 5 },
		{ "-k|k|-s|pty|-s|none|--device|serial,port=com2", 3 },
	};
	struct run_options options;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ASSERT_EQ(0, parse(&options, cases[i].line));
		EXPECT_EQ(cases[i].ports,
			  serials_wanted(&options.machine.devices));
		EXPECT_EQ(CONSOLE_NONE, options.serials[3].kind);
		options_free(&options);
	}
}

TEST(flat_takes_an_address_and_a_mode)
{
	static const struct {
		const char *line;
		uint64_t address;
		enum flat_mode mode;
	} cases[] = {
		{ "-k|k|--flat|0x7c00", 0x7c00, FLAT_REAL },
		{ "-k|k|--flat|31744:16", 0x7c00, FLAT_REAL },
		{ "-k|k|--flat|0x100000:32", 0x100000, FLAT_PROTECTED },
		{ "-k|k|--flat|0:64", 0, FLAT_LONG },
	};
	struct run_options options;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ASSERT_EQ(0, parse(&options, cases[i].line));
		EXPECT_TRUE(options.machine.boot.flat);
		EXPECT_EQ(cases[i].address, options.machine.boot.flat_address);
		EXPECT_EQ(cases[i].mode, options.machine.boot.flat_mode);
		options_free(&options);
	}
}

TEST(a_wrong_command_line_is_refused)
{
	static const char *const lines[] = {
		"",
		"--cpus=2",
		"-k|k|--unknown",
		"-k",
		"-k|k|--memory|0",
		"-k|k|--memory|512K",
		"-k|k|--memory|4097K",
		"-k|k|--memory|1025G",
		"-k|k|--memory|99999999999999999999",
		"-k|k|--memory|much",
		"-k|k|--memory|",
		"-k|k|--cpu|",
		"-k|k|--cpu|v4",
		"-k|k|--cpu|host,avx",
		"-k|k|--cpu|v2,|--cpu|avx3",
		"-k|k|--cpu|./missing",
		"-k|k|--cpus|0",
		"-k|k|--cpus|65",
		"-k|k|--cpus|4294967297",
		"-k|k|--cpus|-1",
		"-k|k|--cpus|two",
		"-k|k|--serial|",
		"-k|k|-s|stdio|-s|stdio",
		"-k|k|-s|a|-s|b|-s|c|-s|d|-s|e",
		"-k|k|--memory-backing|",
		"-k|k|--memory-backing|4M",
		"-k|k|--on-crash|",
		"-k|k|--on-crash|restart",
		"-k|k|--flat|",
		"-k|k|--flat|x",
		"-k|k|--flat|0x7c00:",
		"-k|k|--flat|0x7c00:8",
		"-k|k|--flat|0x7c00:16:16",
		"-k|k|--flat|:16",
		"-k|k|--flat|-1",
		"-k|k|--firmware|f",
		"--firmware|f|--initrd|i",
		"--firmware|f|--append|a",
		"--firmware|f|--flat|0x7c00",
	};
	struct run_options options;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		EXPECT_NE(0, parse(&options, lines[i]))
		{
			TH_LOG("\"%s\"", lines[i]);
		}
	}
}

TEST(word_that_is_no_option_is_a_disk)
{
	struct run_options options;

	ASSERT_EQ(0, parse(&options, "a.img|--memory|1G|b.img,ro=on"));
	EXPECT_EQ(NULL, options.machine.boot.kernel);
	EXPECT_NE(NULL, device(&options, "virtio-blk"));
	EXPECT_NE(NULL, devices_wants(&options.machine.devices,
				      devices_find("virtio-blk"), 1));
	options_free(&options);
}

TEST(words_behind_a_root_are_a_command_which_the_description_has)
{
	struct run_options options;
	char *text;

	ASSERT_EQ(0, parse(&options, "-d|-k|k|--root|/|--|ls|-l"));
	ASSERT_NE(NULL, options.command);
	EXPECT_STREQ("ls", options.command[0]);
	EXPECT_STREQ("-l", options.command[1]);
	EXPECT_EQ(NULL, options.command[2]);
	text = config_text(options.config);
	EXPECT_NE(NULL,
		  strstr(text, "\"command\": [\n    \"ls\",\n    \"-l\""));
	free(text);
	options_free(&options);
}

TEST(a_command_by_options_is_the_same_and_one_that_ends_the_line_counts)
{
	struct run_options options;
	char *text;

	ASSERT_EQ(0, parse(&options, "-k|k|--root|/|--command=a|--command=-b"));
	EXPECT_STREQ("a", options.command[0]);
	EXPECT_STREQ("-b", options.command[1]);
	EXPECT_EQ(NULL, options.command[2]);
	options_free(&options);
	ASSERT_EQ(0, parse(&options, "-k|k|--root|/|--command=a|c"));
	EXPECT_STREQ("c", options.command[0]);
	text = config_text(options.config);
	EXPECT_EQ(NULL, strstr(text, "\"a\""));
	EXPECT_NE(NULL, strstr(text, "\"c\""));
	free(text);
	options_free(&options);
}

TEST(a_command_that_a_description_cannot_have_runs_all_the_same)
{
	struct run_options options;
	char *text;

	ASSERT_EQ(0, parse(&options, "-k|k|--root|/|a|\xff"));
	EXPECT_STREQ("\xff", options.command[1]);
	text = config_text(options.config);
	EXPECT_EQ(NULL, strstr(text, "command"));
	free(text);
	options_free(&options);
}

TEST(a_command_without_a_root_is_no_disk)
{
	struct run_options options;

	EXPECT_EQ(EINVAL, parse(&options, "-k|k|--|ls"));
	EXPECT_EQ(EINVAL, parse(&options, "-k|k|--command=ls"));
	/* This one is. */
	ASSERT_EQ(0, parse(&options, "--|-a.img"));
	EXPECT_NE(NULL, device(&options, "virtio-blk"));
	options_free(&options);
}

TEST(firmware_is_started_without_a_kernel)
{
	struct run_options options;

	ASSERT_EQ(0, parse(&options, "--firmware|bios.bin"));
	EXPECT_STREQ("bios.bin", options.machine.boot.firmware);
	EXPECT_EQ(NULL, options.machine.boot.kernel);
	options_free(&options);
}

TEST(memory_is_anonymous_unless_another_backing_is_asked_for)
{
	static const struct {
		const char *line;
		enum ram_backing backing;
	} cases[] = {
		{ "-k|k", RAM_ANONYMOUS },
		{ "-k|k|--memory-backing|anonymous", RAM_ANONYMOUS },
		{ "-k|k|--memory-backing|memfd", RAM_MEMFD },
		{ "-k|k|--memory-backing|2M", RAM_HUGE_2M },
		{ "-k|k|--memory-backing|1G", RAM_HUGE_1G },
	};
	struct run_options options;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ASSERT_EQ(0, parse(&options, cases[i].line));
		EXPECT_EQ(cases[i].backing, options.machine.backing);
		options_free(&options);
	}
}

TEST(the_bounds_of_memory_and_cpus_are_allowed)
{
	struct run_options options;

	ASSERT_EQ(0, parse(&options, "-k|k|-m|1M|-c|1"));
	EXPECT_EQ(MACHINE_MEMORY_MIN, options.machine.memory);
	options_free(&options);
	ASSERT_EQ(0, parse(&options, "-k|k|-m|1024G|-c|64"));
	EXPECT_EQ(MACHINE_MEMORY_MAX, options.machine.memory);
	options_free(&options);
}

TEST(a_weight_and_a_limit_of_memory_are_read)
{
	struct run_options options;

	ASSERT_EQ(0, parse(&options, "--kernel|vmlinuz"));
	EXPECT_EQ(0, options.cpu_weight);
	EXPECT_EQ(0, options.memory_max);
	ASSERT_EQ(0, parse(&options, "--kernel|vmlinuz|--cpu-weight|10000|"
				     "--memory-max|1G"));
	EXPECT_EQ(10000, options.cpu_weight);
	EXPECT_EQ(1ULL << 30, options.memory_max);
}

TEST(what_no_cgroup_can_have_is_refused)
{
	static const char *const lines[] = {
		"--kernel|vmlinuz|--cpu-weight|0",
		"--kernel|vmlinuz|--cpu-weight|10001",
		"--kernel|vmlinuz|--cpu-weight|half",
		"--kernel|vmlinuz|--memory-max|0",
		"--kernel|vmlinuz|--memory-max|4095",
		"--kernel|vmlinuz|--memory-max|max",
		"--kernel|vmlinuz|--memory-max|18446744073709551615",
	};
	struct run_options options;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		EXPECT_EQ(EINVAL, parse(&options, lines[i]))
		{
			TH_LOG("%s", lines[i]);
		}
	}
}

TEST_HARNESS_MAIN
