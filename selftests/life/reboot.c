// SPDX-License-Identifier: GPL-2.0
/*
 * A reboot that waits for nobody, while VMs come and go: the firmware gets all
 * processors.  The host does all of this again each time.
 */
#include <sys/reboot.h>

#include "../api/host.h"
#include "life.h"

int main(void)
{
	tell("TAP version 13\n1..1");
	if (vms_start()) {
		host_write("/dev/kmsg", "lodge: the host leaves");
		tell("@@again 5 the host restarts while VMs come and go");
		reboot(RB_AUTOBOOT);
	}
	tell_result(false, 1, "the host can be restarted");
	return 1;
}
