// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the filters of system calls, when Lodge is built: `make-filters` writes a header
 * for filter.c.  libseccomp takes millions of instructions for them, which a machine that
 * is cloned would wait for.
 *
 * What no row below names is no work of the controller's: it raises SIGSYS, which ends
 * the process with a message (see sandbox.c).  A few calls fail instead, since the C
 * library makes them in passing and goes on without them: the heap of a thread looks
 * into /proc before it shrinks, a stream asks for the best size of its buffer, the time
 * zone is read from /etc, and a name that cannot be removed stays.
 *
 * No page becomes executable, no process is started, and no descriptor comes from a name.
 * Names are not even looked up: a directory that is open would lead to the host's files.
 *
 * ioctl(2) is allowed by its command: those of a VM that runs, and not those that make
 * VMs or give them memory.  Without that check the kernel would let it through unseen, as
 * it does calls that are allowed whatever their arguments are.  But threads share their
 * descriptors, and among those are the user's terminal, which types for the user when it
 * is told to (TIOCSTI), files and disks.  A check of each LODGE_RUN it is, then, made
 * cheap: ioctl(2) comes first in a filter, and a vCPU's thread has one only.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <linux/vhost.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lodge.h>

#include "sandbox/sandbox.h"

/* Stands for the process's own number until there is one; none is so large. */
#define OWN_PID 0x6c6f6467

#define BIT(kind) (1U << (kind))
/* Who may: a kind and those that start it; any of them starts a worker. */
#define OWNER BIT(SANDBOX_OWNER)
#define LOOP (OWNER | BIT(SANDBOX_LOOP))
#define VCPU BIT(SANDBOX_VCPU)
#define DEVICES (LOOP | VCPU)
#define ALL (DEVICES | BIT(SANDBOX_WORKER))

/* Among calls whose arguments are checked, these are frequent: the kick of a vCPU is one. */
#define FIRST 255
#define SECOND 254

#define NEW_NAMESPACES                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define THREAD_FLAGS (CLONE_VM | CLONE_THREAD)
#define IOC_TYPE_MASK (_IOC_TYPEMASK << _IOC_TYPESHIFT)

/**
 * struct row - a call that is allowed
 * @call: its number
 * @kinds: bits of those who may
 * @has_check: one of its arguments must fit
 * @check: that argument
 */
struct row {
	int call;
	unsigned int kinds;
	bool has_check;
	struct scmp_arg_cmp check;
};

#define CALL(name, who)                                \
	{                                              \
		.call = SCMP_SYS(name), .kinds = (who) \
	}
#define CALL_IF(name, who, argument, ...)                                  \
	{                                                                  \
		.call = SCMP_SYS(name), .kinds = (who), .has_check = true, \
		.check = {                                                 \
			(argument),                                        \
			__VA_ARGS__                                        \
		}                                                          \
	}
#define IOCTL(who, command) CALL_IF(ioctl, who, 1, SCMP_CMP_EQ, command, 0)

static const struct row rows[] = {
	/* files that are open */
	CALL(read, ALL),
	CALL(write, ALL),
	CALL(writev, ALL),
	CALL(pread64, ALL),
	CALL(preadv, ALL),
	CALL(pwritev, ALL),
	CALL(fdatasync, ALL),
	CALL(fallocate, ALL),
	CALL(lseek, ALL),
	CALL(close, ALL),
	CALL(fstat, ALL),
	CALL_IF(fcntl, ALL, 1, SCMP_CMP_EQ, F_GETFL, 0),
	CALL_IF(fcntl, ALL, 1, SCMP_CMP_EQ, F_SETFL, 0),
	CALL(poll, ALL),
	CALL(ppoll, ALL),
	IOCTL(ALL, BLKDISCARD),

	/* memory and time */
	CALL_IF(mmap, ALL, 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
	CALL_IF(mprotect, ALL, 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
	CALL(munmap, ALL),
	CALL(mremap, ALL),
	CALL(madvise, ALL),
	CALL(brk, ALL),
	CALL(getrandom, ALL),
	CALL(clock_gettime, ALL),
	CALL(gettimeofday, ALL),
	CALL(time, ALL),
	CALL(nanosleep, ALL),
	CALL(clock_nanosleep, ALL),

	/* threads and signals */
	CALL(futex, ALL),
	CALL(set_robust_list, ALL),
	CALL(rseq, ALL),
	CALL(sched_yield, ALL),
	CALL(sched_getaffinity, ALL),
	CALL(getpid, ALL),
	CALL(gettid, ALL),
	CALL(rt_sigaction, ALL),
	CALL(rt_sigprocmask, ALL),
	CALL(rt_sigreturn, ALL),
	CALL(restart_syscall, ALL),
	CALL(exit, ALL),
	CALL(exit_group, ALL),
	CALL_IF(clone, DEVICES, 0, SCMP_CMP_MASKED_EQ,
		NEW_NAMESPACES | THREAD_FLAGS, THREAD_FLAGS),
	CALL_IF(seccomp, DEVICES, 0, SCMP_CMP_EQ, SECCOMP_SET_MODE_FILTER, 0),
	CALL(rt_sigtimedwait, OWNER),

	/* what devices do, in whose thread a guest's access ends */
	CALL(sendto, DEVICES),
	CALL(recvfrom, DEVICES),
	CALL(sendmsg, DEVICES),
	CALL(recvmsg, DEVICES),
	CALL(shutdown, DEVICES),
	CALL(preadv2, DEVICES),
	CALL(epoll_ctl, DEVICES),
	CALL(eventfd2, DEVICES),
	CALL(timerfd_settime, DEVICES),
	CALL(io_uring_enter, DEVICES),
	IOCTL(DEVICES, TUNSETOFFLOAD),
	IOCTL(DEVICES, TUNSETQUEUE),
	CALL_IF(ioctl, DEVICES, 1, SCMP_CMP_MASKED_EQ, IOC_TYPE_MASK,
		VHOST_VIRTIO << _IOC_TYPESHIFT),
	IOCTL(DEVICES, TCGETS),

	/* a vCPU */
	IOCTL(VCPU, LODGE_RUN),
	IOCTL(VCPU, LODGE_EXTINT),
	IOCTL(DEVICES, LODGE_NMI),
	IOCTL(DEVICES, LODGE_SEND_MSI),
	IOCTL(DEVICES, LODGE_SET_IOEVENTFD),
	IOCTL(DEVICES, LODGE_SET_IRQFD),
	IOCTL(DEVICES, LODGE_GET_STATE),

	/* the event loop, which resets the machine */
	CALL(epoll_wait, LOOP),
	CALL(epoll_pwait, LOOP),
	CALL(accept4, LOOP),
	IOCTL(LOOP, LODGE_SET_STATE),
	IOCTL(LOOP, LODGE_GET_CPUID),
	IOCTL(LOOP, LODGE_SET_CPUID),
	IOCTL(LOOP, LODGE_GET_MSR_LIST),
	IOCTL(LOOP, LODGE_SET_MSR_LIST),
	IOCTL(LOOP, LODGE_GET_CLOCK),
	IOCTL(LOOP, LODGE_SET_CLOCK),
	IOCTL(LOOP, LODGE_SET_TSC_RATE),
	IOCTL(LOOP, LODGE_SET_DIRTY_LOG),
	IOCTL(LOOP, LODGE_GET_DIRTY),
	IOCTL(LOOP, LODGE_RESET),

	/* the owner: the user's terminal, the control socket, files of saved machines
	 * and of disks that clones read, the end of helpers */
	IOCTL(OWNER, LODGE_HOLD),
	IOCTL(OWNER, LODGE_RELEASE),
	IOCTL(OWNER, TCSETS),
	IOCTL(OWNER, TIOCGWINSZ),
	CALL_IF(fcntl, OWNER, 1, SCMP_CMP_EQ, F_ADD_SEALS, 0),
	CALL_IF(fcntl, OWNER, 1, SCMP_CMP_EQ, F_OFD_SETLK, 0),
	CALL_IF(fcntl, OWNER, 1, SCMP_CMP_EQ, F_OFD_GETLK, 0),
	CALL(ftruncate, OWNER),
	CALL(fsync, OWNER),
	CALL(pwrite64, OWNER),
	CALL(getsockopt, OWNER),
	CALL(geteuid, OWNER),
	CALL(wait4, OWNER),
	CALL(pidfd_send_signal, OWNER),
};

/* What fails, for all. */
static const struct {
	int call;
	uint16_t error;
} failing[] = {
	/* Its arguments are in memory, out of a filter's sight: there is clone(2). */
	{ SCMP_SYS(clone3), ENOSYS }, { SCMP_SYS(open), EPERM },
	{ SCMP_SYS(openat), EPERM },  { SCMP_SYS(access), EPERM },
	{ SCMP_SYS(unlink), EPERM },  { SCMP_SYS(unlinkat), EPERM },
	{ SCMP_SYS(prctl), EPERM },   { SCMP_SYS(newfstatat), EPERM },
};

/* Return: 0 or -errno. */
static int add_rows(scmp_filter_ctx filter, enum sandbox_kind kind)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !err; i++) {
		const struct row *row = &rows[i];

		if (row->kinds & BIT(kind))
			err = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
						     row->call, row->has_check,
						     &row->check);
	}
	/* A signal to a thread of this process alone. */
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill),
				       1, SCMP_A0(SCMP_CMP_EQ, OWN_PID, 0));
	for (size_t i = 0; i < sizeof(failing) / sizeof(failing[0]) && !err;
	     i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(failing[i].error),
				       failing[i].call, 0);
	return err;
}

/*
 * A vCPU's thread asks for LODGE_RUN, which comes first.  All others find a call by halving
 * their number, which is less for the kernel to look through when it takes the filter.
 */
static int set_order(scmp_filter_ctx filter, enum sandbox_kind kind)
{
	int err;

	if (kind != SANDBOX_VCPU)
		return seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	err = seccomp_syscall_priority(filter, SCMP_SYS(ioctl), FIRST);
	return err ? err :
		     seccomp_syscall_priority(filter, SCMP_SYS(tgkill), SECOND);
}

/* Writes a filter as C, from a file that has it.  Return: 0 or -errno. */
static int print(FILE *program, enum sandbox_kind kind)
{
	struct sock_filter instruction;
	unsigned int pids = 0;

	rewind(program);
	printf("static const struct sock_filter filter_%d[] = {\n", kind);
	while (fread(&instruction, sizeof(instruction), 1, program) == 1) {
		pids += instruction.k == OWN_PID;
		printf("\t{ %#x, %u, %u, %#x },\n", instruction.code,
		       instruction.jt, instruction.jf, instruction.k);
	}
	printf("};\n");
	return pids == 1 ? 0 : -EPROTO;
}

static int export(scmp_filter_ctx filter, enum sandbox_kind kind)
{
	FILE *program = tmpfile();
	int err = program ? seccomp_export_bpf(filter, fileno(program)) :
			    -errno;

	if (!err)
		err = print(program, kind);
	if (program)
		fclose(program);
	return err;
}

static int make(enum sandbox_kind kind)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int err = filter ? seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
					    SCMP_ACT_KILL_PROCESS) :
			   -ENOMEM;

	if (!err)
		err = set_order(filter, kind);
	if (!err)
		err = add_rows(filter, kind);
	if (!err)
		err = export(filter, kind);
	seccomp_release(filter);
	return err;
}

int main(void)
{
	int err = 0;

	printf("#define OWN_PID %#x\n", OWN_PID);
	for (int kind = 0; kind < SANDBOX_KINDS && !err; kind++)
		err = make(kind);
	printf("#define FILTER(kind)");
	printf(" { filter_##kind, sizeof(filter_##kind) / sizeof(*filter_##kind) }\n");
	printf("static const struct { const struct sock_filter *code; "
	       "unsigned int count; } made[] = {\n");
	for (int kind = 0; kind < SANDBOX_KINDS; kind++)
		printf("\tFILTER(%d),\n", kind);
	printf("};\n");
	if (err || fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "make-filters: %s\n",
			strerror(err ? -err : errno));
		return 1;
	}
	return 0;
}
