// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what the run loop counts, and of where a vCPU's time goes: module/stats.h,
 * module/vcputime.h and their points in module/run.c.
 */
#include <setjmp.h>

#include "fake_run.h"
#include "interleave.h"

#include "kselftest_harness.h"

#define ROW 64
#define US 1000ULL

FIXTURE(time)
{
	struct lodge_vm vm;
	struct lodge_apic apic;
	struct lodge_vcpu vcpu;
	u64 exits[LODGE_NR_STAT_EXITS];
	u64 outside[LODGE_STAT_BUCKETS];
};

FIXTURE_SETUP(time)
{
	memset(self, 0, sizeof(*self));
	fake_run_reset();
	fake.now = 1000 * US;
	fake_run_vcpu(&self->vcpu, &self->vm, &self->apic, 1);
	fake.kind = LODGE_VMEXIT_IO;
}

FIXTURE_TEARDOWN(time)
{
}

static struct lodge_stats_times times(struct lodge_vcpu *vcpu)
{
	struct lodge_stats_times times;

	lodge_stats_times(vcpu, &times);
	return times;
}

/* Time passes in which the thread has a CPU. */
static void pass(u64 ns)
{
	fake.now += ns;
	kernel_thread.se.sum_exec_runtime += ns;
}

/* The guest runs for 7 us, each exit is answered in 3 us. */
static void run_guest(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	pass(7 * US);
}

static void answer(struct lodge_vcpu *vcpu)
{
	pass(3 * US);
}

TEST_F(time, counts_each_exit_once)
{
	fake.rows = 9;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(10U, lodge_stats_exits(&self->vcpu.stats, self->exits));
	EXPECT_EQ(10U, self->exits[LODGE_STAT_IO]);
	EXPECT_EQ(10U, lodge_stats_outside(&self->vcpu.time, self->outside));
	EXPECT_EQ(1, local64_read(&self->vcpu.stats.returns));
}

TEST_F(time, counts_exits_that_are_answered_with_interrupts_off)
{
	fake.kind = LODGE_VMEXIT_MSR;
	fake.rows = 1;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(2U * ROW, lodge_stats_exits(&self->vcpu.stats, self->exits));
	EXPECT_EQ(2U * ROW, self->exits[LODGE_STAT_MSR]);
	/* The last one of each row is answered, but not entered again at once. */
	EXPECT_EQ(2U, lodge_stats_outside(&self->vcpu.time, self->outside));
}

TEST_F(time, counts_an_entry_that_is_refused)
{
	fake.kind = LODGE_VMEXIT_INVALID;
	lodge_vcpu_run(&self->vcpu, false, false);
	lodge_stats_exits(&self->vcpu.stats, self->exits);
	EXPECT_EQ(1U, self->exits[LODGE_STAT_INVALID]);
}

TEST_F(time, of_a_vcpu_that_has_never_run_is_zero)
{
	EXPECT_EQ(0U, lodge_stats_exits(&self->vcpu.stats, self->exits));
	EXPECT_EQ(0U, lodge_stats_outside(&self->vcpu.time, self->outside));
	EXPECT_EQ(0U, times(&self->vcpu).guest);
	EXPECT_EQ(0U, times(&self->vcpu).host);
	EXPECT_EQ(0U, times(&self->vcpu).wait);
}

TEST_F(time, tells_the_last_exit_of_a_row_by_what_it_was)
{
	fake.kind = LODGE_VMEXIT_MSR;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(LODGE_VMEXIT_ANSWERED, fake.handled);
	EXPECT_EQ(LODGE_STAT_MSR,
		  lodge_stats_last(&self->vcpu.stats, &self->vcpu.exit));
	fake.kind = LODGE_VMEXIT_HLT;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(LODGE_STAT_HLT,
		  lodge_stats_last(&self->vcpu.stats, &self->vcpu.exit));
}

/* The guest runs, and its exit is answered. */
static void run_and_answer(struct lodge_vcpu *vcpu)
{
	fake.enter = run_guest;
	fake.handle = answer;
	lodge_vcpu_run(vcpu, false, false);
}

TEST_F(time, is_the_guests_or_the_hosts)
{
	fake.rows = 9;
	run_and_answer(&self->vcpu);
	EXPECT_EQ(70 * US, times(&self->vcpu).guest);
	EXPECT_EQ(30 * US, times(&self->vcpu).host);
	EXPECT_EQ(0U, times(&self->vcpu).wait);
	/* The thread works for the vCPU in user space, too, and then sleeps. */
	pass(5 * US);
	fake.now += 1000 * US;
	EXPECT_EQ(70 * US, times(&self->vcpu).guest);
	EXPECT_EQ(35 * US, times(&self->vcpu).host);
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(77 * US, times(&self->vcpu).guest);
	EXPECT_EQ(38 * US, times(&self->vcpu).host);
}

TEST_F(time, of_a_thread_before_it_has_run_the_vcpu_is_not_the_vcpus)
{
	pass(1000 * US);
	kernel_thread.sched_info.run_delay += 1000 * US;
	fake.handle = answer;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(3 * US, times(&self->vcpu).host);
	EXPECT_EQ(0U, times(&self->vcpu).steal);
}

static struct lodge_stats_times seen;

static void look_in_guest(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	pass(7 * US);
	seen = times(vcpu);
}

TEST_F(time, goes_on_while_the_guest_runs)
{
	fake.rows = 1;
	fake.enter = look_in_guest;
	fake.handle = answer;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(14 * US, seen.guest);
	EXPECT_EQ(3 * US, seen.host);
}

static void look_in_host(struct lodge_vcpu *vcpu)
{
	pass(3 * US);
	seen = times(vcpu);
}

TEST_F(time, goes_on_while_the_host_answers)
{
	fake.rows = 1;
	fake.enter = run_guest;
	fake.handle = look_in_host;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(14 * US, seen.guest);
	EXPECT_EQ(6 * US, seen.host);
}

/* The counter of the CPU that looks is a little behind. */
static void look_early(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	fake.now -= US;
	seen = times(vcpu);
	fake.now += US;
	pass(7 * US);
}

TEST_F(time, is_never_negative)
{
	fake.enter = look_early;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(0U, seen.guest);
	EXPECT_EQ(0U, seen.host);
	EXPECT_EQ(7 * US, times(&self->vcpu).guest);
}

/* The scheduler has not added up yet what the thread has had. */
static void run_guest_unseen(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	fake.now += 7 * US;
}

TEST_F(time, of_the_host_is_not_negative_while_the_scheduler_lags)
{
	fake.enter = run_guest_unseen;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(7 * US, times(&self->vcpu).guest);
	EXPECT_EQ(0U, times(&self->vcpu).host);
}

TEST_F(time, of_the_host_does_not_step_back_while_the_scheduler_lags)
{
	run_and_answer(&self->vcpu);
	EXPECT_EQ(3 * US, times(&self->vcpu).host);
	fake.enter = run_guest_unseen;
	fake.handle = NULL;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(14 * US, times(&self->vcpu).guest);
	EXPECT_EQ(3 * US, times(&self->vcpu).host);
	/* At a tick, the scheduler adds up the guest's time and some of the host's. */
	kernel_thread.se.sum_exec_runtime += 9 * US;
	EXPECT_EQ(5 * US, times(&self->vcpu).host);
}

/* The counter of the CPU that looks next is a little behind. */
static struct lodge_stats_times times_behind(struct lodge_vcpu *vcpu)
{
	struct lodge_stats_times behind;

	fake.now -= US;
	behind = times(vcpu);
	fake.now += US;
	return behind;
}

static void look_twice_in_guest(struct lodge_vcpu *vcpu,
				struct lodge_vmexit *exit)
{
	pass(7 * US);
	fake_require(times(vcpu).guest == 7 * US);
	seen = times_behind(vcpu);
}

TEST_F(time, does_not_step_back_on_another_cpu)
{
	fake.enter = look_twice_in_guest;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(7 * US, seen.guest);
	lodge_vcputime_sleep(&self->vcpu.time);
	fake.now += 900 * US;
	EXPECT_EQ(900 * US, times(&self->vcpu).wait);
	EXPECT_EQ(900 * US, times_behind(&self->vcpu).wait);
	kernel_thread.sched_info.run_delay = 5 * US;
	EXPECT_EQ(5 * US, times(&self->vcpu).steal);
	kernel_thread.sched_info.run_delay = 4 * US;
	EXPECT_EQ(5 * US, times(&self->vcpu).steal);
}

/*
 * An exit writes the moment by halves: whoever looks between them finds that the guest
 * runs on.
 */
TEST_F(time, goes_on_until_both_halves_of_its_end_are_written)
{
	struct lodge_vcputime *time = &self->vcpu.time;

	fake.now = 0x1fffff000;
	lodge_vcputime_init(time);
	lodge_vcputime_enter(time);
	fake.now += 7 * US;
	EXPECT_EQ(7 * US, times(&self->vcpu).guest);
	time->left.low = (u32)fake.now;
	EXPECT_EQ(7 * US, times(&self->vcpu).guest);
	lodge_vcputime_leave(time);
	fake.now += 100 * US;
	EXPECT_EQ(7 * US, times(&self->vcpu).guest);
}

TEST_F(time, survives_a_suspend_in_which_the_counter_begins_anew)
{
	fake.now = 1000000 * US;
	fake.rows = 99;
	run_and_answer(&self->vcpu);
	EXPECT_EQ(700 * US, times(&self->vcpu).guest);

	lodge_tsc_moved = fake.now;
	fake.now = 10 * US;
	EXPECT_EQ(700 * US, times(&self->vcpu).guest);
	EXPECT_EQ(300 * US, times(&self->vcpu).host);
	fake.enter = look_in_guest;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(707 * US, seen.guest);
	EXPECT_EQ(300 * US, seen.host);
	EXPECT_EQ(707 * US, times(&self->vcpu).guest);
	EXPECT_EQ(303 * US, times(&self->vcpu).host);
}

TEST_F(time, of_a_wait_is_neither_the_guests_nor_between_exit_and_entry)
{
	struct lodge_vcputime *time = &self->vcpu.time;
	u64 slept;

	lodge_vcputime_enter(time);
	pass(7 * US);
	lodge_vcputime_leave(time);
	slept = lodge_vcputime_sleep(time);
	fake.now += 900 * US;
	EXPECT_EQ(900 * US, times(&self->vcpu).wait);
	EXPECT_EQ(7 * US, times(&self->vcpu).guest);
	lodge_vcputime_wake(time, slept);
	EXPECT_EQ(7 * US, times(&self->vcpu).guest);
	lodge_vcputime_enter(time);
	pass(7 * US);
	EXPECT_EQ(14 * US, times(&self->vcpu).guest);
	lodge_stats_outside(time, self->outside);
	EXPECT_EQ(2U, self->outside[0]);
}

TEST_F(time, of_a_wait_goes_on_after_a_suspend)
{
	struct lodge_vcputime *time = &self->vcpu.time;
	u64 slept;

	slept = lodge_vcputime_sleep(time);
	fake.now += 900 * US;
	lodge_vcputime_wake(time, slept);

	lodge_tsc_moved = fake.now;
	fake.now = 10 * US;
	slept = lodge_vcputime_sleep(time);
	fake.now += 5 * US;
	EXPECT_EQ(905 * US, times(&self->vcpu).wait);
	EXPECT_EQ(0U, times(&self->vcpu).host);
	lodge_vcputime_wake(time, slept);
	EXPECT_EQ(905 * US, times(&self->vcpu).wait);
	EXPECT_EQ(0U, times(&self->vcpu).guest);
}

TEST_F(time, of_a_wait_that_ends_on_a_cpu_that_is_behind_is_not_the_hosts_age)
{
	struct lodge_vcputime *time = &self->vcpu.time;
	u64 slept;

	slept = lodge_vcputime_sleep(time);
	fake.now -= 50 * US;
	lodge_vcputime_wake(time, slept);
	EXPECT_EQ(0U, times(&self->vcpu).wait);
	EXPECT_EQ(0U, times(&self->vcpu).guest);
	fake.enter = run_guest;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(7 * US, times(&self->vcpu).guest);
}

static void move_to_cpu_that_is_behind(struct lodge_vcpu *vcpu)
{
	fake.now -= 50 * US;
}

TEST_F(time, of_a_run_that_ends_on_a_cpu_that_is_behind_is_not_the_hosts_age)
{
	fake.enter = run_guest;
	fake.handle = move_to_cpu_that_is_behind;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(7 * US, times(&self->vcpu).guest);
	EXPECT_EQ(0U, times(&self->vcpu).host);
	fake.enter = look_in_guest;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(14 * US, seen.guest);
	EXPECT_EQ(0U, seen.host);
}

TEST_F(time, for_which_another_thread_had_the_cpu_is_stolen)
{
	fake.handle = answer;
	lodge_vcpu_run(&self->vcpu, false, false);
	/* In a run or not: it keeps the vCPU waiting. */
	fake.now += 5 * US;
	kernel_thread.sched_info.run_delay += 5 * US;
	EXPECT_EQ(5 * US, times(&self->vcpu).steal);
	EXPECT_EQ(3 * US, times(&self->vcpu).host);
}

/* The thread that has run the vCPU was another one than the one that runs now. */
static void change_thread(struct lodge_vcpu *vcpu, struct task_struct *other)
{
	*other = kernel_thread;
	vcpu->time.thread = other;
	kernel_thread.users = 0;
	kernel_thread.se.sum_exec_runtime = 500 * US;
	kernel_thread.sched_info.run_delay = 200 * US;
}

TEST_F(time, of_all_threads_that_have_run_the_vcpu_is_added_up)
{
	struct task_struct other;

	run_and_answer(&self->vcpu);
	kernel_thread.sched_info.run_delay += 5 * US;
	EXPECT_EQ(1, kernel_thread.users);
	change_thread(&self->vcpu, &other);
	EXPECT_EQ(3 * US, times(&self->vcpu).host);

	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(0, other.users);
	EXPECT_EQ(1, kernel_thread.users);
	/* What the other one does from then on is not the vCPU's. */
	other.se.sum_exec_runtime += 1000 * US;
	EXPECT_EQ(14 * US, times(&self->vcpu).guest);
	EXPECT_EQ(6 * US, times(&self->vcpu).host);
	EXPECT_EQ(5 * US, times(&self->vcpu).steal);
}

/* What the scheduler had not added up is lost, but not what was known of it. */
TEST_F(time, goes_on_from_a_thread_of_which_the_scheduler_lags)
{
	struct task_struct other;

	run_and_answer(&self->vcpu);
	EXPECT_EQ(3 * US, times(&self->vcpu).host);
	fake.enter = run_guest_unseen;
	fake.handle = NULL;
	lodge_vcpu_run(&self->vcpu, false, false);
	change_thread(&self->vcpu, &other);
	EXPECT_EQ(3 * US, times(&self->vcpu).host);

	run_and_answer(&self->vcpu);
	EXPECT_EQ(21 * US, times(&self->vcpu).guest);
	EXPECT_EQ(6 * US, times(&self->vcpu).host);
}

TEST_F(time, stays_when_the_vcpu_has_ended)
{
	run_and_answer(&self->vcpu);
	lodge_vcputime_fini(&self->vcpu.time);
	EXPECT_EQ(0, kernel_thread.users);
	pass(1000 * US);
	EXPECT_EQ(7 * US, times(&self->vcpu).guest);
	EXPECT_EQ(3 * US, times(&self->vcpu).host);
}

/* Each answer takes twice as long as the one before it. */
static u64 next_ticks;

static void answer_longer(struct lodge_vcpu *vcpu)
{
	fake.now += next_ticks;
	next_ticks *= 2;
}

TEST_F(time, outside_of_the_guest_is_counted_by_powers_of_two)
{
	int i;

	next_ticks = 1 << (LODGE_STAT_FIRST_BUCKET - 1);
	fake.rows = 30;
	fake.handle = answer_longer;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(31U, lodge_stats_outside(&self->vcpu.time, self->outside));
	/* The first entry, which no exit came before, and the first answer. */
	EXPECT_EQ(2U, self->outside[0]);
	for (i = 1; i < LODGE_STAT_BUCKETS - 1; i++)
		EXPECT_EQ(1U, self->outside[i]);
	EXPECT_EQ(7U, self->outside[LODGE_STAT_BUCKETS - 1]);
}

static void answer_just_below(struct lodge_vcpu *vcpu)
{
	fake.now += (1 << LODGE_STAT_FIRST_BUCKET) - 1;
}

TEST_F(time, below_a_power_of_two_is_in_the_bucket_before)
{
	fake.rows = 1;
	fake.handle = answer_just_below;
	lodge_vcpu_run(&self->vcpu, false, false);
	lodge_stats_outside(&self->vcpu.time, self->outside);
	EXPECT_EQ(2U, self->outside[0]);
}

TEST_F(time, in_user_space_is_between_an_exit_and_an_entry)
{
	fake.enter = run_guest;
	lodge_vcpu_run(&self->vcpu, false, false);
	fake.now += 1 << (LODGE_STAT_FIRST_BUCKET + 3);
	lodge_vcpu_run(&self->vcpu, false, false);
	lodge_stats_outside(&self->vcpu.time, self->outside);
	EXPECT_EQ(1U, self->outside[0]);
	EXPECT_EQ(1U, self->outside[4]);
	EXPECT_EQ(14 * US, times(&self->vcpu).guest);
}

/*
 * Looks between any two accesses of the owner, and an owner that goes on between any
 * two of a look
 */

static struct lodge_vcpu *watched;
static u64 slept, waited;
static jmp_buf waits;
static bool has_seen;

static void look_again(void)
{
}

TEST_F(time, of_a_vcpu_whose_cpu_has_stopped_on_its_way_is_what_was_told)
{
	fake.enter = run_guest;
	lodge_vcpu_run(&self->vcpu, false, false);
	EXPECT_EQ(7 * US, times(&self->vcpu).guest);
	self->vcpu.time.left.high = LODGE_TIME_CHANGES;
	fake.relax = look_again;
	EXPECT_EQ(7 * US, times(&self->vcpu).guest);
}

static void look(void)
{
	fake.relax = look_again;
	seen = times(watched);
	has_seen = true;
}

/* The owner is not preempted while others wait for it. */
static void give_up(void)
{
	fake_require(fake_is_pinned());
	longjmp(waits, 1);
}

/* In the middle of the owner's work: sees nothing if it must wait for the owner. */
static void look_between(void)
{
	fake.relax = give_up;
	has_seen = !setjmp(waits);
	if (has_seen)
		seen = times(watched);
	watched->time.lock = 0;
}

static void wake(void)
{
	lodge_vcputime_wake(&watched->time, slept);
	fake.now += 100 * US;
}

static void rebase(void)
{
	lodge_vcputime_rebase(&watched->time);
}

static void run(void)
{
	lodge_vcpu_run(watched, false, false);
}

static void leave(void)
{
	lodge_vcputime_leave(&watched->time);
	fake.now += 100 * US;
}

/* Begin with a vCPU that was in the guest for 7 us, 100 us ago. */
static void begin(FIXTURE_DATA(time) * self)
{
	watched = &self->vcpu;
	lodge_tsc_moved = 0;
	fake.now = 1000 * US;
	fake.writes = 0;
	waited = 0;
	fake_run_vcpu(watched, &self->vm, &self->apic, 1);
	lodge_vcputime_adopt(&watched->time);
	lodge_vcputime_enter(&watched->time);
	pass(7 * US);
	lodge_vcputime_leave(&watched->time);
	fake.now += 100 * US;
}

static void begin_wait(FIXTURE_DATA(time) * self)
{
	begin(self);
	slept = lodge_vcputime_sleep(&watched->time);
	waited = 900 * US;
	fake.now += waited;
}

static void begin_resume(FIXTURE_DATA(time) * self)
{
	begin(self);
	lodge_tsc_moved = fake.now;
	fake.now = 10 * US;
}

static void begin_stay(FIXTURE_DATA(time) * self)
{
	begin(self);
	lodge_vcputime_enter(&watched->time);
	pass(7 * US);
}

/* Return: true if @outer had so many accesses that @inner came before one of them. */
static bool comes_between(unsigned int at, void (*inner)(void),
			  void (*outer)(void))
{
	interleave.at = at;
	interleave.happens = inner;
	outer();
	if (!interleave.happens)
		return true;
	interleave.happens = NULL;
	return false;
}

/* What wrong_at() returns if all is right, or if nothing was seen. */
#define RIGHT (-1)
#define UNSEEN (-2)

/*
 * Return: before which access of @outer @inner comes when what is seen is neither
 * @guest nor @later.
 */
static int wrong_at(FIXTURE_DATA(time) * self,
		    void (*begins)(FIXTURE_DATA(time) * self),
		    void (*inner)(void), void (*outer)(void), u64 guest,
		    u64 later)
{
	bool is_right, was_seen = false;
	int at = 0;

	for (begins(self); comes_between(at, inner, outer); begins(self)) {
		is_right = seen.wait == waited &&
			   (seen.guest == guest || seen.guest == later);
		if (has_seen && !is_right)
			return at;
		was_seen |= has_seen;
		at++;
	}
	return was_seen ? RIGHT : UNSEEN;
}

TEST_F(time, is_right_wherever_a_wait_ends)
{
	EXPECT_EQ(RIGHT, wrong_at(self, begin_wait, look_between, wake, 7 * US,
				  7 * US));
	EXPECT_EQ(RIGHT,
		  wrong_at(self, begin_wait, wake, look, 7 * US, 7 * US));
}

TEST_F(time, is_right_wherever_the_counter_has_another_origin)
{
	EXPECT_EQ(RIGHT, wrong_at(self, begin_resume, look_between, rebase,
				  7 * US, 7 * US));
	EXPECT_EQ(RIGHT,
		  wrong_at(self, begin_resume, rebase, look, 7 * US, 7 * US));
}

TEST_F(time, is_right_wherever_the_guest_is_entered_and_left)
{
	fake.enter = run_guest;
	EXPECT_EQ(RIGHT,
		  wrong_at(self, begin, look_between, run, 7 * US, 14 * US));
	EXPECT_EQ(RIGHT, wrong_at(self, begin, run, look, 7 * US, 14 * US));
	EXPECT_EQ(RIGHT,
		  wrong_at(self, begin_stay, leave, look, 14 * US, 14 * US));
}

TEST_HARNESS_MAIN
