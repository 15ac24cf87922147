// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the filters of system calls, by children that are ended by them, and of the
 * sandbox as a whole, as far as this host allows it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <lodge.h>

#include "kselftest_harness.h"

#include "sandbox/filter.h"
#include "sandbox/child.h"
#include "sandbox/leftover.h"
#include "sandbox/namespaces.h"

/* What a child has to say by its exit status. */
enum {
	CHILD_DONE,
	CHILD_REFUSED,
	CHILD_FAILED,
};

/* The filters, the process for which they are built, and what calls are tried on. */
static struct sock_fprog filters[SANDBOX_KINDS];
static pid_t builder;
static int file, sealed, event, timer, epoll, sockets[2];
static char page[4096] __attribute__((aligned(4096)));

/* Those of a thread of the kind and of its ancestors: a worker may have all of them. */
static int install(enum sandbox_kind kind)
{
	const bool alone = kind == SANDBOX_VCPU;
	int err = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	for (int each = SANDBOX_OWNER; each < (int)kind && !alone && !err;
	     each++)
		err = filter_install(&filters[each]);
	return err ? err : filter_install(&filters[kind]);
}

/* A child's exit status beyond errors: the filters are not installed. */
#define UNFILTERED 255

/*
 * Makes a call in a child, where nothing but system calls is certain to work.
 *
 * Return: its status, as of waitpid(); it exits with the error of the call, or 0.
 */
static int child_status(enum sandbox_kind kind, long (*call)(void))
{
	int status;
	pid_t child = fork();

	if (!child) {
		int code = UNFILTERED;

		if (!install(kind))
			code = call() < 0 ? errno : 0;
		syscall(SYS_exit_group, code);
	}
	return child < 0 || waitpid(child, &status, 0) != child ? -1 : status;
}

static int in_child(enum sandbox_kind kind, long (*call)(void))
{
	int status = child_status(kind, call);

	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? CHILD_REFUSED : -1;
	if (!WEXITSTATUS(status))
		return CHILD_DONE;
	return WEXITSTATUS(status) == EPERM ? CHILD_REFUSED : CHILD_FAILED;
}

FIXTURE(filter)
{
	bool built;
};

FIXTURE_VARIANT(filter)
{
	enum sandbox_kind kind;
};

FIXTURE_VARIANT_ADD(filter, of_an_owner){
	.kind = SANDBOX_OWNER,
};

FIXTURE_VARIANT_ADD(filter, of_a_loop){
	.kind = SANDBOX_LOOP,
};

FIXTURE_VARIANT_ADD(filter, of_a_vcpu){
	.kind = SANDBOX_VCPU,
};

FIXTURE_VARIANT_ADD(filter, of_a_worker){
	.kind = SANDBOX_WORKER,
};

FIXTURE_SETUP(filter)
{
	struct epoll_event input = { .events = EPOLLIN };

	builder = getpid();
	for (int kind = 0; kind < SANDBOX_KINDS; kind++)
		ASSERT_EQ(0, filter_build(&filters[kind], kind));
	file = memfd_create("file", MFD_CLOEXEC);
	sealed = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	event = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, event, &input));
	ASSERT_EQ(0,
		  socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	ASSERT_EQ(4096, write(file, page, sizeof(page)));
}

FIXTURE_TEARDOWN(filter)
{
	for (int kind = 0; kind < SANDBOX_KINDS; kind++)
		free(filters[kind].filter);
	close(file);
	close(sealed);
	close(event);
	close(timer);
	close(epoll);
	close(sockets[0]);
	close(sockets[1]);
}

/* A call of one line, for in_child(). */
#define CALL_OF(name, expression)  \
	static long name(void)     \
	{                          \
		return expression; \
	}

CALL_OF(open_file, syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY))
CALL_OF(open_old, syscall(SYS_open, "/dev/null", O_RDWR))
CALL_OF(open_new, syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0))
CALL_OF(open_handle, syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0))
CALL_OF(make_socket, syscall(SYS_socket, AF_INET, SOCK_STREAM, 0))
CALL_OF(connect_socket, syscall(SYS_connect, sockets[0], NULL, 0))
CALL_OF(execute, syscall(SYS_execve, "/bin/true", NULL, NULL))
CALL_OF(execute_at, syscall(SYS_execveat, file, "", NULL, NULL, AT_EMPTY_PATH))
CALL_OF(make_process, syscall(SYS_fork))
CALL_OF(make_process_by_clone, syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))
CALL_OF(make_namespace, syscall(SYS_unshare, CLONE_NEWUSER))
CALL_OF(trace, syscall(SYS_ptrace, 0, 0, 0, 0))
CALL_OF(read_process, syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0))
CALL_OF(load_module, syscall(SYS_init_module, NULL, 0, ""))
CALL_OF(load_module_file, syscall(SYS_finit_module, file, "", 0))
CALL_OF(load_program, syscall(SYS_bpf, 0, NULL, 0))
CALL_OF(mount_file_system, syscall(SYS_mount, "a", "/", "tmpfs", 0, NULL))
CALL_OF(kill_process, syscall(SYS_kill, getppid(), 0))
CALL_OF(signal_other_thread, syscall(SYS_tgkill, 1, 1, SIGTERM))
CALL_OF(make_ring, syscall(SYS_io_uring_setup, 1, NULL))
CALL_OF(look_for_file, syscall(SYS_newfstatat, AT_FDCWD, "/", page, 0))
CALL_OF(look_below, syscall(SYS_newfstatat, AT_FDCWD, ".", page, AT_EMPTY_PATH))
CALL_OF(unlink_file, syscall(SYS_unlinkat, AT_FDCWD, "/none", 0))
CALL_OF(rename_file, syscall(SYS_renameat, AT_FDCWD, "/a", AT_FDCWD, "/b"))
CALL_OF(map_code, syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
CALL_OF(make_code, syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC))
CALL_OF(type_at_terminal, syscall(SYS_ioctl, 0, TIOCSTI, ""))
CALL_OF(make_vm, syscall(SYS_ioctl, event, LODGE_CREATE_VM, NULL))
CALL_OF(give_memory, syscall(SYS_ioctl, event, LODGE_SET_MEMORY, NULL))
CALL_OF(loosen_filter, syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL))

static const struct {
	const char *name;
	long (*call)(void);
} forbidden[] = {
	{ "open a file", open_file },
	{ "open a file by open", open_old },
	{ "open a file by openat2", open_new },
	{ "open a file by its handle", open_handle },
	{ "make a socket", make_socket },
	{ "connect a socket", connect_socket },
	{ "execute a program", execute },
	{ "execute a file", execute_at },
	{ "make a process", make_process },
	{ "make a process by clone", make_process_by_clone },
	{ "make a namespace", make_namespace },
	{ "trace a process", trace },
	{ "read another process", read_process },
	{ "load a module", load_module },
	{ "load a module from a file", load_module_file },
	{ "load a BPF program", load_program },
	{ "mount a file system", mount_file_system },
	{ "signal another process", kill_process },
	{ "signal a thread of another process", signal_other_thread },
	{ "make a ring", make_ring },
	{ "look for a file", look_for_file },
	{ "look for a file below a directory", look_below },
	{ "remove a file", unlink_file },
	{ "rename a file", rename_file },
	{ "map code", map_code },
	{ "make code of data", make_code },
	{ "type at a terminal", type_at_terminal },
	{ "make a VM", make_vm },
	{ "give a VM memory", give_memory },
	{ "take another mode of filters", loosen_filter },
};

TEST_F(filter, a_thread_can_do_none_of_what_it_never_needs)
{
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		EXPECT_EQ(CHILD_REFUSED,
			  in_child(variant->kind, forbidden[i].call))
		{
			TH_LOG("can %s", forbidden[i].name);
		}
	}
}

CALL_OF(check_access, syscall(SYS_access, "/", F_OK))
CALL_OF(unlink_by_path, syscall(SYS_unlink, "/none"))
CALL_OF(name_thread, syscall(SYS_prctl, PR_SET_NAME, "name", 0, 0, 0))
CALL_OF(make_thread_by_clone3, syscall(SYS_clone3, NULL, 0))

/* What the C library makes in passing, and goes on without. */
static const struct {
	const char *name;
	long (*call)(void);
	int error;
} tried[] = {
	{ "opens a file", open_file, EPERM },
	{ "opens a file by open", open_old, EPERM },
	{ "looks for a file", look_for_file, EPERM },
	{ "looks at a descriptor by a name", look_below, EPERM },
	{ "asks whether it may open a file", check_access, EPERM },
	{ "removes a file", unlink_file, EPERM },
	{ "removes a file by unlink", unlink_by_path, EPERM },
	{ "names itself", name_thread, EPERM },
	{ "starts a thread by clone3", make_thread_by_clone3, ENOSYS },
};

TEST_F(filter, a_thread_is_told_of_an_error_where_the_c_library_goes_on)
{
	for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
		int status = child_status(variant->kind, tried[i].call);

		EXPECT_TRUE(WIFEXITED(status) &&
			    WEXITSTATUS(status) == tried[i].error)
		{
			TH_LOG("one that %s: status %#x", tried[i].name,
			       status);
		}
	}
}

static const struct iovec part = { .iov_base = page, .iov_len = 512 };
static const struct msghdr message = {
	.msg_iov = (struct iovec *)&part,
	.msg_iovlen = 1,
};
static const struct itimerspec setting = { .it_value.tv_sec = 1 };

/* An ioctl that is let through fails with ENOTTY: there is no such device here. */
static long is_let_through(unsigned long command)
{
	return syscall(SYS_ioctl, event, command, NULL) < 0 &&
			       (errno == ENOTTY || errno == EINVAL) ?
		       0 :
		       -1;
}

static long start_thread(void)
{
	/* Flags of pthread_create(); without a stack it fails behind the filter. */
	return syscall(SYS_clone,
		       CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_THREAD, 0, 0,
		       0, 0) < 0 &&
			       errno == EINVAL ?
		       0 :
		       -1;
}

static long add_filter(void)
{
	return filter_install(&filters[SANDBOX_WORKER]);
}

static long watch_event(void)
{
	struct epoll_event input = { .events = EPOLLIN };

	return syscall(SYS_epoll_ctl, epoll, EPOLL_CTL_MOD, event, &input);
}

static long wait_for_event(void)
{
	struct epoll_event events[1];

	return syscall(SYS_epoll_wait, epoll, events, 1, 0);
}

static long look_for_peer(void)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return syscall(SYS_getsockopt, sockets[0], SOL_SOCKET, SO_PEERCRED,
		       &peer, &size);
}

static struct flock first_byte = { .l_type = F_RDLCK, .l_len = 1 };

static long poll_event(void)
{
	struct pollfd fd = { .fd = event, .events = POLLIN };

	return syscall(SYS_poll, &fd, 1, 0);
}

CALL_OF(read_file, syscall(SYS_preadv, file, &part, 1, 0, 0))
CALL_OF(write_file, syscall(SYS_pwritev, file, &part, 1, 0, 0))
CALL_OF(sync_file, syscall(SYS_fdatasync, file))
CALL_OF(allocate_file,
	syscall(SYS_fallocate, file, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
		0, 4096))
CALL_OF(discard_blocks, is_let_through(BLKDISCARD))
CALL_OF(signal_event, syscall(SYS_write, event, &(uint64_t){ 1 }, 8))
CALL_OF(wake_thread, syscall(SYS_futex, page, 1, 1, NULL, NULL, 0))
CALL_OF(map_data, syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
CALL_OF(give_back_memory, syscall(SYS_madvise, page, 4096, MADV_DONTNEED))
CALL_OF(kick_thread, syscall(SYS_tgkill, builder, builder, 0))
CALL_OF(get_random, syscall(SYS_getrandom, page, 16, 0))
CALL_OF(send_frame, syscall(SYS_sendmsg, sockets[0], &message, 0))
CALL_OF(set_timer, syscall(SYS_timerfd_settime, timer, 0, &setting, NULL))
CALL_OF(run_guest, is_let_through(LODGE_RUN))
CALL_OF(send_message, is_let_through(LODGE_SEND_MSI))
CALL_OF(add_doorbell, is_let_through(LODGE_SET_IOEVENTFD))
CALL_OF(read_state, is_let_through(LODGE_GET_STATE))
CALL_OF(set_state, is_let_through(LODGE_SET_STATE))
CALL_OF(set_clock, is_let_through(LODGE_SET_CLOCK))
CALL_OF(set_rate, is_let_through(LODGE_SET_TSC_RATE))
CALL_OF(seal_file, syscall(SYS_fcntl, sealed, F_ADD_SEALS, F_SEAL_GROW))
CALL_OF(lock_bytes, syscall(SYS_fcntl, sealed, F_OFD_SETLK, &first_byte))
CALL_OF(look_for_locks, syscall(SYS_fcntl, sealed, F_OFD_GETLK, &first_byte))
CALL_OF(restore_terminal, is_let_through(TCSETS))

#define OWNER (1U << SANDBOX_OWNER)
#define LOOP (OWNER | 1U << SANDBOX_LOOP)
#define VCPU (1U << SANDBOX_VCPU)
#define DEVICES (LOOP | VCPU)
#define ALL (DEVICES | 1U << SANDBOX_WORKER)

/* With the kinds of threads that may. */
static const struct {
	const char *name;
	long (*call)(void);
	unsigned int kinds;
} needed[] = {
	{ "read a file", read_file, ALL },
	{ "write a file", write_file, ALL },
	{ "flush a file", sync_file, ALL },
	{ "make room in a file", allocate_file, ALL },
	{ "discard blocks", discard_blocks, ALL },
	{ "signal an event", signal_event, ALL },
	{ "wait for an event", poll_event, ALL },
	{ "wake a thread", wake_thread, ALL },
	{ "get memory", map_data, ALL },
	{ "give memory back", give_back_memory, ALL },
	{ "signal a thread of its process", kick_thread, ALL },
	{ "get random bytes", get_random, ALL },
	{ "start a thread", start_thread, DEVICES },
	{ "confine itself more", add_filter, DEVICES },
	{ "send a frame", send_frame, DEVICES },
	{ "set a timer", set_timer, DEVICES },
	{ "watch a descriptor", watch_event, DEVICES },
	{ "run a guest", run_guest, VCPU },
	{ "interrupt a guest", send_message, DEVICES },
	{ "add a doorbell", add_doorbell, DEVICES },
	{ "read a state", read_state, DEVICES },
	{ "wait for descriptors", wait_for_event, LOOP },
	{ "set a state", set_state, LOOP },
	{ "set the clock", set_clock, LOOP },
	{ "set the rate of counters", set_rate, LOOP },
	{ "ask for a peer", look_for_peer, OWNER },
	{ "seal a file", seal_file, OWNER },
	{ "lock bytes of a file", lock_bytes, OWNER },
	{ "look for locks of a file", look_for_locks, OWNER },
	{ "restore the terminal", restore_terminal, OWNER },
};

TEST_F(filter, a_thread_can_do_its_work)
{
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!(needed[i].kinds & 1U << variant->kind))
			continue;
		EXPECT_EQ(CHILD_DONE, in_child(variant->kind, needed[i].call))
		{
			TH_LOG("cannot %s", needed[i].name);
		}
	}
}

TEST_F(filter, a_thread_cannot_do_the_work_of_others)
{
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (needed[i].kinds & 1U << variant->kind)
			continue;
		EXPECT_EQ(CHILD_REFUSED,
			  in_child(variant->kind, needed[i].call))
		{
			TH_LOG("can %s", needed[i].name);
		}
	}
}

/*
 * Runs a filter as seccomp(2) says.
 *
 * Return: the instructions up to its result, which is set; -1: it has another one.
 */
static int run_filter(const struct sock_fprog *program,
		      const struct seccomp_data *data, uint32_t *result)
{
	const struct sock_filter *next = program->filter;
	uint32_t a = 0;
	int count = 1;

	for (;; next++, count++) {
		switch (next->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + next->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= next->k;
			break;
		case BPF_JMP | BPF_JA:
			next += next->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			next += a == next->k ? next->jt : next->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			next += a >= next->k ? next->jt : next->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			next += a > next->k ? next->jt : next->jf;
			break;
		case BPF_RET | BPF_K:
			*result = next->k;
			return count;
		default:
			return -1;
		}
	}
}

TEST(each_run_of_a_guest_costs_few_instructions_of_a_filter)
{
	const struct seccomp_data run = {
		.nr = SYS_ioctl,
		.arch = AUDIT_ARCH_X86_64,
		.args = { 0, LODGE_RUN },
	};
	struct sock_fprog program;
	uint32_t result;
	int count;

	ASSERT_EQ(0, filter_build(&program, SANDBOX_VCPU));
	count = run_filter(&program, &run, &result);
	free(program.filter);
	EXPECT_EQ(SECCOMP_RET_ALLOW, result);
	EXPECT_LT(0, count);
	EXPECT_GE(20, count);
}

/* Return: the line of /proc/self/status with this name, as a number; or -1. */
static long long status_of(const char *name, int base)
{
	FILE *status = fopen("/proc/self/status", "re");
	long long value = -1;
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (!strncmp(line, name, strlen(name)))
			value = strtoll(line + strlen(name), NULL, base);
	if (status)
		fclose(status);
	return value;
}

TEST(no_capability_stays_even_in_the_bounding_set)
{
	int status;
	pid_t child = fork();

	if (!child) {
		const bool bounded = geteuid();
		unsigned int done = capabilities_drop();

		_exit(!(done == SANDBOX_NO_CAPABILITIES &&
			!status_of("CapEff:", 16) &&
			!status_of("CapPrm:", 16) &&
			(bounded || !status_of("CapBnd:", 16))));
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* Files that are open stay, their names do not. */
TEST(the_root_is_empty_and_open_files_stay_open)
{
	int status;
	pid_t child = fork();

	if (!child) {
		int directory = open("/etc", O_RDONLY | O_DIRECTORY);
		uid_t root;
		unsigned int done = namespaces_leave(&root);

		if (!(done & SANDBOX_ROOT))
			_exit(2);
		_exit(faccessat(directory, "passwd", F_OK, 0) ||
		      !access("/etc", F_OK) || !access("/proc", F_OK) ||
		      !mkdir("/made", 0700));
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	if (WEXITSTATUS(status) == 2)
		SKIP(return, "the host lets nobody make namespaces");
	EXPECT_EQ(0, status);
}

/* A process that notes two names, and ends in some way.  Return: the end of its life. */
static int end_with_names(const char *first, const char *second, bool killed)
{
	int status, ends[2];
	pid_t child;
	char byte;

	if (pipe(ends))
		return -1;
	child = fork();
	if (!child) {
		close(ends[0]);
		leftover_note(first);
		leftover_note(second);
		leftover_remove(first);
		leftovers_guard();
		if (killed)
			raise(SIGKILL);
		leftovers_finish();
		_exit(0);
	}
	close(ends[1]);
	waitpid(child, &status, 0);
	/* The guard, which may go on, has none of the process's descriptors. */
	if (read(ends[0], &byte, 1))
		return -1;
	close(ends[0]);
	return 0;
}

TEST(names_are_removed_however_the_process_ends)
{
	char first[] = "/tmp/leftover-XXXXXX", second[] = "leftover-XXXXXX";

	ASSERT_EQ(0, chdir("/tmp"));
	for (int killed = 0; killed < 2; killed++) {
		strcpy(strchr(first, '-'), "-XXXXXX");
		strcpy(strchr(second, '-'), "-XXXXXX");
		close(mkstemp(first));
		close(mkstemp(second));
		ASSERT_EQ(0, end_with_names(first, second, killed));
		/* It is waited for where the process was not killed. */
		for (int i = 0; killed && i < 3000; i++)
			if (!access(second, F_OK))
				usleep(10000);
		EXPECT_NE(0, access(first, F_OK));
		EXPECT_NE(0, access(second, F_OK));
	}
}

TEST(a_name_stays_that_was_given_to_something_else)
{
	char name[] = "/tmp/leftover-XXXXXX";
	int first = mkstemp(name), status;
	pid_t child = fork();

	if (!child) {
		int other;

		leftover_note(name);
		unlink(name);
		other = open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
		leftovers_guard();
		leftovers_finish();
		_exit(other < 0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, unlink(name));
	close(first);
}

/* Return: the signal that has ended it, or -1. */
static int end_child(const char *command, int patience)
{
	struct child child;
	siginfo_t info = { 0 };
	pid_t pid = fork();

	if (!pid) {
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	if (child_take(&child, pid))
		return -1;
	usleep(100000);
	child_end(&child, patience);
	return waitid(P_PID, pid, &info, WEXITED) < 0 && errno == ECHILD &&
			       !child.pid ?
		       0 :
		       -1;
}

TEST(a_helper_is_waited_for_told_and_made_to_end)
{
	EXPECT_EQ(0, end_child("exit 0", 10));
	EXPECT_EQ(0, end_child("exec sleep 1000", 10));
	EXPECT_EQ(0, end_child("trap '' TERM; while :; do :; done", 10));
	EXPECT_EQ(0, end_child("exec sleep 1000", 0));
}

TEST(a_process_that_could_not_be_ended_later_is_ended_at_once)
{
	struct rlimit limit, none;
	struct child child;
	siginfo_t info;
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-EMFILE, child_take(&child, pid));
	setrlimit(RLIMIT_NOFILE, &limit);
	EXPECT_EQ(0, child.pid);
	EXPECT_EQ(-1, waitid(P_PID, pid, &info, WEXITED | WNOHANG));
}

TEST(the_host_tells_what_it_allows)
{
	int parts = sandbox_probe();

	ASSERT_LE(0, parts);
	EXPECT_TRUE(parts & SANDBOX_NO_NEW_PRIVS);
	EXPECT_TRUE(parts & SANDBOX_NO_CAPABILITIES);
	/* This process is as it was. */
	EXPECT_EQ(0, status_of("NoNewPrivs:", 10));
}

TEST_HARNESS_MAIN
