// SPDX-License-Identifier: GPL-2.0
/*
 * lodge_oracle.ko: on insertion asks the processor what VT-x's entry rules are,
 * and leaves the answer, TAP, in debugfs: lodge_oracle/report.  Lodge and KVM
 * must not be loaded.
 */
#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "oracle.h"

#define ORACLE_REPORT_BYTES (256 * 1024)

static struct dentry *oracle_directory;
static struct debugfs_blob_wrapper oracle_report;
static u32 oracle_tests;

void oracle_print(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	oracle_report.size += vscnprintf(
		oracle_report.data + oracle_report.size,
		ORACLE_REPORT_BYTES - oracle_report.size, format, arguments);
	va_end(arguments);
}

void oracle_test(bool passed, const char *format, ...)
{
	struct va_format text = { .fmt = format };
	va_list arguments;

	va_start(arguments, format);
	text.va = &arguments;
	oracle_print("%s %u - %pV\n", passed ? "ok" : "not ok", ++oracle_tests,
		     &text);
	va_end(arguments);
}

/* On one processor, which keeps the VMCS. */
static long oracle_ask(void *unused)
{
	int error = oracle_on();

	if (!error) {
		oracle_presets_init();
		oracle_sweep();
		oracle_combine_controls();
		oracle_combine_guest();
		oracle_emulator_report();
		oracle_print("1..%u\n", oracle_tests);
	}
	oracle_off();
	return error;
}

static int __init oracle_init(void)
{
	int error;

	oracle_report.data = vzalloc(ORACLE_REPORT_BYTES);
	if (!oracle_report.data)
		return -ENOMEM;
	error = work_on_cpu(0, oracle_ask, NULL);
	if (error) {
		vfree(oracle_report.data);
		return error;
	}
	oracle_directory = debugfs_create_dir("lodge_oracle", NULL);
	debugfs_create_blob("report", 0400, oracle_directory, &oracle_report);
	return 0;
}

static void __exit oracle_exit(void)
{
	debugfs_remove_recursive(oracle_directory);
	vfree(oracle_report.data);
}

module_init(oracle_init);
module_exit(oracle_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Asks the processor what the entry rules of VT-x are");
