// SPDX-License-Identifier: GPL-2.0
/*
 * lodge_nmi.ko: while it is loaded NMIs hit one processor, that on which it was
 * loaded (see clock.h).  In debugfs, directory lodge_nmi, stands how many have come:
 *
 *	all		wherever they hit
 *	at_exit		in Lodge with interrupts off, which is what an NMI does
 *			that has ended a guest's run, if its handler is called
 *			before anything else
 *	stray		of which the clock knows nothing; it is not in the others.
 *			QEMU (7.2) sends two where the first is answered a period
 *			too late
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/string.h>
#include <asm/nmi.h>
#include <asm/processor-flags.h>
#include <asm/ptrace.h>

#include "clock.h"

static atomic_t nmi_all = ATOMIC_INIT(0);
static atomic_t nmi_at_exit = ATOMIC_INIT(0);
static atomic_t nmi_stray = ATOMIC_INIT(0);
static struct dentry *nmi_directory;
static unsigned int nmi_cpu;

/* No NMI comes within another, so one buffer does. */
static bool nmi_is_lodges(unsigned long ip)
{
	static char symbol[KSYM_SYMBOL_LEN];

	sprint_symbol(symbol, ip);
	return strstr(symbol, " [lodge]");
}

static int nmi_handle(unsigned int type, struct pt_regs *regs)
{
	if (raw_smp_processor_id() != nmi_cpu)
		return NMI_DONE;
	if (!clock_acknowledge()) {
		atomic_inc(&nmi_stray);
		return NMI_HANDLED;
	}
	atomic_inc(&nmi_all);
	if (!user_mode(regs) && !(regs->flags & X86_EFLAGS_IF) &&
	    nmi_is_lodges(regs->ip))
		atomic_inc(&nmi_at_exit);
	return NMI_HANDLED;
}

static int __init nmi_init(void)
{
	int error = clock_map();

	nmi_cpu = raw_smp_processor_id();
	if (!error)
		error = register_nmi_handler(NMI_LOCAL, nmi_handle, 0,
					     "lodge_nmi");
	if (error) {
		clock_unmap();
		return error;
	}
	nmi_directory = debugfs_create_dir("lodge_nmi", NULL);
	debugfs_create_atomic_t("all", 0400, nmi_directory, &nmi_all);
	debugfs_create_atomic_t("at_exit", 0400, nmi_directory, &nmi_at_exit);
	debugfs_create_atomic_t("stray", 0400, nmi_directory, &nmi_stray);
	clock_start(nmi_cpu);
	return 0;
}

static void __exit nmi_exit(void)
{
	clock_stop();
	debugfs_remove_recursive(nmi_directory);
	unregister_nmi_handler(NMI_LOCAL, "lodge_nmi");
	clock_unmap();
}

module_init(nmi_init);
module_exit(nmi_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("NMIs from the real-time clock");
