// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what a boot of Debian's kernel costs with Lodge, and with QEMU's
 * microvm machine on KVM: the same image, initramfs, command line, memory and
 * number of processors.
 *
 *	boot
 *
 * The count is of all that the processor does, for the guest, the hypervisor, the
 * controller and the host, from the start of the controller to its end; idle time
 * is not counted.  The guest's first process is busybox, which powers the machine
 * off.
 *
 * Then, what a command costs whose guest has the host's tree as its root.  QEMU has no
 * such command: its figure is that of its boot, without any drivers or root.
 *
 * Prints TAP, and behind it the table (see table.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller.h"
#include "table.h"
#include "watch.h"

#define IMAGE "vmlinuz-6.1"
#define INITRD "guest.cpio"
#define MEMORY "256M"
#define APPEND "console=ttyS0 quiet panic=-1 rdinit=/bin/busybox -- poweroff -f"

/* The kernel's last words.  A panic, which resets the machine, has others. */
#define LAST_WORDS "reboot: Power down"

/*
 * With KVM the machine has no clock (RTC) unless it is asked for one, and Debian's
 * kernel then spins for a second of guest time as it waits for the date.
 */
static const char *const qemu[] = {
	"qemu-system-x86_64",
	"-machine",
	"microvm,accel=kvm,rtc=on",
	"-cpu",
	"host",
	"-smp",
	"1",
	"-m",
	MEMORY,
	"-nodefaults",
	"-no-user-config",
	"-no-reboot",
	"-display",
	"none",
	"-serial",
	"stdio",
	"-kernel",
	IMAGE,
	"-initrd",
	INITRD,
	"-append",
	APPEND,
	NULL,
};

static const char *const lodge[] = {
	"lodge", "run",		"--cpus",   "1",   "--memory",
	MEMORY,	 "--no-reboot", "--kernel", IMAGE, "--initrd",
	INITRD,	 "--append",	APPEND,	    NULL,
};

static const char *const root[] = {
	"lodge", "run",	   "--cpus", "1",  "--memory", MEMORY, "--kernel",
	IMAGE,	 "--root", "/",	     "--", "true",     NULL,
};

/**
 * struct boot - a boot to be counted
 * @arguments: the controller's command line
 * @last_words: what its output has
 */
struct boot {
	const char *const *arguments;
	const char *last_words;
};

static const struct boot boots[NR_HYPERVISORS] = {
	[KVM] = { qemu, LAST_WORDS },
	[LODGE] = { lodge, LAST_WORDS },
};

static const struct boot root_boot = { root, "" };

static struct controller controller;

/* Return: 0; -errno, -EPROTO when the guest did not end as it should. */
static int run(const struct boot *boot)
{
	int error = controller_start(&controller, boot->arguments);

	if (!error)
		error = controller_wait(&controller);
	if (!error && !strstr(controller.text, boot->last_words))
		error = -EPROTO;
	return error;
}

static int measure(const struct boot *boot, struct cost *cost)
{
	static struct watch watch;
	int error = watch_start(&watch, NULL);
	uint64_t begin;

	if (error)
		return error;
	begin = watch_busy(&watch);
	error = run(boot);
	cost->median = watch_busy(&watch) - begin;
	watch_stop(&watch);
	cost->min = cost->median;
	cost->mean = cost->median;
	return error;
}

/* Return: 0 or -errno, with the reason told. */
static int count(const struct boot *boot, struct cost *cost)
{
	const int error = measure(boot, cost);

	if (error)
		controller_explain(&controller, boot->arguments[0], error);
	return error;
}

int main(void)
{
	struct row rows[] = {
		{ .name = "boot",
		  .title = "Debian boots (KVM: QEMU's microvm)",
		  .goal = 0.5 },
		{ .name = "root", .title = "--root / -- true (KVM: the same)" },
	};
	int error = 0, i;

	printf("TAP version 13\n1..1\n");
	fflush(stdout);
	for (i = 0; i < NR_HYPERVISORS && !error; i++)
		error = count(&boots[i], &rows[0].cost[i]);
	rows[1].cost[KVM] = rows[0].cost[KVM];
	if (!error)
		error = count(&root_boot, &rows[1].cost[LODGE]);
	printf("%s 1 - Debian's kernel boots and powers off\n",
	       error ? "not ok" : "ok");
	if (error)
		return EXIT_FAILURE;
	table_print(rows, sizeof(rows) / sizeof(rows[0]));
	return EXIT_SUCCESS;
}
