// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's kernel's side of `lodge fuzz`.
 *
 * Where a kernel has CONFIG_KCOV, the function that the compiler calls is its own, and
 * keeps the edges of all the kernel for whoever asks; Debian's has not.  A module with a
 * function of that name has its own edges counted, on any kernel.
 */
#include <asm/io.h>
#include <linux/io.h>
#include <linux/kdebug.h>
#include <linux/log2.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>

#include "coverage.h"

/* The device "fuzz": two registers of 32 bits. */
#define RUN 0x520
#define FACT 0x524
#define CRASH 3
#define MAGIC 0x5a5a5546
#define COVERAGE_FACT 3
#define SIZE_FACT 5

static u8 *coverage;
static u32 coverage_mask;
static u32 before;

static u32 fact(u32 number)
{
	outl(number, FACT);
	return inl(FACT);
}

/* What the kernel does after that is undone, so it only has to wait. */
static void say_crash(void)
{
	outl(CRASH, RUN);
	for (;;)
		cpu_relax();
}

static int on_die(struct notifier_block *block, unsigned long why, void *data)
{
	if (why == DIE_OOPS)
		say_crash();
	return NOTIFY_DONE;
}

static int on_panic(struct notifier_block *block, unsigned long why, void *data)
{
	say_crash();
	return NOTIFY_DONE;
}

static struct notifier_block die_block = { .notifier_call = on_die };
static struct notifier_block panic_block = { .notifier_call = on_panic };

int coverage_start(void)
{
	u64 address;
	u32 size;

	if (fact(0) != MAGIC)
		return -ENODEV;
	size = fact(SIZE_FACT);
	address = (u64)fact(COVERAGE_FACT + 1) << 32 | fact(COVERAGE_FACT);
	if (!size)
		return -ENODEV;
	coverage = memremap(address, size, MEMREMAP_WB);
	if (!coverage)
		return -ENOMEM;
	/* The fuzzer's size is a power of two, or is used up to one. */
	coverage_mask = rounddown_pow_of_two(size) - 1;
	register_die_notifier(&die_block);
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
	return 0;
}

void coverage_stop(void)
{
	u8 *was = coverage;

	if (!was)
		return;
	atomic_notifier_chain_unregister(&panic_notifier_list, &panic_block);
	unregister_die_notifier(&die_block);
	coverage = NULL;
	memunmap(was);
}

/* An edge is the same one wherever the kernel has put the module. */
void notrace __sanitizer_cov_trace_pc(void)
{
	u32 here = (u32)((unsigned long)__builtin_return_address(0) -
			 (unsigned long)__sanitizer_cov_trace_pc);

	if (!coverage)
		return;
	here *= 0x9e3779b1;
	coverage[((here ^ before) >> 7) & coverage_mask]++;
	before = here >> 1;
}
