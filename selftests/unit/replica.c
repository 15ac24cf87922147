// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a machine that is replicated: it runs on here whatever the other side does, which
 * has one moment of it, and is told when that is worth nothing any more.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "control/mover.h"
#include "machine/moving.h"
#include "machine_fixture.h"
#include "move/standby.h"
#include "move/target.h"

/* The guest writes to both the same, one behind the other. */
#define PLACE 0x300000
#define OTHER_PLACE 0x340000
#define CONFIG "{\"kernel\": \"/image\"}"
#define PATIENCE_MS 600000
#define EVERY_MS MOVE_EVERY_MIN
#define ENOUGH 5

/* What the other side does when it has enough increments. */
enum then {
	CLOSES,
	REFUSES,
	WAITS, /* and takes no more, until it is told to go on */
	GOES_ON,
};

/**
 * struct target - the other side
 * @fd: its end of the connection
 * @then: see there
 * @number: of the last increment
 * @torn: one was of no single moment
 * @err: how it has ended
 */
static struct target {
	int fd;
	_Atomic enum then then;
	_Atomic uint64_t number;
	bool torn;
	int err;
	char why[MOVE_WHY_SIZE];
	struct record state;
} target;

static struct machine *machine;
static struct mover *mover;
static pthread_t thread;
static int event;
static _Atomic int turns;

static int guest_works(struct lodge_run *run)
{
	const int turn = turns++;

	fake_write(PLACE, turn);
	usleep(50);
	fake_write(OTHER_PLACE, turn);
	return fake_out(run, 0x80, 1, 0);
}

static void look(struct ram *ram)
{
	const uint8_t *one = ram_at(ram, PLACE, 1);
	const uint8_t *other = ram_at(ram, OTHER_PLACE, 1);

	target.torn |= *one != *other;
}

static int take_increments(struct move_link *link, struct ram *ram)
{
	struct move_standby *standby = move_standby_new(ram);
	uint32_t every_ms;
	int err = standby ? move_standby_begin(link, &every_ms) : -ENOMEM;

	while (!err) {
		err = move_standby_take(link, standby, target.why);
		if (err)
			break;
		look(ram);
		target.number = move_standby_number(standby);
		if (target.number == ENOUGH && target.then == REFUSES)
			move_refuse(link, "it is full");
		if (target.number == ENOUGH && target.then <= REFUSES)
			break;
		while (target.number == ENOUGH && target.then == WAITS)
			usleep(1000);
	}
	if (standby && target.number)
		record_append(&target.state, move_standby_state(standby)->data,
			      move_standby_state(standby)->size);
	move_standby_free(standby);
	return err;
}

static int take(struct move_link *link)
{
	struct move_incoming incoming;
	struct ram *ram = ram_new(MEMORY);
	char why[MOVE_WHY_SIZE];
	int err = move_take_offer(link, &incoming, why);

	move_incoming_free(&incoming);
	if (!err)
		err = move_tell(link, MOVE_ACCEPT);
	if (!err)
		err = take_increments(link, ram);
	ram_free(ram);
	return err;
}

static void *play(void *opaque)
{
	struct move_link link = { .in = target.fd,
				  .out = target.fd,
				  .patience_ms = PATIENCE_MS };

	(void)opaque;
	target.err = take(&link);
	move_link_free(&link);
	close(target.fd);
	return NULL;
}

FIXTURE(replica){};

FIXTURE_SETUP(replica)
{
	describe(guest_works, 1);
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	console_open(&console, CONSOLE_FILE, output_path);
	ASSERT_EQ(0, machine_start(machine,
				   (struct console *[SERIAL_MAX]){ console },
				   &error));
	event = eventfd(0, EFD_CLOEXEC);
}

FIXTURE_TEARDOWN(replica)
{
	machine_free(machine);
	console_close(console);
	close(image);
	close(output);
	close(event);
	free(target.state.data);
	devices_forget(&config.devices);
}

/* Begins to replicate it to a side that does so. */
static void begin(struct __test_metadata *_metadata, enum then then)
{
	struct mover_config move = {
		.machine = machine,
		.name = "web",
		.config = CONFIG,
		.event = event,
		.every_ms = EVERY_MS,
	};
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	target.fd = ends[1];
	target.then = then;
	move.fd = ends[0];
	ASSERT_EQ(0, pthread_create(&thread, NULL, play, NULL));
	ASSERT_EQ(0, mover_start(&mover, &move));
}

static bool has(uint64_t number)
{
	for (int i = 0; i < PATIENCE_MS && target.number < number; i++)
		usleep(1000);
	return target.number >= number;
}

static struct mover_progress await_end(struct __test_metadata *_metadata)
{
	struct pollfd over = { .fd = event, .events = POLLIN };
	struct mover_progress progress;

	EXPECT_EQ(1, poll(&over, 1, PATIENCE_MS));
	progress = mover_progress(mover);
	mover_finish(mover);
	pthread_join(thread, NULL);
	return progress;
}

static bool runs_on(void)
{
	const int before = turns;

	for (int i = 0; i < 10 * PATIENCE_MS && turns < before + 3; i++)
		usleep(100);
	return turns >= before + 3;
}

/* Return: how far it is, with an increment in which the guest has come to write. */
static struct mover_progress progress_with_pages(void)
{
	struct mover_progress progress = mover_progress(mover);

	for (int i = 0; i < PATIENCE_MS && !progress.increment.pages; i++) {
		usleep(1000);
		progress = mover_progress(mover);
	}
	return progress;
}

TEST_F(replica, each_increment_is_of_one_moment)
{
	struct mover_progress progress;

	begin(_metadata, GOES_ON);
	ASSERT_TRUE(has(4 * ENOUGH));
	EXPECT_TRUE(runs_on());
	progress = progress_with_pages();
	EXPECT_EQ(MOVER_REPLICATES, progress.state);
	EXPECT_LE(4 * ENOUGH - 1, progress.increment.number);
	/* The guest writes to two pages, and not to all of them each time. */
	EXPECT_LE(1, progress.increment.pages);
	EXPECT_GT(100, progress.increment.pages);
	EXPECT_LT(0, progress.increment.bytes);
	mover_cancel(mover);
	await_end(_metadata);
	EXPECT_FALSE(target.torn);
	ASSERT_EQ(0, machine_pause(machine));
	EXPECT_EQ(0, machine_load_state(machine, &target.state));
}

TEST_F(replica, a_side_that_goes_away_leaves_it_here)
{
	struct mover_progress progress;

	begin(_metadata, CLOSES);
	progress = await_end(_metadata);
	EXPECT_EQ(MOVER_FAILED, progress.state);
	EXPECT_LE(ENOUGH - 1, progress.increment.number);
	EXPECT_NE(NULL, strstr(progress.why, "the connection was closed"));
	EXPECT_TRUE(runs_on());
	EXPECT_EQ(0, fake.logs);
}

TEST_F(replica, a_side_that_gives_up_says_why)
{
	begin(_metadata, REFUSES);
	EXPECT_STREQ("the other side gives up: it is full",
		     await_end(_metadata).why);
	EXPECT_TRUE(runs_on());
}

/* Neither by its word nor by its silence does the other side hold the machine. */
TEST_F(replica, a_side_that_is_silent_does_not_hold_it)
{
	begin(_metadata, WAITS);
	ASSERT_TRUE(has(ENOUGH));
	for (int i = 0; i < 10; i++) {
		usleep(5000);
		EXPECT_TRUE(runs_on());
	}
	target.then = GOES_ON;
	EXPECT_TRUE(has(2 * ENOUGH));
	mover_cancel(mover);
	await_end(_metadata);
}

/* Otherwise it would take the silence for this side's death. */
TEST_F(replica, the_other_side_is_told_of_an_end_in_order)
{
	struct mover_progress progress;

	begin(_metadata, GOES_ON);
	ASSERT_TRUE(has(1));
	mover_cancel(mover);
	progress = await_end(_metadata);
	EXPECT_EQ(MOVER_FAILED, progress.state);
	EXPECT_EQ(-ESHUTDOWN, target.err);
	EXPECT_STREQ("it is replicated no more", target.why);
	EXPECT_TRUE(runs_on());
	EXPECT_EQ(0, fake.logs);
}

TEST_F(replica, the_other_side_is_told_of_the_end_of_the_machine)
{
	begin(_metadata, GOES_ON);
	ASSERT_TRUE(has(1));
	machine_end(machine);
	EXPECT_STREQ("the machine has ended", await_end(_metadata).why);
	EXPECT_EQ(-ESHUTDOWN, target.err);
	EXPECT_STREQ("the machine has ended", target.why);
}

/* As the machine's owner does when it ends. */
TEST_F(replica, it_is_told_also_by_who_waits_for_the_end)
{
	begin(_metadata, GOES_ON);
	ASSERT_TRUE(has(1));
	mover_finish(mover);
	pthread_join(thread, NULL);
	EXPECT_EQ(-ESHUTDOWN, target.err);
}

TEST_HARNESS_MAIN
