// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces and capabilities of a process.
 */
#include "sandbox/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

/* Where the empty root is mounted at first: a directory that every host has. */
#define PLACE "/proc"
#define ROOT_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define ROOT_OPTIONS "size=4k,nr_inodes=1,mode=555"

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

/* The only mapping that needs no privilege: of the process's own user and group. */
static bool map_ids(uid_t uid, gid_t gid)
{
	char user[64], group[64];

	snprintf(user, sizeof(user), "%u %u 1", uid, uid);
	snprintf(group, sizeof(group), "%u %u 1", gid, gid);
	return write_file("/proc/self/setgroups", "deny") &&
	       write_file("/proc/self/gid_map", group) &&
	       write_file("/proc/self/uid_map", user);
}

static unsigned int leave_users(void)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER))
		return 0;
	map_ids(uid, gid);
	return SANDBOX_USER;
}

/* pivot_root(2) has no wrapper; with "." twice the old root is stacked on the new one. */
static bool pivot(void)
{
	return !syscall(SYS_pivot_root, ".", ".") && !umount2(".", MNT_DETACH);
}

/* A root in the initial RAM file system cannot be left, but covered. */
static bool cover(void)
{
	return !mount(".", "/", NULL, MS_MOVE, NULL) && !chroot(".");
}

/*
 * What is mounted or unmounted here stays unseen outside.  Descriptors keep what they
 * refer to.
 */
static unsigned int empty_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) ||
	    mount("lodge", PLACE, "tmpfs", ROOT_FLAGS, ROOT_OPTIONS))
		return 0;
	if (chdir(PLACE) || (!pivot() && !cover()) || chdir("/"))
		return 0;
	mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | ROOT_FLAGS,
	      NULL);
	return SANDBOX_ROOT;
}

unsigned int namespaces_leave(uid_t *root_id)
{
	unsigned int done = leave_users();
	struct stat status;

	/* Root's by any name. */
	*root_id = stat("/proc/sys", &status) ? 0 : status.st_uid;
	if (!unshare(CLONE_NEWNET))
		done |= SANDBOX_NETWORK;
	if (!unshare(CLONE_NEWIPC))
		done |= SANDBOX_IPC;
	if (!unshare(CLONE_NEWNS))
		done |= SANDBOX_MOUNT | empty_root();
	return done;
}

void namespaces_leave_network(void)
{
	/* In a user namespace of its own root would have no other user's files. */
	if (geteuid())
		leave_users();
	unshare(CLONE_NEWNET);
	unshare(CLONE_NEWIPC);
}

/* A process without CAP_SETPCAP keeps its bounding set, which no_new_privs disarms. */
static void empty_bounding_set(void)
{
	for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
}

/* True if the process has none.  A host may end it for capset(2): see systemd.exec(5). */
static bool has_none(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	bool none = !syscall(SYS_capget, &header, data);

	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		none &= !data[i].effective && !data[i].permitted &&
			!data[i].inheritable;
	return none;
}

unsigned int capabilities_drop(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	empty_bounding_set();
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (!has_none() && syscall(SYS_capset, &header, data))
		return 0;
	return SANDBOX_NO_CAPABILITIES;
}
