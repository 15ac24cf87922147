// SPDX-License-Identifier: GPL-2.0
/*
 * Calls at random, from several threads that share their descriptors, with
 * arguments that are nearly right: while processes fork and are killed, files
 * and mappings go, and processors go offline.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lodge.h>

#include "host.h"
#include "waiting.h"
#include "chance.h"

#include "kselftest_harness.h"

#define THREADS 3
#define VMS 2
#define VCPUS 4
#define ARENA 0x200000
#define PAGE 0x1000
/* Calls of a thread in one process. */
#define CALLS 400

/**
 * struct process - state that the threads of one process share, and change at will
 * @lodge: descriptor of /dev/lodge
 * @vm: descriptors of VMs
 * @vcpu: descriptors of vCPUs
 * @run: their run pages
 * @arena: ARENA bytes of memory for guests and arguments
 * @running: threads that are not done
 */
struct process {
	int lodge;
	int vm[VMS];
	int vcpu[VCPUS];
	struct lodge_run *run[VCPUS];
	uint8_t *arena;
	int running;
};

/**
 * struct caller - a thread
 */
struct caller {
	struct process *process;
	struct chance chance;
	pthread_t thread;
};

/* Shared with the processes: the first call that told of a defect of Lodge's. */
static int *defect;

static void tell(const struct caller *caller, int answer, unsigned int number)
{
	if (answer < 0 && errno == EIO)
		__atomic_store_n(defect, number ? number : 1, __ATOMIC_SEQ_CST);
}

static int call(struct caller *caller, int fd, unsigned int number,
		void *argument)
{
	int answer = ioctl(fd, number, argument);

	tell(caller, answer, number);
	return answer;
}

static int *any_vm(struct caller *caller)
{
	return &caller->process->vm[chance_below(&caller->chance, VMS)];
}

static unsigned int any_vcpu(struct caller *caller)
{
	return chance_below(&caller->chance, VCPUS);
}

static uint8_t *anywhere(struct caller *caller)
{
	uint32_t offset = chance_below(&caller->chance, ARENA / PAGE) * PAGE;

	return caller->process->arena + offset;
}

static void replace(int *place, int fd)
{
	int old;

	if (fd < 0)
		return;
	old = __atomic_exchange_n(place, fd, __ATOMIC_SEQ_CST);
	if (old >= 0)
		close(old);
}

/*
 * Deeds
 */

static void open_lodge(struct caller *caller)
{
	replace(&caller->process->lodge,
		open(LODGE_DEVICE, O_RDWR | O_CLOEXEC));
}

static void get_info(struct caller *caller)
{
	struct lodge_info info;

	call(caller, caller->process->lodge, LODGE_GET_INFO, &info);
}

static void create_vm(struct caller *caller)
{
	struct lodge_vm_create create = {};

	chance_flip(&caller->chance, &create, sizeof(create), 1);
	replace(any_vm(caller),
		call(caller, caller->process->lodge, LODGE_CREATE_VM, &create));
}

static void create_vcpu(struct caller *caller)
{
	struct process *process = caller->process;
	struct lodge_vcpu_create create = {
		.id = chance_below(&caller->chance, VCPUS + 1),
	};
	unsigned int i = any_vcpu(caller);
	struct lodge_run *run;
	int fd;

	if (chance_one_in(&caller->chance, 8))
		chance_fill(&caller->chance, &create, sizeof(create));
	fd = call(caller, *any_vm(caller), LODGE_CREATE_VCPU, &create);
	if (fd < 0)
		return;
	run = mmap(NULL, LODGE_RUN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	/* The old page stays mapped: another thread may be using it. */
	if (run != MAP_FAILED)
		__atomic_store_n(&process->run[i], run, __ATOMIC_SEQ_CST);
	replace(&process->vcpu[i], fd);
}

static void set_memory(struct caller *caller)
{
	struct chance *chance = &caller->chance;
	struct lodge_memory memory = {
		.slot = chance_below(chance, 4),
		.gpa = (uint64_t)chance_below(chance, 2 * ARENA / PAGE) * PAGE,
		.size = (uint64_t)chance_below(chance, ARENA / PAGE) * PAGE,
		.hva = (uintptr_t)anywhere(caller),
		.flags = chance_one_in(chance, 4) ? LODGE_MEM_READONLY : 0,
	};

	if (chance_one_in(chance, 3))
		memory.slot = memory.gpa = 0;
	chance_flip(chance, &memory, sizeof(memory), 2);
	call(caller, *any_vm(caller), LODGE_SET_MEMORY, &memory);
}

static void log_writes(struct caller *caller)
{
	struct chance *chance = &caller->chance;
	struct lodge_dirty_log log = {
		.slot = chance_below(chance, 4),
		.flags = chance_one_in(chance, 3) ? 0 : LODGE_DIRTY_LOG_ON,
	};
	struct lodge_reset reset = {};
	struct lodge_dirty dirty = {
		.slot = log.slot,
		.first = chance_below(chance, 4) * 64,
		.pages = chance_below(chance, ARENA / PAGE),
		.bitmap = (uintptr_t)anywhere(caller),
	};

	if (log.flags && chance_one_in(chance, 2)) {
		log.flags |= LODGE_DIRTY_LOG_BASELINE;
		log.baseline = (uintptr_t)anywhere(caller);
	}
	chance_flip(chance, &log, sizeof(log), 1);
	chance_flip(chance, &dirty, sizeof(dirty), 1);
	if (chance_one_in(chance, 3))
		call(caller, *any_vm(caller), LODGE_SET_DIRTY_LOG, &log);
	call(caller, *any_vm(caller), LODGE_GET_DIRTY, &dirty);
	call(caller, *any_vm(caller), LODGE_RESET, &reset);
}

static void hold(struct caller *caller)
{
	int *vm = any_vm(caller);

	call(caller, *vm, LODGE_HOLD, NULL);
	call(caller, *vm, LODGE_RELEASE, NULL);
}

static void change_state(struct caller *caller)
{
	struct chance *chance = &caller->chance;
	struct lodge_state state = {
		.groups = chance_number(chance) & LODGE_GROUPS_ALL,
		.xsave = (uintptr_t)anywhere(caller),
		.lapic = (uintptr_t)anywhere(caller),
		.xsave_size = chance_below(chance, 3 * PAGE),
		.lapic_size = chance_below(chance, 2 * PAGE),
	};
	int fd = caller->process->vcpu[any_vcpu(caller)];

	call(caller, fd, LODGE_GET_STATE, &state);
	chance_flip(chance, &state, sizeof(state), 3);
	if (chance_one_in(chance, 2))
		chance_flip(chance, &state.regs.control,
			    sizeof(state.regs.control), 2);
	call(caller, fd, LODGE_SET_STATE, &state);
}

static void change_cpuid(struct caller *caller)
{
	struct lodge_cpuid_entry entries[LODGE_MAX_CPUID];
	struct lodge_cpuid cpuid = {
		.count = LODGE_MAX_CPUID,
		.entries = (uintptr_t)entries,
	};
	int fd = caller->process->vcpu[any_vcpu(caller)];

	if (call(caller, fd, LODGE_GET_CPUID, &cpuid))
		return;
	chance_flip(&caller->chance, entries, cpuid.count * sizeof(*entries),
		    3);
	chance_flip(&caller->chance, &cpuid, sizeof(cpuid), 1);
	call(caller, fd, LODGE_SET_CPUID, &cpuid);
}

static void change_msrs(struct caller *caller)
{
	struct lodge_msr_entry entries[LODGE_MAX_MSRS];
	struct lodge_msr_list list = {
		.count = LODGE_MAX_MSRS,
		.flags = LODGE_MSR_LIST_ALL,
		.entries = (uintptr_t)entries,
	};
	int fd = caller->process->vcpu[any_vcpu(caller)];

	if (call(caller, fd, LODGE_GET_MSR_LIST, &list))
		return;
	list.flags = 0;
	chance_flip(&caller->chance, entries, list.count * sizeof(*entries), 2);
	chance_flip(&caller->chance, &list, sizeof(list), 1);
	call(caller, fd, LODGE_GET_MSR_LIST, &list);
	call(caller, fd, LODGE_SET_MSR_LIST, &list);
}

static void run(struct caller *caller)
{
	struct chance *chance = &caller->chance;
	struct process *process = caller->process;
	unsigned int i = any_vcpu(caller);
	struct lodge_run *page =
		__atomic_load_n(&process->run[i], __ATOMIC_SEQ_CST);
	unsigned int times = chance_below(chance, 20);

	while (times--) {
		if (page && chance_one_in(chance, 4))
			chance_flip(chance, page, sizeof(*page), 4);
		/* The run page may have been replaced: that is its users' affair. */
		if (call(caller, process->vcpu[i], LODGE_RUN, NULL))
			break;
	}
	if (page)
		page->immediate_exit = 0;
}

static void send(struct caller *caller)
{
	struct lodge_msi msi = {
		.address = 0xfee00000 | chance_below(&caller->chance, 8) << 12,
		.data = chance_below(&caller->chance, 0x800),
	};
	struct lodge_extint extint = {
		.vector = chance_below(&caller->chance, 260),
	};
	int fd = caller->process->vcpu[any_vcpu(caller)];

	switch (chance_below(&caller->chance, 3)) {
	case 0:
		chance_flip(&caller->chance, &msi, sizeof(msi), 2);
		call(caller, *any_vm(caller), LODGE_SEND_MSI, &msi);
		break;
	case 1:
		call(caller, fd, LODGE_EXTINT, &extint);
		break;
	default:
		call(caller, fd, LODGE_NMI, NULL);
	}
}

/* Doorbells and messages of an eventfd that may be closed at any time. */
static void connect_eventfd(struct caller *caller)
{
	struct chance *chance = &caller->chance;
	int fd = eventfd(chance_below(chance, 2), EFD_CLOEXEC | EFD_NONBLOCK);
	struct lodge_ioeventfd bell = {
		.address = chance_one_in(chance, 2) ?
				   chance_below(chance, 0x100) :
				   chance_number(chance),
		.size = 1U << chance_below(chance, 4),
		.flags = chance_below(chance, 8),
		.fd = fd,
	};
	struct lodge_irqfd irqfd = {
		.address = 0xfee00000 | chance_below(chance, 4) << 12,
		.data = chance_below(chance, 0x10000),
		.flags = chance_below(chance, 4),
		.fd = fd,
		.resample = fd,
	};
	const uint64_t one = 1;

	if (chance_one_in(chance, 2)) {
		chance_flip(chance, &bell, sizeof(bell), 2);
		call(caller, *any_vm(caller), LODGE_SET_IOEVENTFD, &bell);
	} else {
		chance_flip(chance, &irqfd, sizeof(irqfd), 2);
		call(caller, *any_vm(caller), LODGE_SET_IRQFD, &irqfd);
	}
	/* Its counter may be full, and there may be no descriptor at all. */
	if (write(fd, &one, sizeof(one)) < 0)
		sched_yield();
	close(fd);
}

static void change_clock(struct caller *caller)
{
	struct lodge_tsc_rate rate = {
		.khz = chance_below(&caller->chance, 10000000),
	};
	struct lodge_clock clock = {};
	int fd = *any_vm(caller);

	call(caller, fd, LODGE_GET_CLOCK, &clock);
	chance_flip(&caller->chance, &clock, sizeof(clock), 2);
	call(caller, fd, LODGE_SET_CLOCK, &clock);
	call(caller, fd, LODGE_SET_TSC_RATE, &rate);
}

/* A number, size and argument of no call, or of the wrong one. */
static void call_wildly(struct caller *caller)
{
	struct chance *chance = &caller->chance;
	struct process *process = caller->process;
	const int fds[] = { process->lodge, *any_vm(caller),
			    process->vcpu[any_vcpu(caller)] };
	unsigned int number = _IOC(chance_below(chance, 4), LODGE_IOC,
				   chance_below(chance, 0x30),
				   chance_below(chance, 0x4000));
	void *argument = chance_one_in(chance, 4) ?
				 (void *)(uintptr_t)chance_number(chance) :
				 anywhere(caller) + chance_below(chance, PAGE);

	call(caller, fds[chance_below(chance, 3)], number, argument);
}

static void change_arena(struct caller *caller)
{
	static const int advice[] = { MADV_DONTNEED,   MADV_FREE,
				      MADV_MERGEABLE,  MADV_HUGEPAGE,
				      MADV_NOHUGEPAGE, MADV_PAGEOUT };
	struct chance *chance = &caller->chance;
	uint8_t *from = anywhere(caller);
	size_t size = caller->process->arena + ARENA - from;

	size = (1 + chance_below(chance, size / PAGE)) * PAGE;
	switch (chance_below(chance, 5)) {
	case 0:
		mprotect(from, size, PROT_READ);
		break;
	case 1:
		mprotect(from, size, PROT_READ | PROT_WRITE);
		break;
	case 2:
		mmap(from, size, PROT_READ | PROT_WRITE,
		     MAP_FIXED | MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
		break;
	case 3:
		chance_fill(chance, from, PAGE);
		break;
	default:
		madvise(from, size, advice[chance_below(chance, 6)]);
	}
}

static void map_run_page(struct caller *caller)
{
	struct chance *chance = &caller->chance;
	size_t size = (1 + chance_below(chance, 2)) * PAGE;
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  chance_one_in(chance, 2) ? MAP_SHARED : MAP_PRIVATE,
			  caller->process->vcpu[any_vcpu(caller)],
			  chance_below(chance, 2) * PAGE);

	if (page != MAP_FAILED)
		munmap(page, size);
}

static void close_one(struct caller *caller)
{
	struct process *process = caller->process;
	int *const fds[] = { &process->lodge, any_vm(caller),
			     &process->vcpu[any_vcpu(caller)] };
	int fd = __atomic_exchange_n(fds[chance_below(&caller->chance, 3)], -1,
				     __ATOMIC_SEQ_CST);

	if (fd >= 0)
		close(fd);
}

/* The child has the descriptors, and may use none of them (EIO). */
static void fork_one(struct caller *caller)
{
	pid_t child = fork();

	if (!child) {
		ioctl(caller->process->vcpu[any_vcpu(caller)], LODGE_RUN, 0);
		ioctl(*any_vm(caller), LODGE_SEND_MSI, caller->process->arena);
		_exit(0);
	}
	if (child > 0)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
}

static const struct {
	void (*act)(struct caller *caller);
	unsigned int weight;
} deeds[] = {
	{ open_lodge, 4 },   { get_info, 2 },
	{ create_vm, 4 },    { create_vcpu, 12 },
	{ set_memory, 16 },  { change_state, 16 },
	{ log_writes, 16 },  { hold, 4 },
	{ change_cpuid, 6 }, { change_msrs, 6 },
	{ run, 32 },	     { send, 24 },
	{ change_clock, 4 }, { connect_eventfd, 16 },
	{ call_wildly, 24 }, { change_arena, 16 },
	{ map_run_page, 4 }, { close_one, 4 },
	{ fork_one, 1 },
};

static void act(struct caller *caller)
{
	unsigned int weights = 0, i;
	int32_t left;

	for (i = 0; i < sizeof(deeds) / sizeof(*deeds); i++)
		weights += deeds[i].weight;
	left = chance_below(&caller->chance, weights);
	for (i = 0; left >= (int32_t)deeds[i].weight; i++)
		left -= deeds[i].weight;
	deeds[i].act(caller);
}

static void *caller_thread(void *argument)
{
	struct caller *caller = argument;

	for (int i = 0; i < CALLS; i++)
		act(caller);
	__atomic_sub_fetch(&caller->process->running, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void on_signal(int signal)
{
}

/* Lets no thread stay in LODGE_RUN, or in anything else, for long. */
static void disturb(struct process *process, struct caller caller[THREADS])
{
	while (SEEN(process->running)) {
		usleep(1000);
		for (int i = 0; i < THREADS; i++)
			pthread_kill(caller[i].thread, SIGUSR1);
	}
}

/* A process of its own, which never comes back. */
static void process_live(uint64_t stream)
{
	static struct process process = {
		.lodge = -1,
		.vm = { -1, -1 },
		.vcpu = { -1, -1, -1, -1 },
		.running = THREADS,
	};
	static struct caller caller[THREADS];
	const struct sigaction action = { .sa_handler = on_signal };
	struct chance chance = chance_start(stream);

	sigaction(SIGUSR1, &action, NULL);
	process.arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (process.arena == MAP_FAILED)
		_exit(2);
	chance_fill(&chance, process.arena, ARENA / 8);
	for (int i = 0; i < THREADS; i++) {
		caller[i].process = &process;
		caller[i].chance = chance_start(stream * 16 + i + 1);
	}
	open_lodge(&caller[0]);
	create_vm(&caller[0]);
	for (int i = 0; i < VCPUS; i++)
		create_vcpu(&caller[0]);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&caller[i].thread, NULL, caller_thread,
			       &caller[i]);
	disturb(&process, caller);
	_exit(0);
}

/* Ends by itself or is killed; SIGSEGV and SIGBUS are its own affair. */
static bool process_end(pid_t child, struct chance *chance)
{
	int status;

	if (chance_one_in(chance, 3)) {
		usleep(chance_below(chance, 300000));
		kill(child, SIGKILL);
	}
	return EVENTUALLY(waitpid(child, &status, WNOHANG) == child) &&
	       !(WIFEXITED(status) && WEXITSTATUS(status));
}

static void change_host(struct chance *chance)
{
	long last = sysconf(_SC_NPROCESSORS_CONF) - 1;

	if (chance_one_in(chance, 4))
		cpu_set_online(last, chance_one_in(chance, 2));
	if (chance_one_in(chance, 4))
		host_write("/proc/sys/vm/drop_caches", "3");
	if (chance_one_in(chance, 4))
		host_write("/proc/sys/vm/compact_memory", "1");
}

FIXTURE(calls)
{
	struct chance chance;
	struct span span;
};

FIXTURE_SETUP(calls)
{
	self->chance = chance_start(0);
	self->span = span_start();
	defect = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, defect);
}

FIXTURE_TEARDOWN(calls)
{
	cpus_set_online(true);
	munmap(defect, PAGE);
}

TEST_F_TIMEOUT(calls, at_random_find_no_defect_and_leave_nothing, SOAK_TIMEOUT)
{
	uint64_t stream = 0;

	while (span_goes_on(&self->span)) {
		pid_t child = fork();

		ASSERT_LE(0, child);
		if (!child)
			process_live(stream);
		change_host(&self->chance);
		ASSERT_TRUE(process_end(child, &self->chance))
		TH_LOG("process %llu", (unsigned long long)stream);
		ASSERT_EQ(0, *defect)
		TH_LOG("process %llu: EIO from %#x", (unsigned long long)stream,
		       *defect);
		ASSERT_TRUE(EVENTUALLY(lodge_users() == 0));
		stream++;
	}
	TH_LOG("%llu processes", (unsigned long long)stream);
	EXPECT_LT(0, stream);
}

TEST_HARNESS_MAIN
