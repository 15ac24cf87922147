// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the wait of a halted vCPU: when it polls, how long, and what ends it.
 */
#include "kernel_run.h"

#include "kselftest_harness.h"

#include "poll.h"
#include "vcpu.h"

/* Time between two looks of a thread that polls, and a longest window. */
#define STEP 100
#define MAX 50000
#define NEVER (~0ULL)

u64 kernel_features;
struct task_struct kernel_thread;

/**
 * struct host - the host
 * @now: its clock
 * @wakes_at: an event for the vCPU comes
 * @requested_at: a request comes
 * @signalled_at: a signal comes
 * @crowded_at: another thread wants the CPU
 * @must_yield_at: the scheduler wants it
 * @looks: how often the thread has looked in vain while it polled
 * @sleeps: how often it slept
 * @clock_reads: how often the clock was read
 * @timer: 1 while the APIC's timer comes by an interrupt
 */
static struct {
	u64 now;
	u64 wakes_at;
	u64 requested_at;
	u64 signalled_at;
	u64 crowded_at;
	u64 must_yield_at;
	unsigned int looks;
	unsigned int sleeps;
	unsigned int clock_reads;
	int timer;
} host;

static struct lodge_vcpu vcpu;

/* The last event that was traced. */
static struct {
	bool polled;
	u32 window;
	u64 waited;
} traced;

/* Time passes. */
static void pass(u64 until)
{
	host.now = until;
	if (host.now >= host.requested_at)
		vcpu.requests |= BIT(LODGE_REQ_KICK);
	kernel_thread.work = host.now >= host.signalled_at;
	kernel_thread.must_yield = host.now >= host.must_yield_at;
}

u64 ktime_get_ns(void)
{
	host.clock_reads++;
	return host.now;
}

u64 lodge_tsc_moved;
u32 tsc_khz = 1000000;

u64 rdtsc(void)
{
	return host.now;
}

void cpu_relax(void)
{
	host.looks++;
	pass(host.now + STEP);
}

/* Nobody wakes it but what it waits for. */
void kernel_sleeps(void)
{
	u64 next =
		min(host.wakes_at, min(host.requested_at, host.signalled_at));

	if (next == NEVER)
		abort();
	host.sleeps++;
	pass(max(host.now, next));
}

bool single_task_running(void)
{
	return host.now < host.crowded_at;
}

bool lodge_event_wakes(struct lodge_delivery *d)
{
	return host.timer == 1 && host.now >= host.wakes_at;
}

void lodge_lapic_sleep(struct lodge_apic *apic)
{
	host.timer++;
}

void lodge_lapic_wake(struct lodge_apic *apic)
{
	host.timer--;
}

void trace_lodge_halt(u32 id, bool polled, u32 window, u64 waited)
{
	traced.polled = polled;
	traced.window = window;
	traced.waited = waited;
}

FIXTURE(wait){};

FIXTURE_SETUP(wait)
{
	memset(&host, 0, sizeof(host));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&kernel_thread, 0, sizeof(kernel_thread));
	kernel_features = 0;
	*kernel_halt_poll_ns = MAX;
	host.now = 1000000000;
	host.wakes_at = host.requested_at = host.signalled_at = NEVER;
	host.crowded_at = host.must_yield_at = NEVER;
	vcpu.poll_window = MAX;
}

FIXTURE_TEARDOWN(wait)
{
	EXPECT_EQ(0, host.timer);
}

/* The vCPU waits until something comes after @ns. */
static void wait_for(u64 *what, u64 ns)
{
	host.looks = host.sleeps = 0;
	vcpu.requests = 0;
	*what = host.now + ns;
	lodge_poll_wait(&vcpu);
	*what = NEVER;
	pass(host.now);
}

TEST_F(wait, ends_at_once_if_what_it_is_for_has_come)
{
	wait_for(&host.wakes_at, 0);
	EXPECT_EQ(0U, host.looks);
	EXPECT_EQ(0U, host.sleeps);
	EXPECT_TRUE(traced.polled);
	EXPECT_EQ(0ULL, traced.waited);
}

TEST_F(wait, ends_without_sleep_by_what_comes_in_the_window)
{
	u64 *const ends[] = { &host.wakes_at, &host.requested_at,
			      &host.signalled_at };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		wait_for(ends[i], MAX / 2);
		EXPECT_EQ(MAX / 2 / STEP, host.looks);
		EXPECT_EQ(0U, host.sleeps);
		EXPECT_TRUE(traced.polled);
		EXPECT_EQ(MAX / 2ULL, traced.waited);
	}
}

TEST_F(wait, polls_no_longer_than_its_window_and_then_sleeps)
{
	vcpu.poll_window = 20000;
	wait_for(&host.wakes_at, 1000000);
	EXPECT_EQ(20000U / STEP, host.looks);
	EXPECT_EQ(1U, host.sleeps);
	EXPECT_FALSE(traced.polled);
	EXPECT_EQ(20000U, traced.window);
	EXPECT_EQ(1000000ULL, traced.waited);
}

/* Something comes up while it polls, long before it is woken. */
static void sleeps_at_once(struct __test_metadata *_metadata)
{
	wait_for(&host.wakes_at, 10000);
	EXPECT_EQ(1000U / STEP, host.looks);
	EXPECT_EQ(1U, host.sleeps);
	EXPECT_EQ(10000ULL, traced.waited);
}

TEST_F(wait, sleeps_at_once_where_another_thread_wants_the_cpu)
{
	host.crowded_at = host.now + 1000;
	sleeps_at_once(_metadata);
}

TEST_F(wait, sleeps_at_once_where_the_scheduler_wants_the_cpu)
{
	host.must_yield_at = host.now + 1000;
	sleeps_at_once(_metadata);
}

TEST_F(wait, that_a_longer_window_would_have_covered_makes_it_grow)
{
	vcpu.poll_window = 0;
	wait_for(&host.wakes_at, 30000);
	EXPECT_EQ(0U, host.looks);
	EXPECT_EQ(10000U, vcpu.poll_window);
	wait_for(&host.wakes_at, 30000);
	EXPECT_EQ(20000U, vcpu.poll_window);
	wait_for(&host.wakes_at, 30000);
	EXPECT_EQ(40000U, vcpu.poll_window);
	wait_for(&host.wakes_at, 30000);
	EXPECT_EQ(0U, host.sleeps);
	EXPECT_EQ(40000U, vcpu.poll_window);
	wait_for(&host.wakes_at, 45000);
	EXPECT_EQ(50000U, vcpu.poll_window);
}

TEST_F(wait, that_no_window_would_have_covered_makes_it_shrink)
{
	wait_for(&host.wakes_at, MAX + 1000);
	EXPECT_EQ(25000U, vcpu.poll_window);
	wait_for(&host.wakes_at, MAX + 1000);
	wait_for(&host.wakes_at, MAX + 1000);
	EXPECT_EQ(0U, vcpu.poll_window);
	wait_for(&host.wakes_at, MAX + 1000);
	EXPECT_EQ(0U, host.looks);
	EXPECT_EQ(1U, host.sleeps);
}

TEST_F(wait, is_bounded_by_the_parameter_at_each_time)
{
	*kernel_halt_poll_ns = 5000;
	wait_for(&host.wakes_at, 6000);
	EXPECT_EQ(5000U / STEP, host.looks);
	EXPECT_EQ(5000U, traced.window);
	EXPECT_GE(5000U, vcpu.poll_window);
	*kernel_halt_poll_ns = INT32_MAX;
	vcpu.poll_window = UINT32_MAX;
	wait_for(&host.wakes_at, 2 * LODGE_POLL_LIMIT_NS);
	EXPECT_EQ(LODGE_POLL_LIMIT_NS / STEP, host.looks);
	EXPECT_GE(LODGE_POLL_LIMIT_NS, vcpu.poll_window);
}

TEST_F(wait, is_counted_by_how_it_ends)
{
	const struct lodge_stats *stats = &vcpu.stats;

	vcpu.delivery.mp_state = LODGE_MP_HALTED;
	wait_for(&host.wakes_at, 1000);
	EXPECT_EQ(1, local64_read(&stats->halts));
	EXPECT_EQ(1, local64_read(&stats->polls_won));
	EXPECT_EQ(0, local64_read(&stats->wakeups));
	wait_for(&host.wakes_at, 2 * MAX);
	EXPECT_EQ(2, local64_read(&stats->halts));
	EXPECT_EQ(1, local64_read(&stats->polls_lost));
	EXPECT_EQ(1, local64_read(&stats->wakeups));
	*kernel_halt_poll_ns = 0;
	vcpu.delivery.mp_state = LODGE_MP_WAIT_SIPI;
	wait_for(&host.wakes_at, 2 * MAX);
	EXPECT_EQ(2, local64_read(&stats->halts));
	EXPECT_EQ(1, local64_read(&stats->polls_lost));
	EXPECT_EQ(2, local64_read(&stats->wakeups));
	/* Nothing of it counts as time that the host has taken since the exit. */
	EXPECT_EQ(1000 + 4 * MAX, local64_read(&vcpu.time.wait));
	EXPECT_EQ(1000 + 4 * MAX, vcpu.time.left.moment);
}

TEST_F(wait, does_not_poll_and_reads_no_clock_where_the_parameter_is_zero)
{
	*kernel_halt_poll_ns = 0;
	wait_for(&host.wakes_at, 1000);
	EXPECT_EQ(0U, host.looks);
	EXPECT_EQ(0U, host.clock_reads);
	EXPECT_EQ(1U, host.sleeps);
	EXPECT_EQ(0U, vcpu.poll_window);
}

TEST_F(wait, polls_by_default_unless_the_host_is_itself_a_guest)
{
	*kernel_halt_poll_ns = -1;
	vcpu.poll_window = UINT32_MAX;
	wait_for(&host.wakes_at, 1000000);
	EXPECT_EQ(50000U, traced.window);
	kernel_features = BIT(X86_FEATURE_HYPERVISOR);
	wait_for(&host.wakes_at, 1000);
	EXPECT_EQ(0U, host.looks);
	*kernel_halt_poll_ns = MAX;
	vcpu.poll_window = MAX;
	wait_for(&host.wakes_at, 1000);
	EXPECT_EQ(1000U / STEP, host.looks);
}

TEST_HARNESS_MAIN
