// SPDX-License-Identifier: GPL-2.0
/*
 * The limits of what a user can make the host hold and do: nested page tables, timers, and
 * waits for pages that nobody serves.  Those of VMs and vCPUs: see users.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "host.h"
#include "lib/client.h"
#include "runner.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define PARAMETER(name) "/sys/module/lodge/parameters/" name
#define HOLLOW PARAMETER("inject_hollow_faults")
#define PAGE 0x1000
#define SLOT 1
#define OTHER_SLOT 2

FIXTURE(limits)
{
	struct machine machine;
	char user_tables[16];
	char tables[16];
};

static void parameter_keep(const char *path, char value[16])
{
	snprintf(value, 16, "%ld", host_read(path));
}

FIXTURE_SETUP(limits)
{
	parameter_keep(PARAMETER("user_tables"), self->user_tables);
	parameter_keep(PARAMETER("max_tables"), self->tables);
	ASSERT_EQ(0, machine_make(&self->machine, 2));
}

FIXTURE_TEARDOWN(limits)
{
	machine_end(&self->machine);
	EXPECT_EQ(0, host_write(PARAMETER("user_tables"), self->user_tables));
	EXPECT_EQ(0, host_write(PARAMETER("max_tables"), self->tables));
	EXPECT_EQ(0, host_write(HOLLOW, "N"));
}

/*
 * Messages
 */

TEST_F(limits, a_closed_vcpu_takes_messages_and_forgets_them)
{
	struct lodge_run *run;
	int vcpu = lodge_vcpu_create(self->machine.vm, 2, &run);

	ASSERT_LE(0, vcpu);
	lodge_vcpu_close(vcpu, run);
	/* NMI, INIT. */
	EXPECT_EQ(0, lodge_msi_send(self->machine.vm, 0xfee02000, 0x400));
	EXPECT_EQ(0, lodge_msi_send(self->machine.vm, 0xfee02000, 0x500));
	EXPECT_EQ(0, lodge_memory_delete(self->machine.vm, 0));
}

/*
 * Nested page tables
 */

/* Pages of nested tables that the host counts, or -1. */
static long tables(void)
{
	FILE *file = fopen("/proc/vmstat", "re");
	long value = -1;
	char line[128];

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "nr_sec_page_table_pages %ld", &value) == 1)
			break;
	fclose(file);
	return value;
}

/* The host's counters come up to date in their own time. */
static long tables_now(void)
{
	host_write("/proc/sys/vm/stat_refresh", "1");
	return tables();
}

/* Return: true. */
static bool note_most(long *most)
{
	long now = tables_now();

	if (now > *most)
		*most = now;
	return true;
}

/* As many any VM has. */
#define MAX_TABLES 128

TEST_F(limits, the_host_counts_nested_tables_and_a_vm_has_so_many_and_no_more)
{
	long before = tables_now(), most = 0;
	struct runner runner;
	uint8_t *vast;

	ASSERT_LE(0, before);
	ASSERT_EQ(0, host_write(PARAMETER("max_tables"), "1"));
	vast = mmap(NULL, GUEST_VAST_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, vast);
	madvise(vast, GUEST_VAST_SIZE, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, lodge_memory_set(self->machine.vm, SLOT, 0, GUEST_VAST,
				      GUEST_VAST_SIZE, vast));
	ASSERT_EQ(0, machine_enter(&self->machine, 0, guest_stride));
	runner_start(&runner, &self->machine, 0);
	for (int i = 0; i < 3; i++) {
		uint32_t round = machine_word(&self->machine, GUEST_ROUNDS);

		EXPECT_TRUE(EVENTUALLY(
			note_most(&most) &&
			machine_word(&self->machine, GUEST_ROUNDS) != round));
	}
	EXPECT_EQ(0, runner_stop(&runner));
	EXPECT_LT(before + 16, most);
	/* Each processor may keep some for itself, uncounted as yet. */
	EXPECT_GT(before + MAX_TABLES + 64, most);
	munmap(vast, GUEST_VAST_SIZE);
}

/* vCPU 0 walks through GUEST_VAST, once and again.  Return: most tables by then. */
static long stride(struct machine *machine, uint8_t *vast)
{
	struct runner runner;
	long most = 0;

	if (lodge_memory_set(machine->vm, SLOT, 0, GUEST_VAST, GUEST_VAST_SIZE,
			     vast) ||
	    machine_enter(machine, 0, guest_stride))
		return -1;
	runner_start(&runner, machine, 0);
	for (int i = 0; i < 3; i++) {
		uint32_t round = machine_word(machine, GUEST_ROUNDS);

		if (!EVENTUALLY(note_most(&most) &&
				machine_word(machine, GUEST_ROUNDS) != round))
			most = -1;
	}
	return runner_stop(&runner) ? -1 : most;
}

static uint8_t *make_vast(void)
{
	uint8_t *vast = mmap(NULL, GUEST_VAST_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			     0);

	madvise(vast, GUEST_VAST_SIZE, MADV_NOHUGEPAGE);
	return vast;
}

TEST_F(limits, two_vms_of_a_user_have_no_more_tables_than_the_user_may_have)
{
	long before = tables_now(), first, both;
	struct machine second;
	uint8_t *vast = make_vast();
	char limit[24];

	ASSERT_NE(MAP_FAILED, vast);
	ASSERT_EQ(0, machine_make(&second, 1));
	ASSERT_EQ(0, host_write(PARAMETER("max_tables"), "400000000"));
	first = stride(&self->machine, vast) - before;
	ASSERT_LT(MAX_TABLES, first);
	snprintf(limit, sizeof(limit), "%ld", first * PAGE);
	ASSERT_EQ(0, host_write(PARAMETER("user_tables"), limit));
	/* The memory that any VM may have comes on top. */
	both = stride(&second, vast) - before;
	EXPECT_LT(first, both);
	EXPECT_GT(first + MAX_TABLES + 64, both);
	machine_end(&second);
	munmap(vast, GUEST_VAST_SIZE);
}

/*
 * Timers
 */

/* The number of local APICs' timers that the host has queued, or -1. */
static int timers(void)
{
	FILE *file = fopen("/proc/timer_list", "re");
	char line[256];
	int count = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		count += !!strstr(line, "lapic_timer_expired");
	fclose(file);
	return count;
}

static void put(struct lodge_lapic *lapic, int offset, uint32_t value)
{
	memcpy(lapic->regs + offset, &value, sizeof(value));
}

/* In one look a timer that ticks may be just between two ticks. */
static bool all_rest(void)
{
	for (int i = 0; i < 100; i++)
		if (timers())
			return false;
	return true;
}

#define DIVIDE_BY_1 0xb
#define DIVIDE_BY_128 0xa

/* A timer by its LVT entry and count; 1 ticks with the shortest period. */
static int start_timer(int vcpu, uint32_t lvt, uint32_t count)
{
	struct lodge_lapic lapic;
	struct lodge_state state = { .groups = LODGE_GROUP_LAPIC,
				     .lapic = (uintptr_t)&lapic };
	int error = lodge_state_get(vcpu, &state);

	if (error)
		return error;
	put(&lapic, 0xf0, 0x1ff);
	put(&lapic, 0x320, lvt);
	put(&lapic, 0x380, count);
	put(&lapic, 0x390, count);
	put(&lapic, 0x3e0, count == 1 ? DIVIDE_BY_1 : DIVIDE_BY_128);
	return lodge_state_set(vcpu, &state);
}

TEST_F(limits, a_vcpu_that_nobody_runs_does_not_go_on_ticking)
{
	int first = self->machine.cpu[0].fd, second = self->machine.cpu[1].fd;

	if (timers() < 0)
		SKIP(return, "the host does not list its timers");
	/* One that is minutes from its end is listed. */
	ASSERT_EQ(0, start_timer(first, 0x20041, UINT32_MAX));
	EXPECT_LT(0, timers());
	ASSERT_EQ(0, start_timer(first, 0x20041, 1));
	EXPECT_TRUE(EVENTUALLY(all_rest()));
	/* Nor does one whose ticks nobody is to hear of. */
	ASSERT_EQ(0, start_timer(second, 0x30041, 1));
	EXPECT_TRUE(EVENTUALLY(all_rest()));
}

/*
 * Pages that nobody serves
 */

/* Return: a userfaultfd for which faults in the window wait, or -errno. */
static int unserved(uint8_t *window)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register what = {
		.range = { (uintptr_t)window, GUEST_WINDOW_SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	/* One that blocks cannot be polled. */
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &what))
		return -errno;
	return fd;
}

/* vCPU 0 takes a string from a page that nobody serves.  Return: as above. */
static int wait_for_page(struct machine *machine, struct runner *runner)
{
	uint8_t *window = mmap(NULL, GUEST_WINDOW_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pollfd faults = { .events = POLLIN };
	int error;

	faults.fd = unserved(window);
	if (faults.fd < 0)
		return faults.fd;
	error = lodge_memory_set(machine->vm, SLOT, 0, GUEST_WINDOW,
				 GUEST_WINDOW_SIZE, window);
	if (!error)
		error = machine_enter(machine, 0, guest_out_string);
	if (error)
		return error;
	runner_start(runner, machine, 0);
	if (poll(&faults, 1, -1) != 1 || faults.revents != POLLIN)
		return -EIO;
	return faults.fd;
}

static int serve(int fd)
{
	struct uffd_msg message;
	struct uffdio_zeropage zero = { .range.len = PAGE };

	if (read(fd, &message, sizeof(message)) != sizeof(message))
		return -EIO;
	zero.range.start = message.arg.pagefault.address & -(uint64_t)PAGE;
	return ioctl(fd, UFFDIO_ZEROPAGE, &zero) ? -errno : 0;
}

struct setter {
	struct machine *machine;
	bool done;
	int error;
};

static void *setter_thread(void *argument)
{
	struct setter *setter = argument;

	setter->error = lodge_memory_set(setter->machine->vm, OTHER_SLOT, 0,
					 GUEST_VAST, setter->machine->size,
					 setter->machine->memory);
	__atomic_store_n(&setter->done, true, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST_F(limits, memory_can_be_set_while_a_vcpu_waits_for_a_page)
{
	struct setter setter = { .machine = &self->machine };
	struct runner runner;
	pthread_t thread;
	int fd = wait_for_page(&self->machine, &runner);

	if (fd == -ENOSYS)
		SKIP(return, "the host has no userfaultfd");
	ASSERT_LE(0, fd);
	pthread_create(&thread, NULL, setter_thread, &setter);
	EXPECT_TRUE(EVENTUALLY(SEEN(setter.done)));
	EXPECT_EQ(0, serve(fd));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, setter.error);
	EXPECT_TRUE(EVENTUALLY(SEEN(runner.io)));
	EXPECT_EQ(0, runner_stop(&runner));
	close(fd);
}

TEST_F(limits, an_access_ends_whose_faults_bring_no_page)
{
	uint8_t *window = mmap(NULL, GUEST_WINDOW_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct runner runner;

	ASSERT_NE(MAP_FAILED, window);
	/* A huge page for the stack of the runner's thread would bring it, too. */
	madvise(window, GUEST_WINDOW_SIZE, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, lodge_memory_set(self->machine.vm, SLOT, 0, GUEST_WINDOW,
				      GUEST_WINDOW_SIZE, window));
	ASSERT_EQ(0, machine_enter(&self->machine, 0, guest_out_string));
	ASSERT_EQ(0, host_write(HOLLOW, "Y"));
	runner_start(&runner, &self->machine, 0);
	EXPECT_TRUE(EVENTUALLY(SEEN(runner.error)));
	EXPECT_EQ(0, host_write(HOLLOW, "N"));
	EXPECT_EQ(LODGE_EXIT_CANNOT_EMULATE, runner_stop(&runner));
	EXPECT_EQ(0, runner.io);
	munmap(window, GUEST_WINDOW_SIZE);
}

/* Return: -errno where there is no page to wait for. */
static int wait_and_die(struct machine *machine)
{
	struct runner runner;
	int fd = wait_for_page(machine, &runner);

	if (fd < 0)
		return fd;
	return raise(SIGKILL);
}

TEST_F(limits, a_process_that_waits_for_a_page_can_be_killed)
{
	pid_t child = fork();
	struct machine own;
	int status;

	if (!child) {
		if (machine_make(&own, 1))
			_exit(0);
		_exit(-wait_and_die(&own));
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	if (WIFEXITED(status) && WEXITSTATUS(status) == ENOSYS)
		SKIP(return, "the host has no userfaultfd");
	ASSERT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
}

TEST_HARNESS_MAIN
