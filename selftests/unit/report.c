// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the report of a guest's crash.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/report.h"
#include "kselftest_harness.h"

static struct crash crash = { .vcpu = 1, .registers = true };

/* Return: the report for people; to be freed. */
static char *as_text(void)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	report_text(file, &crash);
	fclose(file);
	return text;
}

/* Return: the report for programs; to be freed. */
static char *as_json(void)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	struct json json;

	json_start(&json, file);
	json_open(&json, NULL, '{');
	report_json(&json, "crash", &crash);
	json_close(&json, '}');
	json_finish(&json);
	fclose(file);
	return text;
}

static bool has(char *text, const char *part)
{
	bool found = strstr(text, part);

	if (!found)
		fprintf(stderr, "no \"%s\" in:\n%s", part, text);
	free(text);
	return found;
}

static void break_rules(unsigned int count)
{
	struct lodge_rule rule = { .id = 7,
				   .value = 0x60000010,
				   .field = "cr0" };

	strcpy(rule.text, "CD is zero and \"NW\" is one");
	crash.run.reason = LODGE_EXIT_FAIL_ENTRY;
	crash.run.exit.fail_entry.code = UINT64_MAX;
	crash.run.exit.fail_entry.count = count;
	memcpy(crash.run.data, &rule, sizeof(rule));
}

TEST(a_triple_fault_is_named_with_its_vcpu)
{
	crash.run.reason = LODGE_EXIT_SHUTDOWN;
	EXPECT_TRUE(has(as_text(), "vCPU 1: triple fault\n"));
	EXPECT_TRUE(has(as_json(), "\"reason\": \"shutdown\""));
}

TEST(every_register_is_shown)
{
	crash.run.reason = LODGE_EXIT_SHUTDOWN;
	crash.run.regs.general.gpr[LODGE_R15] = 0x1234567812345678;
	crash.run.regs.segments.seg[LODGE_TR].base = 0xfffffe0000003000;
	crash.run.regs.control.cr3 = 0x1abc000;
	EXPECT_TRUE(has(as_text(), "r15  1234567812345678"));
	EXPECT_TRUE(has(as_text(), "tr   0000 base fffffe0000003000"));
	EXPECT_TRUE(has(as_text(), "cr3            0000000001abc000"));
	EXPECT_TRUE(has(as_json(), "\"r15\": \"0x1234567812345678\""));
	EXPECT_TRUE(has(as_json(), "\"cr3\": \"0x1abc000\""));
}

TEST(the_code_is_shown_with_its_address)
{
	crash.run.reason = LODGE_EXIT_SHUTDOWN;
	crash.address = 0x100000;
	crash.code_length = 2;
	crash.code[0] = 0x0f;
	crash.code[1] = 0x0b;
	EXPECT_TRUE(has(as_text(), "code at 0x100000: 0f 0b\n"));
	EXPECT_TRUE(has(as_json(), "\"code\": \"0f0b\""));
}

TEST(the_exits_own_bytes_come_first)
{
	crash.run.reason = LODGE_EXIT_CANNOT_EMULATE;
	crash.run.exit.emulate.gpa = 0xfec00000;
	crash.run.exit.emulate.length = 1;
	crash.run.exit.emulate.bytes[0] = 0xd9;
	EXPECT_TRUE(has(as_text(), "for address 0xfec00000\n"));
	EXPECT_TRUE(has(as_json(), "\"code\": \"d9\""));
}

TEST(a_refused_entry_comes_with_its_rules)
{
	break_rules(1);
	EXPECT_TRUE(has(as_text(), "rule 7: cr0 = 0x60000010: CD is zero and "
				   "\"NW\" is one\n"));
	EXPECT_TRUE(has(as_json(), "\"text\": \"CD is zero and \\\"NW\\\" is "
				   "one\""));
}

TEST(no_more_rules_are_shown_than_the_run_page_holds)
{
	char *text;
	int lines = 0;

	break_rules(UINT32_MAX);
	text = as_text();
	for (char *at = text; (at = strstr(at, "  rule ")); at++)
		lines++;
	EXPECT_EQ(LODGE_RUN_DATA_SIZE / sizeof(struct lodge_rule), lines);
	free(text);
}

TEST(an_error_of_the_run_call_is_told_in_words)
{
	crash.error = -EIO;
	crash.registers = false;
	EXPECT_TRUE(has(as_text(), "cannot be run: Input/output error\n"));
	EXPECT_TRUE(has(as_text(), "registers cannot be read\n"));
	EXPECT_TRUE(has(as_json(), "\"reason\": \"run-failed\""));
}

TEST(the_state_of_a_vcpu_tells_its_last_exit_and_its_registers)
{
	static const struct {
		struct vcpu_exit last;
		const char *text;
	} cases[] = {
		{ { 0, 0 }, "lodge: vCPU 1: no exit yet\n" },
		{ { LODGE_EXIT_IO, 0x3f8 }, "last exit: port 0x3f8\n" },
		{ { LODGE_EXIT_MMIO, 0xfec00000 },
		  "last exit: device memory at 0xfec00000\n" },
		{ { LODGE_EXIT_EOI, 0x31 }, "end of interrupt 0x31\n" },
		{ { LODGE_EXIT_WINDOW, 0 }, "interrupt window\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = NULL;
		size_t size;
		FILE *file = open_memstream(&text, &size);

		report_state(file, &crash, &cases[i].last);
		fclose(file);
		EXPECT_NE(NULL, strstr(text, cases[i].text));
		EXPECT_NE(NULL, strstr(text, "  rax  "));
		EXPECT_EQ(NULL, strstr(text, "crashed"));
		free(text);
	}
}

TEST_HARNESS_MAIN
