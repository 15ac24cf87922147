// SPDX-License-Identifier: GPL-2.0
/*
 * Remedies for a host that cannot run a VM.
 */
#include "cmd/host.h"

#include <cpuid.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP "lodge"
#define CPUID_1_ECX_HYPERVISOR (1U << 31)

bool host_is_guest(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) &&
	       ecx & CPUID_1_ECX_HYPERVISOR;
}

/* True if the group's entry lists the user, even if this process is older than that. */
static bool is_listed(const struct group *group, const char *user)
{
	for (char **member = group->gr_mem; *member; member++)
		if (!strcmp(*member, user))
			return true;
	return false;
}

/* True if the device belongs to the group, as the udev rule has it, or is absent. */
static bool owns_device(const struct group *group)
{
	struct stat device;

	return stat(LODGE_DEVICE, &device) || device.st_gid == group->gr_gid;
}

static void permission_remedy(char *text, size_t size)
{
	const struct passwd *user = getpwuid(getuid());
	const char *name = user ? user->pw_name : "USER";
	const struct group *group = getgrnam(GROUP);

	if (!group)
		snprintf(text, size,
			 "there is no group " GROUP
			 " yet: install Lodge's udev rule (make install) and "
			 "load the module again, or run as root");
	else if (!owns_device(group))
		snprintf(
			text, size,
			"it does not belong to group " GROUP
			": have udev look at it again (udevadm trigger " LODGE_DEVICE
			"), or run as root");
	else if (is_listed(group, name))
		snprintf(text, size,
			 "you are in group " GROUP
			 ", but not since this login: log in again");
	else
		snprintf(text, size,
			 "add yourself to group " GROUP " (adduser %s " GROUP
			 ") and log in again",
			 name);
}

void host_open_remedy(int error, char *text, size_t size)
{
	switch (-error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		snprintf(text, size,
			 "load the module: modprobe lodge, or insmod lodge.ko "
			 "where it was built");
		break;
	case EACCES:
	case EPERM:
		permission_remedy(text, size);
		break;
	case EMFILE:
	case ENFILE:
		snprintf(text, size, "close other files, or raise ulimit -n");
		break;
	default:
		snprintf(text, size, "see the kernel log (dmesg)");
		break;
	}
}

/* The remedy where this host is itself a virtual machine. */
static const char nested[] =
	"this host is a virtual machine: let its hypervisor pass virtualization on "
	"(KVM: kvm_amd or kvm_intel with nested=1, and -cpu host; QEMU without "
	"KVM: -cpu EPYC,+svm,+npt)";

/* strerror() would explain EDQUOT as a full disk, and not say who has canceled. */
const char *host_reason(int error)
{
	if (error == -EDQUOT)
		return "a limit of this user, or of all users, is reached";
	if (error == -ECANCELED)
		return "the VM was killed";
	return strerror(-error);
}

const char *host_remedy(int error, const char *otherwise)
{
	if (error == -EDQUOT)
		return "end other VMs, or let root raise the limit; see "
		       "`lodge limit`";
	return otherwise;
}

static bool module_loaded(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	return !access(path, F_OK);
}

static const char *busy_remedy(void)
{
	if (module_loaded("kvm_amd") || module_loaded("kvm_intel"))
		return "stop KVM's guests and unload it (modprobe -r kvm_amd, "
		       "or kvm_intel), or on Linux 6.12 and later boot with "
		       "kvm.enable_virt_at_load=0";
	return "stop the other hypervisor (VirtualBox, VMware, Xen ...) and "
	       "unload its module";
}

void host_status_remedy(const struct lodge_info *info, char *text, size_t size)
{
	const char *remedy = "none is known: see the kernel log (dmesg)";

	if (info->abi_version != LODGE_ABI_VERSION) {
		snprintf(text, size,
			 "module and controller are of different versions (ABI "
			 "%u and %d): install both from the same source",
			 info->abi_version, LODGE_ABI_VERSION);
		return;
	}
	switch ((enum lodge_status)info->status) {
	case LODGE_STATUS_READY:
		remedy = "none is needed";
		break;
	case LODGE_STATUS_NO_VIRTUALIZATION:
		remedy = host_is_guest() ? nested :
					   "use a machine whose processor has "
					   "AMD-V or VT-x";
		break;
	case LODGE_STATUS_FIRMWARE_DISABLED:
		remedy = "enable virtualization (SVM, AMD-V, VT-x) in the "
			 "firmware's set-up and switch the machine off and on";
		break;
	case LODGE_STATUS_NO_NESTED_PAGING:
		remedy = host_is_guest() ? nested :
					   "use a machine whose processor has "
					   "nested paging";
		break;
	case LODGE_STATUS_BUSY:
		remedy = busy_remedy();
		break;
	case LODGE_STATUS_NO_UNRESTRICTED_GUEST:
		remedy = host_is_guest() ? nested :
					   "use a machine with an Intel "
					   "processor of 2010 or later";
		break;
	case LODGE_STATUS_FRED:
		remedy = "boot the host with fred=off";
		break;
	case LODGE_STATUS_KVM_ONLY:
		remedy =
			"boot a kernel older than Linux 6.19, such as Debian's "
			"6.12; AMD-V works on newer ones, too";
		break;
	case LODGE_STATUS_NO_TSC_RATE:
		remedy = "boot the host with tsc_early_khz=N, where N is the "
			 "rate of its time stamp counter in kHz";
		break;
	}
	snprintf(text, size, "%s", remedy);
}
