// SPDX-License-Identifier: GPL-2.0
/*
 * Shared by the tests of a host's end: see life.h.
 */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "host.h"
#include "runner.h"
#include "waiting.h"
#include "lib/client.h"

#define NEXT_KERNEL "/next/vmlinuz"
#define NEXT_INITRD "/tmp/next.cpio"
#define GUESTS 2
/* The life of each VM of vms_start(), in microseconds. */
#define HELD_US 3000

/* All of the root directory's own file system. */
#define MAKE_INITRD \
	"cd / && find . -xdev | cpio -o -H newc >" NEXT_INITRD " 2>/dev/null"

static int command_line(char *line, size_t size, bool crash)
{
	FILE *file = fopen("/proc/cmdline", "re");
	char word[256];

	if (!file)
		return -errno;
	*line = '\0';
	while (fscanf(file, "%255s", word) == 1) {
		if (!strncmp(word, "crashkernel=", 12) ||
		    strlen(line) + sizeof(word) + 32 > size)
			continue;
		strcat(strcat(line, word), " ");
	}
	fclose(file);
	if (crash)
		strcat(line, "captured=1 nr_cpus=1");
	return 0;
}

int next_load(bool crash)
{
	int kernel = open(NEXT_KERNEL, O_RDONLY | O_CLOEXEC);
	int initrd, error;
	char line[2048];

	error = command_line(line, sizeof(line), crash);
	if (!error && system(MAKE_INITRD))
		error = -EIO;
	initrd = open(NEXT_INITRD, O_RDONLY | O_CLOEXEC);
	if (!error && (kernel < 0 || initrd < 0))
		error = -ENOENT;
	if (!error &&
	    syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, line,
		    crash ? KEXEC_FILE_ON_CRASH : 0))
		error = -errno;
	close(kernel);
	close(initrd);
	unlink(NEXT_INITRD);
	return error;
}

int kvm_load(void)
{
	FILE *order = fopen("/modules/order", "re");
	int error = order ? 0 : -errno;
	char path[64], name[32];

	while (!error && fscanf(order, "%31s", name) == 1) {
		snprintf(path, sizeof(path), "/modules/%s.ko", name);
		error = module_insert(path, "enable_virt_at_load=0");
		if (error == -EEXIST)
			error = 0;
	}
	if (order)
		fclose(order);
	return error;
}

/* VMs that this thread has made, and those that it could not make. */
static long made, refused;

static void *make_vms(void *unused)
{
	struct machine machine;
	int error;

	while (true) {
		error = machine_make(&machine, 1);
		if (!error && !machine_enter(&machine, 0, guest_out))
			error = lodge_run(machine.cpu[0].fd);
		__atomic_add_fetch(error ? &refused : &made, 1,
				   __ATOMIC_SEQ_CST);
		/* The host is to leave where there is a VM, more often than not. */
		usleep(HELD_US);
		machine_end(&machine);
	}
	return NULL;
}

bool vms_start(void)
{
	pthread_t thread;

	return !pthread_create(&thread, NULL, make_vms, NULL) &&
	       EVENTUALLY(SEEN(made) || SEEN(refused)) && SEEN(made);
}

bool vm_hold(void)
{
	static struct machine machine;

	return !machine_make(&machine, 1);
}

static bool on_processors(bool first)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (first || sysconf(_SC_NPROCESSORS_ONLN) == 1)
		CPU_SET(0, &set);
	else
		for (int cpu = 1; cpu < CPU_SETSIZE; cpu++)
			CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

bool on_first_processor(void)
{
	return on_processors(true);
}

bool guests_start(void)
{
	static struct machine machine[GUESTS];
	static struct runner runner[GUESTS];

	if (!on_processors(false))
		return false;
	for (int i = 0; i < GUESTS; i++) {
		if (machine_make(&machine[i], 1) ||
		    machine_enter(&machine[i], 0, guest_spin))
			return false;
		runner_start(&runner[i], &machine[i], 0);
		if (!EVENTUALLY(machine_word(&machine[i], GUEST_ROUNDS)))
			return false;
	}
	return true;
}

void tell(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
}

bool tell_result(bool passed, int number, const char *text)
{
	tell("%sok %d - %s", passed ? "" : "not ", number, text);
	return passed;
}
