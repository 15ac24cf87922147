// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the event loop.  None depends on how long anything takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "board/loop.h"

#define HOUR 3600000000000ULL

#define SEC 1000000000ULL

FIXTURE(loop)
{
	struct loop *loop;
	struct loop_timer *timers[3];
	int pipe[2];
	char log[16];
	unsigned int length;
};

/* A receiver of callbacks, which adds its letter to the log. */
struct caller {
	FIXTURE_DATA(loop) * self;
	char letter;
};

static void note(struct caller *caller)
{
	FIXTURE_DATA(loop) *self = caller->self;

	if (self->length < sizeof(self->log) - 1)
		self->log[self->length++] = caller->letter;
	if (caller->letter == 'z')
		loop_stop(self->loop);
}

static void expired(void *opaque)
{
	note(opaque);
}

static void readable(void *opaque, int fd)
{
	char byte;

	if (read(fd, &byte, 1) == 1)
		note(opaque);
}

FIXTURE_SETUP(loop)
{
	self->loop = loop_new();
	ASSERT_NE(NULL, self->loop);
	ASSERT_EQ(0, pipe2(self->pipe, O_CLOEXEC | O_NONBLOCK));
}

FIXTURE_TEARDOWN(loop)
{
	loop_free(self->loop);
	close(self->pipe[0]);
	close(self->pipe[1]);
}

static void *write_byte(void *opaque)
{
	int *fd = opaque;

	return (void *)write(*fd, "x", 1);
}

TEST(freeing_no_loop_is_fine)
{
	loop_free(NULL);
}

TEST_F(loop, the_clock_does_not_go_back)
{
	uint64_t before = loop_now(self->loop);

	EXPECT_LE(before, loop_now(self->loop));
}

TEST_F(loop, a_stopped_clock_stands_and_goes_on_from_there)
{
	struct timespec nap = { .tv_nsec = 20 * 1000 * 1000 };
	uint64_t stood;

	loop_clock_stop(self->loop);
	stood = loop_now(self->loop);
	nanosleep(&nap, NULL);
	loop_clock_stop(self->loop);
	EXPECT_EQ(stood, loop_now(self->loop));
	loop_clock_set(self->loop, 5);
	loop_clock_start(self->loop);
	EXPECT_LE(5, loop_now(self->loop));
	EXPECT_GT(SEC * 1000, loop_now(self->loop));
}

TEST_F(loop, a_clock_that_goes_cannot_be_set)
{
	loop_clock_set(self->loop, 1ULL << 62);
	EXPECT_GT(1ULL << 62, loop_now(self->loop));
}

TEST_F(loop, a_clock_cannot_be_set_beyond_what_it_can_count)
{
	loop_clock_stop(self->loop);
	EXPECT_EQ(0, loop_clock_set(self->loop, HOUR));
	EXPECT_EQ(-EINVAL, loop_clock_set(self->loop, UINT64_MAX));
	EXPECT_EQ(-EINVAL, loop_clock_set(self->loop, 1ULL << 63));
	EXPECT_EQ(HOUR, loop_now(self->loop));
	EXPECT_EQ(0, loop_clock_set(self->loop, INT64_MAX));
}

/* A saved machine may have run longer than the host that loads it. */
TEST_F(loop, timers_expire_when_the_clock_is_ahead_of_the_hosts)
{
	static const uint64_t ahead[] = { 0, HOUR, 1ULL << 60, 1ULL << 62 };
	struct caller last = { self, 'z' };
	struct loop_timer *timer = loop_timer_new(self->loop, expired, &last);

	for (size_t i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
		loop_clock_stop(self->loop);
		ASSERT_EQ(0, loop_clock_set(self->loop, ahead[i]));
		loop_clock_start(self->loop);
		loop_timer_arm(timer, 0);
		ASSERT_EQ(0, loop_run(self->loop));
		loop_timer_arm(timer, loop_now(self->loop) + 1000000);
		ASSERT_EQ(0, loop_run(self->loop));
	}
	EXPECT_STREQ("zzzzzzzz", self->log);
}

TEST_F(loop, timers_wait_while_the_clock_stands)
{
	struct caller callers[] = { { self, 'a' }, { self, 'z' } };
	struct loop_timer *timer = loop_timer_new(self->loop, expired, callers);

	loop_clock_stop(self->loop);
	loop_timer_arm(timer, 0);
	ASSERT_EQ(0,
		  loop_watch(self->loop, self->pipe[0], readable, &callers[1]));
	ASSERT_EQ(1, write(self->pipe[1], "x", 1));
	EXPECT_EQ(0, loop_run(self->loop));
	EXPECT_STREQ("z", self->log);
	callers[0].letter = 'z';
	loop_clock_start(self->loop);
	EXPECT_EQ(0, loop_run(self->loop));
	EXPECT_STREQ("zz", self->log);
}

TEST_F(loop, stop_before_run_ends_the_run_at_once)
{
	loop_stop(self->loop);
	EXPECT_EQ(0, loop_run(self->loop));
}

TEST_F(loop, loop_can_run_again)
{
	struct caller z = { self, 'z' };
	struct loop_timer *timer = loop_timer_new(self->loop, expired, &z);

	loop_stop(self->loop);
	EXPECT_EQ(0, loop_run(self->loop));
	loop_timer_arm(timer, 0);
	EXPECT_EQ(0, loop_run(self->loop));
	EXPECT_STREQ("z", self->log);
}

TEST_F(loop, timers_expire_in_the_order_of_their_times)
{
	struct caller callers[] = { { self, 'a' },
				    { self, 'b' },
				    { self, 'z' } };
	uint64_t now = loop_now(self->loop);

	for (int i = 0; i < 3; i++)
		self->timers[i] =
			loop_timer_new(self->loop, expired, &callers[i]);
	loop_timer_arm(self->timers[2], now + 3);
	loop_timer_arm(self->timers[0], now + 1);
	loop_timer_arm(self->timers[1], now + 2);
	EXPECT_EQ(0, loop_run(self->loop));
	EXPECT_STREQ("abz", self->log);
}

TEST_F(loop, timer_armed_anew_expires_once)
{
	struct caller callers[] = { { self, 'a' }, { self, 'z' } };
	uint64_t now = loop_now(self->loop);

	for (int i = 0; i < 2; i++)
		self->timers[i] =
			loop_timer_new(self->loop, expired, &callers[i]);
	loop_timer_arm(self->timers[0], now + HOUR);
	loop_timer_arm(self->timers[0], now);
	loop_timer_arm(self->timers[1], now + 1000);
	EXPECT_EQ(0, loop_run(self->loop));
	EXPECT_STREQ("az", self->log);
}

TEST_F(loop, timer_disarmed_does_not_expire)
{
	struct caller callers[] = { { self, 'a' }, { self, 'z' } };

	for (int i = 0; i < 2; i++)
		self->timers[i] =
			loop_timer_new(self->loop, expired, &callers[i]);
	loop_timer_arm(self->timers[0], 0);
	loop_timer_arm(self->timers[1], 1);
	loop_timer_disarm(self->timers[0]);
	loop_timer_disarm(self->timers[0]);
	EXPECT_EQ(0, loop_run(self->loop));
	EXPECT_STREQ("z", self->log);
}

static void rearm(void *opaque)
{
	struct caller *caller = opaque;

	note(caller);
	loop_timer_arm(caller->self->timers[0], 0);
}

TEST_F(loop, timer_armed_for_the_past_again_and_again_starves_nobody)
{
	struct caller a = { self, 'a' }, z = { self, 'z' };

	self->timers[0] = loop_timer_new(self->loop, rearm, &a);
	ASSERT_EQ(0, loop_watch(self->loop, self->pipe[0], readable, &z));
	ASSERT_EQ(1, write(self->pipe[1], "x", 1));
	loop_timer_arm(self->timers[0], 0);
	EXPECT_EQ(0, loop_run(self->loop));
	EXPECT_NE(NULL, strchr(self->log, 'z'));
}

TEST_F(loop, readable_descriptor_is_reported)
{
	struct caller z = { self, 'z' };
	pthread_t writer;

	ASSERT_EQ(0, loop_watch(self->loop, self->pipe[0], readable, &z));
	ASSERT_EQ(0, pthread_create(&writer, NULL, write_byte, &self->pipe[1]));
	EXPECT_EQ(0, loop_run(self->loop));
	pthread_join(writer, NULL);
	EXPECT_STREQ("z", self->log);
}

static void hung_up(void *opaque, int fd)
{
	struct caller *caller = opaque;

	loop_unwatch(caller->self->loop, fd);
	note(caller);
}

TEST_F(loop, hang_up_is_reported)
{
	struct caller z = { self, 'z' };

	ASSERT_EQ(0, loop_watch(self->loop, self->pipe[0], hung_up, &z));
	close(self->pipe[1]);
	self->pipe[1] = -1;
	EXPECT_EQ(0, loop_run(self->loop));
	EXPECT_STREQ("z", self->log);
}

TEST_F(loop, descriptor_no_longer_watched_is_not_reported)
{
	struct caller a = { self, 'a' }, z = { self, 'z' };

	self->timers[0] = loop_timer_new(self->loop, expired, &z);
	ASSERT_EQ(0, loop_watch(self->loop, self->pipe[0], readable, &a));
	ASSERT_EQ(1, write(self->pipe[1], "x", 1));
	loop_unwatch(self->loop, self->pipe[0]);
	loop_unwatch(self->loop, self->pipe[0]);
	loop_timer_arm(self->timers[0], 0);
	EXPECT_EQ(0, loop_run(self->loop));
	EXPECT_STREQ("z", self->log);
}

TEST_F(loop, file_that_epoll_refuses_is_always_ready)
{
	struct caller z = { self, 'z' };
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	ASSERT_EQ(0, loop_watch(self->loop, fd, readable, &z));
	EXPECT_EQ(0, loop_run(self->loop));
	EXPECT_STREQ("z", self->log);
	loop_unwatch(self->loop, fd);
	close(fd);
}

TEST_F(loop, several_always_ready_files_take_turns)
{
	struct caller a = { self, 'a' }, z = { self, 'z' };
	int first = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int second = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	ASSERT_EQ(0, loop_watch(self->loop, second, readable, &z));
	ASSERT_EQ(0, loop_watch(self->loop, first, readable, &a));
	EXPECT_EQ(0, loop_run(self->loop));
	EXPECT_STREQ("az", self->log);
	close(first);
	close(second);
}

TEST_F(loop, descriptor_is_watched_once)
{
	struct caller a = { self, 'a' };

	EXPECT_EQ(0, loop_watch(self->loop, self->pipe[0], readable, &a));
	EXPECT_EQ(-EEXIST, loop_watch(self->loop, self->pipe[0], readable, &a));
	EXPECT_EQ(-EBADF, loop_watch(self->loop, -1, readable, &a));
}

static void *stop(void *opaque)
{
	loop_stop(opaque);
	return NULL;
}

TEST_F(loop, another_thread_stops_it)
{
	pthread_t stopper;

	ASSERT_EQ(0, pthread_create(&stopper, NULL, stop, self->loop));
	EXPECT_EQ(0, loop_run(self->loop));
	pthread_join(stopper, NULL);
}

TEST_HARNESS_MAIN
