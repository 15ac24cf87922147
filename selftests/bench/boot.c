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
 * Prints TAP, and behind it the table (see table.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "table.h"
#include "watch.h"

#define MAX_OUTPUT 65536

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

static const char *const *const controllers[NR_HYPERVISORS] = {
	[KVM] = qemu,
	[LODGE] = lodge,
};

/* Does not return. */
static void become(const char *const *arguments, int output)
{
	const char *payload = getenv("LODGE_PAYLOAD");

	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	if (payload && !chdir(payload))
		execvp(arguments[0], (char *const *)arguments);
	printf("%s: %s\n", arguments[0], strerror(errno));
	fflush(stdout);
	_exit(EXIT_FAILURE);
}

/* Reads to the end, and keeps as much as there is room for. */
static void read_all(int from, char *text, size_t room)
{
	char rest[512];
	ssize_t size;

	while ((size = read(from, rest, sizeof(rest))) > 0) {
		if ((size_t)size >= room)
			continue;
		memcpy(text, rest, size);
		text += size;
		room -= size;
	}
	*text = '\0';
}

/* Return: 0; -errno, -EPROTO when the guest did not power off. */
static int boot(const char *const *arguments, char text[MAX_OUTPUT])
{
	int output[2], status, error;
	pid_t child;

	if (pipe2(output, O_CLOEXEC))
		return -errno;
	child = fork();
	error = child < 0 ? -errno : 0;
	if (!child)
		become(arguments, output[1]);
	close(output[1]);
	read_all(output[0], text, MAX_OUTPUT);
	close(output[0]);
	if (!error && waitpid(child, &status, 0) < 0)
		error = -errno;
	if (error)
		return error;
	return !status && strstr(text, LAST_WORDS) ? 0 : -EPROTO;
}

static int measure(const char *const *arguments, struct cost *cost,
		   char text[MAX_OUTPUT])
{
	static struct watch watch;
	int error = watch_start(&watch, NULL);
	uint64_t begin;

	if (error)
		return error;
	begin = watch_busy(&watch);
	error = boot(arguments, text);
	cost->median = watch_busy(&watch) - begin;
	watch_stop(&watch);
	cost->min = cost->median;
	cost->mean = cost->median;
	return error;
}

static void explain(const char *name, int error, char *text)
{
	char *line;

	printf("# %s: %s\n", name, strerror(-error));
	for (line = strtok(text, "\r\n"); line; line = strtok(NULL, "\r\n"))
		printf("# | %s\n", line);
}

int main(void)
{
	static char text[MAX_OUTPUT];
	struct row row = {
		.name = "boot",
		.title = "Debian boots (KVM: QEMU's microvm)",
		.goal = 1.0,
	};
	int error = 0, i;

	printf("TAP version 13\n1..1\n");
	fflush(stdout);
	for (i = 0; i < NR_HYPERVISORS && !error; i++) {
		error = measure(controllers[i], &row.cost[i], text);
		if (error)
			explain(controllers[i][0], error, text);
	}
	printf("%s 1 - Debian's kernel boots and powers off\n",
	       error ? "not ok" : "ok");
	if (error)
		return EXIT_FAILURE;
	table_print(&row, 1);
	return EXIT_SUCCESS;
}
