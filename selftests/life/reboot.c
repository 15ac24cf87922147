// SPDX-License-Identifier: GPL-2.0
/*
 * A reboot that waits for nobody, while VMs come and go or one is there: the
 * firmware gets all processors with virtualization off.  The host does all of this
 * again each time.
 *
 * An emulator's reset would put right what the host leaves on, so lodge_life.ko
 * looks before.
 */
#include <stdio.h>
#include <sys/reboot.h>

#include "host.h"
#include "life.h"

#define MODULE "/tests/life/lodge_life.ko"
#define PARAMETER(name) "/sys/module/lodge_life/parameters/" name

static bool was_found(void)
{
	char found = 'Y';
	FILE *file = fopen(PARAMETER("found"), "re");

	if (file) {
		fread(&found, 1, 1, file);
		fclose(file);
	}
	return found != 'N';
}

/* A processor that comes online matters where there is a VM. */
static bool prepare(void)
{
	if (module_insert(MODULE, "watch=1") || was_found())
		return false;
	return host_read(PARAMETER("round")) % 2 ? vm_hold() : vms_start();
}

int main(void)
{
	tell("TAP version 13\n1..1");
	if (prepare()) {
		host_write("/dev/kmsg", "lodge: the host leaves");
		tell("@@again 4 the host restarts while VMs come and go");
		reboot(RB_AUTOBOOT);
	}
	tell_result(false, 1,
		    was_found() ? "no reboot leaves virtualization on" :
				  "the host can be restarted");
	return 1;
}
