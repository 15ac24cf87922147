// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a machine's threads: of vCPUs that end or reset it together, or late, and of
 * signals to threads that are gone.  Calls of pthreads are slowed down at the points that
 * matter.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "machine_fixture.h"

#define PIC_MASK 0x21
#define I8042_COMMAND 0x64
#define I8042_SELF_TEST 0xaa

/* Each vCPU resets the machine once, at about the same time. */
static int all_reset(struct lodge_run *run)
{
	static __thread bool done;

	if (fake.resets)
		return fake_id(run) ? fake_wait(run) : guest_powers_off(run);
	if (done)
		return fake_wait(run);
	done = true;
	usleep(random() % 300);
	return fake_out(run, RESET, 1, RESET_NOW);
}

TEST(vcpus_that_reset_together_reset_the_machine_once)
{
	fake.all = true;
	for (int round = 0; round < 20; round++) {
		fake.resets = 0;
		ASSERT_EQ(0, run_machine(all_reset, 8));
		EXPECT_EQ(MACHINE_POWERED_OFF, end.fate);
		EXPECT_EQ(1, fake.resets);
	}
}

/* Signals to threads: the number of those to joined threads, and the slow senders. */
static pthread_t joined[64];
static int nr_joined;
static atomic_int late;
static atomic_bool sending;
static __thread bool slow;

static void forget_joined(pthread_t thread)
{
	for (int i = 0; i < nr_joined; i++)
		if (pthread_equal(joined[i], thread))
			joined[i] = 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
		   void *(*start)(void *), void *opaque)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
		    void *) = dlsym(RTLD_NEXT, "pthread_create");
	int err = real(thread, attr, start, opaque);

	forget_joined(*thread);
	return err;
}

int pthread_join(pthread_t thread, void **result)
{
	int (*real)(pthread_t, void **) = dlsym(RTLD_NEXT, "pthread_join");
	int err = real(thread, result);

	if (nr_joined < 64)
		joined[nr_joined++] = thread;
	return err;
}

int pthread_kill(pthread_t thread, int number)
{
	int (*real)(pthread_t, int) = dlsym(RTLD_NEXT, "pthread_kill");
	struct timespec left = { .tv_nsec = 100000000 };

	sending = sending || slow;
	/* Signals must not shorten the sleep. */
	while (slow && nanosleep(&left, &left))
		;
	slow = false;
	for (int i = 0; i < nr_joined; i++) {
		if (pthread_equal(joined[i], thread)) {
			late++;
			return 0;
		}
	}
	return real(thread, number);
}

/* A vCPU's thread, and how many of those have stopped. */
static __thread bool runs_guest;
static atomic_int stopped;
/* Let a vCPU run for a while before the thread that has started it goes on. */
static bool slow_start;
static __thread bool started;
/* The next lock that this thread releases keeps it until a vCPU has stopped. */
static __thread bool slow_release;

int pthread_cond_broadcast(pthread_cond_t *cond)
{
	int (*real)(pthread_cond_t *) =
		dlsym(RTLD_NEXT, "pthread_cond_broadcast");

	if (runs_guest)
		stopped++;
	else
		started = slow_start;
	return real(cond);
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	int (*real)(pthread_mutex_t *) =
		dlsym(RTLD_NEXT, "pthread_mutex_unlock");
	int err = real(mutex);

	if (started)
		usleep(20000);
	started = false;
	if (!slow_release)
		return err;
	slow_release = false;
	while (!stopped)
		usleep(100);
	usleep(10000);
	return err;
}

/* A vCPU that was stopped before it has run is not counted in @stopped. */
static atomic_bool first_runs;

/* vCPU 1 has reset the machine, but stops the others when vCPU 0 has stopped already. */
static int second_resets_slowly(struct lodge_run *run)
{
	runs_guest = true;
	if (fake.resets)
		return fake_id(run) ? fake_wait(run) : guest_powers_off(run);
	if (!fake_id(run)) {
		first_runs = true;
		return fake_wait(run);
	}
	while (!first_runs)
		usleep(100);
	slow_release = true;
	return fake_out(run, RESET, 1, RESET_NOW);
}

TEST(a_late_stop_does_not_end_the_next_run)
{
	fake.all = true;
	ASSERT_EQ(0, run_machine(second_resets_slowly, 2));
	EXPECT_EQ(MACHINE_POWERED_OFF, end.fate);
	EXPECT_EQ(1, fake.resets);
}

/* vCPU 1 unmasks a pending interrupt, which kicks vCPU 0, with a slow signal. */
static int second_interrupts(struct lodge_run *run)
{
	static int step;

	switch (step++) {
	case 0:
		return fake_out(run, PIC_MASK, 1, 0xff);
	case 1:
		return fake_out(run, I8042_COMMAND, 1, I8042_SELF_TEST);
	case 2:
		slow = true;
		return fake_out(run, PIC_MASK, 1, 0xf8);
	}
	return fake_wait(run);
}

/* Meanwhile vCPU 0 resets the machine. */
static int guest_resets_while_it_is_told(struct lodge_run *run)
{
	if (fake_id(run))
		return second_interrupts(run);
	if (fake.resets)
		return guest_powers_off(run);
	while (!sending)
		usleep(100);
	return fake_out(run, RESET, 1, RESET_NOW);
}

TEST(no_thread_is_signalled_that_is_gone)
{
	fake.all = true;
	ASSERT_EQ(0, run_machine(guest_resets_while_it_is_told, 2));
	EXPECT_EQ(MACHINE_POWERED_OFF, end.fate);
	EXPECT_EQ(0, late);
}

static atomic_int ran_on;

/* Resets while the vCPUs are shown to the user, and records whether it runs on. */
static int guest_resets_while_shown(struct lodge_run *run)
{
	static bool asked;

	if (fake.resets)
		return guest_powers_off(run);
	if (asked) {
		ran_on++;
		return fake_wait(run);
	}
	asked = true;
	kill(getpid(), SIGUSR1);
	while (!run->immediate_exit)
		usleep(100);
	return fake_out(run, RESET, 1, RESET_NOW);
}

static void show_nothing(const struct crash *state,
			 const struct vcpu_exit *last)
{
}

TEST(a_guest_that_resets_while_it_is_shown_does_not_run_on)
{
	config.show = show_nothing;
	slow_start = true;
	ASSERT_EQ(0, run_machine(guest_resets_while_shown, 2));
	EXPECT_EQ(MACHINE_POWERED_OFF, end.fate);
	EXPECT_EQ(0, ran_on);
}

TEST_HARNESS_MAIN
