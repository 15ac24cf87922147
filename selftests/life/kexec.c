// SPDX-License-Identifier: GPL-2.0
/*
 * The way to another kernel, while VMs come and go: it starts, and has the
 * processor to itself.  Each kernel does all of this again.
 */
#include <linux/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host.h"
#include "life.h"

int main(void)
{
	int error;

	tell("TAP version 13\n1..1");
	error = next_load(false);
	if (error)
		tell("# the next kernel: %d", error);
	if (!error && vms_start()) {
		host_write("/dev/kmsg", "lodge: the host leaves");
		tell("@@again 2 each kernel starts the next while VMs come and go");
		syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			LINUX_REBOOT_CMD_KEXEC, NULL);
	}
	tell_result(false, 1, "the next kernel can be started");
	return 1;
}
