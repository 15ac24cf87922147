// SPDX-License-Identifier: GPL-2.0
/*
 * The view of the host's files that a process gets which serves a directory.
 *
 * All is called between fork() and execve(): nothing here takes memory or a lock.
 */
#include "virtio/share.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALL_CAPABILITIES UINT32_MAX

/* <sys/mount.h> and <linux/mount.h> cannot be had together. */
int mount(const char *source, const char *target, const char *type,
	  unsigned long flags, const void *data);
#define MOUNT_SLAVES ((1UL << 14) | (1UL << 19)) /* MS_REC, MS_SLAVE */

void share_init(struct share *share, const char *path, bool read_only,
		uint32_t user)
{
	*share = (struct share){
		.path = path,
		.read_only = read_only,
		.own = geteuid() != 0,
	};
	snprintf(share->user_map, sizeof(share->user_map), "%u %u 1\n", user,
		 geteuid());
	snprintf(share->group_map, sizeof(share->group_map), "%u %u 1\n",
		 user ? getegid() : 0, getegid());
}

static int write_file(const char *path, const char *text)
{
	const ssize_t size = (ssize_t)strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, size) != size)
		err = -errno;
	close(fd);
	return err;
}

/*
 * A user without privileges keeps his supplementary groups, and must not give them up:
 * programs that want to are told that they have.
 */
static int keep_groups(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setgroups, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return -errno;
	return 0;
}

/* The program has them, too, whoever it runs as. */
static int keep_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].inheritable = data[i].permitted;
	if (syscall(SYS_capset, &header, data))
		return -errno;
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		if (data[CAP_TO_INDEX(i)].permitted & CAP_TO_MASK(i))
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0);
	return 0;
}

/* Makes the user the owner of namespaces. */
static int become_owner(const struct share *share)
{
	int err = unshare(CLONE_NEWUSER | CLONE_NEWNS) ? -errno : 0;

	/* Or the files below /proc/self may not be this user's. */
	prctl(PR_SET_DUMPABLE, 1);
	if (!err)
		err = write_file("/proc/self/setgroups", "deny");
	if (!err)
		err = write_file("/proc/self/uid_map", share->user_map);
	if (!err)
		err = write_file("/proc/self/gid_map", share->group_map);
	if (!err)
		err = keep_groups();
	return err ? err : keep_capabilities();
}

/* Return: a copy of the tree of mounts at @path that is mounted nowhere; -errno. */
static int copy_tree(const char *path)
{
	int tree = syscall(SYS_open_tree, AT_FDCWD, path,
			   OPEN_TREE_CLONE | AT_RECURSIVE);

	return tree < 0 ? -errno : tree;
}

static int attach(int tree, const char *path)
{
	return syscall(SYS_move_mount, tree, "", AT_FDCWD, path,
		       MOVE_MOUNT_F_EMPTY_PATH) ?
		       -errno :
		       0;
}

/* pivot_root(2), which the program calls, does not take an initramfs for the old root. */
static int mount_root(void)
{
	int tree = copy_tree("/");
	int err = tree < 0 ? tree : attach(tree, "/");

	if (!err && (fchdir(tree) || chroot(".")))
		err = -errno;
	if (tree >= 0)
		close(tree);
	return err;
}

/* Return: the directory with all below it, mounted nowhere; -errno. */
static int copy_share(const struct share *share)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	int tree = copy_tree(share->path);
	int err;

	if (tree < 0 || !share->read_only ||
	    !syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE,
		     &attributes, sizeof(attributes)))
		return tree;
	err = -errno;
	close(tree);
	return err;
}

/* The path is the caller's, and so is looked up first. */
static int mount_all(const struct share *share)
{
	int tree = copy_share(share);
	int err = tree < 0 ? tree : mount_root();

	if (!err)
		err = attach(tree, SHARE_PATH);
	if (tree >= 0)
		close(tree);
	return err;
}

/* The program has a descriptor for each file that the guest knows. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int share_enter(void *opaque)
{
	const struct share *share = opaque;
	int err = share->own	       ? become_owner(share) :
		  unshare(CLONE_NEWNS) ? -errno :
					 0;

	raise_limit();
	if (!err && mount(NULL, "/", NULL, MOUNT_SLAVES, NULL))
		err = -errno;
	return err ? err : mount_all(share);
}
