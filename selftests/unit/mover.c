// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a machine that moves to another controller: wherever the other side goes away,
 * the machine runs here or it is known there, and never both.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "control/mover.h"
#include "machine/moving.h"
#include "machine_fixture.h"
#include "move/target.h"
#include "virtio/blk.h"

#define PAGE 4096
#define PLACE 0x300000
#define PLACES 64
/* The requests of fw_cfg's DMA, which is a device that writes to memory. */
#define REQUEST 0x200000
#define DEVICE_PLACE 0x201000
#define DMA_LOW 0x518
#define DMA_SELECT_SIGNATURE 0x08
#define DMA_READ 0x02
#define CONFIG "{\"kernel\": \"/image\"}"
#define PATIENCE_MS 600000

/* How far the other side goes, before it closes the connection. */
enum step {
	CLOSES,
	TAKES_OFFER,
	REFUSES,
	ACCEPTS,
	TAKES_MEMORY,
	REFUSES_MEMORY,
	IS_READY,
	TAKES_GO,
	REFUSES_AFTER_GO,
	RUNS,
	WAITS, /* for the other side to go away, after the offer */
};

/**
 * struct target - the other side
 * @fd: its end of the connection
 * @last: how far it goes
 * @ram: takes the memory
 * @image: file that changes when it was sent, or -1
 * @got_go: it was let have the machine
 * @err: of the last call
 */
static struct target {
	int fd;
	enum step last;
	struct ram *ram;
	int image;
	bool got_go;
	int err;
	struct record state;
} target = { .image = -1 };

static struct machine *machine;
static struct mover *mover;
static int event;
static uint32_t downtime_ms = MOVER_DOWNTIME_MS;
static _Atomic int turns;

static int guest_works(struct lodge_run *run)
{
	const int turn = turns++;

	usleep(50);
	if (turn % 4) {
		fake_write(PLACE + turn * 7 % PLACES * PAGE, turn);
		return fake_out(run, 0x80, 1, 0);
	}
	/* A page that nobody but the device writes to, at another place each time. */
	for (int i = 0; i < 16; i++)
		fake_write(
			REQUEST + i,
			((uint32_t[]){ DMA_SELECT_SIGNATURE | DMA_READ, 4, 0,
				       DEVICE_PLACE + turn % PAGE })[i / 4] >>
				(24 - 8 * (i % 4)));
	return fake_out(run, DMA_LOW, 4, htobe32(REQUEST));
}

static int refuse_or_tell(struct move_link *link, enum step refuses,
			  enum move_type type)
{
	if (target.last != refuses)
		return move_tell(link, type);
	move_refuse(link, "it is full");
	return -ECANCELED;
}

static int take(struct move_link *link)
{
	struct move_incoming incoming;
	char why[MOVE_WHY_SIZE];
	int err = move_take_offer(link, &incoming, why);

	move_incoming_free(&incoming);
	if (!err && target.image >= 0)
		err = ftruncate(target.image, 2);
	if (err || target.last == TAKES_OFFER)
		return err;
	if (target.last == WAITS)
		return move_await_go(link);
	err = refuse_or_tell(link, REFUSES, MOVE_ACCEPT);
	if (err || target.last == ACCEPTS)
		return err;
	err = move_take_memory(link, target.ram, &target.state);
	if (err || target.last == TAKES_MEMORY)
		return err;
	err = refuse_or_tell(link, REFUSES_MEMORY, MOVE_READY);
	if (err || target.last == IS_READY)
		return err;
	err = move_await_go(link);
	target.got_go = !err;
	if (err || target.last == TAKES_GO)
		return err;
	return refuse_or_tell(link, REFUSES_AFTER_GO, MOVE_RUNNING);
}

static void *play(void *opaque)
{
	struct move_link link = { .in = target.fd,
				  .out = target.fd,
				  .patience_ms = PATIENCE_MS };

	(void)opaque;
	target.err = target.last == CLOSES ? 0 : take(&link);
	move_link_free(&link);
	close(target.fd);
	return NULL;
}

static int start(void)
{
	int err = machine_new(&machine, &config, &error);

	if (err)
		return err;
	console_open(&console, CONSOLE_FILE, output_path);
	err = machine_start(machine, (struct console *[SERIAL_MAX]){ console },
			    &error);
	while (!err && turns < 20)
		usleep(100);
	return err;
}

static void finish(void)
{
	machine_free(machine);
	console_close(console);
	close(image);
	close(output);
	close(event);
	free(target.state.data);
	ram_free(target.ram);
	devices_forget(&config.devices);
}

static int start_mover(int fd)
{
	const struct mover_config move = {
		.machine = machine,
		.name = "web",
		.config = CONFIG,
		.fd = fd,
		.event = event,
		.downtime_ms = downtime_ms,
	};

	return mover_start(&mover, &move);
}

/* Moves a machine that runs to another side that goes so far. */
static struct mover_progress move_until(struct __test_metadata *_metadata,
					enum step last)
{
	struct pollfd over;
	pthread_t thread;
	struct mover_progress progress;
	int ends[2];

	event = eventfd(0, EFD_CLOEXEC);
	over = (struct pollfd){ .fd = event, .events = POLLIN };
	EXPECT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	target.fd = ends[1];
	target.last = last;
	target.ram = ram_new(MEMORY);
	EXPECT_EQ(0, pthread_create(&thread, NULL, play, NULL));
	EXPECT_EQ(0, start_mover(ends[0]));
	if (last == WAITS)
		mover_cancel(mover);
	EXPECT_EQ(1, poll(&over, 1, PATIENCE_MS));
	progress = mover_progress(mover);
	EXPECT_TRUE(mover_is_over(progress.state));
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

/* A machine that is held does nothing, however long one looks. */
static bool is_held(void)
{
	const int before = turns;

	usleep(20000);
	return turns == before;
}

/* The machine is here, as if nothing had been. */
static void expect_here(struct __test_metadata *_metadata, enum step last)
{
	struct device_error why;

	describe(guest_works, 1);
	ASSERT_EQ(0, start());
	EXPECT_EQ(MOVER_FAILED, move_until(_metadata, last).state);
	EXPECT_TRUE(runs_on());
	EXPECT_EQ(0, fake.logs);
	/* Nothing is left that would keep it from other calls. */
	ASSERT_EQ(0, machine_pause(machine));
	EXPECT_EQ(0, machine_checkpoint(machine, &why));
	EXPECT_EQ(0, machine_resume(machine));
	finish();
}

TEST(a_connection_that_is_closed_at_once_leaves_it_here)
{
	expect_here(_metadata, CLOSES);
}

TEST(a_connection_that_is_closed_after_the_offer_leaves_it_here)
{
	expect_here(_metadata, TAKES_OFFER);
}

TEST(a_connection_that_is_closed_while_memory_is_sent_leaves_it_here)
{
	expect_here(_metadata, ACCEPTS);
}

TEST(a_connection_that_is_closed_when_all_is_sent_leaves_it_here)
{
	expect_here(_metadata, TAKES_MEMORY);
}

TEST(a_side_that_refuses_leaves_it_here)
{
	expect_here(_metadata, REFUSES);
}

TEST(a_side_that_refuses_what_has_come_leaves_it_here)
{
	expect_here(_metadata, REFUSES_MEMORY);
}

TEST(a_side_that_was_let_have_it_and_cannot_start_it_leaves_it_here)
{
	expect_here(_metadata, REFUSES_AFTER_GO);
	EXPECT_TRUE(target.got_go);
}

TEST(a_move_that_is_cancelled_leaves_it_here)
{
	expect_here(_metadata, WAITS);
}

TEST(a_refusal_is_told)
{
	describe(guest_works, 1);
	ASSERT_EQ(0, start());
	EXPECT_STREQ("the other side refuses it: it is full",
		     move_until(_metadata, REFUSES).why);
	finish();
}

/* What nobody knows is left to the user, and is held meanwhile. */
TEST(a_side_that_goes_away_before_its_last_word_leaves_it_held)
{
	struct mover_progress progress;

	describe(guest_works, 1);
	ASSERT_EQ(0, start());
	progress = move_until(_metadata, TAKES_GO);
	EXPECT_EQ(MOVER_UNDECIDED, progress.state);
	EXPECT_NE(NULL, strstr(progress.why, "not known"));
	EXPECT_TRUE(target.got_go);
	EXPECT_TRUE(is_held());
	ASSERT_EQ(0, machine_resume(machine));
	EXPECT_TRUE(runs_on());
	EXPECT_EQ(0, fake.logs);
	finish();
}

/* Whether the word to start has left this side decides, and not whether it was read. */
TEST(a_side_that_goes_away_when_it_is_ready_has_not_got_it)
{
	struct mover_progress progress;

	describe(guest_works, 1);
	ASSERT_EQ(0, start());
	progress = move_until(_metadata, IS_READY);
	EXPECT_FALSE(target.got_go);
	EXPECT_NE(MOVER_MOVED, progress.state);
	EXPECT_EQ(progress.state == MOVER_UNDECIDED, is_held());
	finish();
}

TEST(memory_is_there_as_it_was_when_the_machine_was_held)
{
	struct mover_progress progress;

	describe(guest_works, 1);
	ASSERT_EQ(0, start());
	progress = move_until(_metadata, RUNS);
	EXPECT_EQ(MOVER_MOVED, progress.state);
	EXPECT_STREQ("", progress.why);
	EXPECT_EQ(0, target.err);
	EXPECT_TRUE(is_held());
	EXPECT_EQ(0, memcmp(ram_at(target.ram, 0, MEMORY), fake_memory(0),
			    MEMORY));
	EXPECT_EQ(0, memcmp("QEMU", fake_memory(DEVICE_PLACE), 4));
	EXPECT_LE(MEMORY / PAGE, progress.copied);
	/* The state that has come is one that this machine can have. */
	EXPECT_EQ(0, machine_load_state(machine, &target.state));
	machine_leave(machine);
	ASSERT_EQ(0, machine_wait(machine, &end, &error));
	EXPECT_EQ(MACHINE_MIGRATED, end.fate);
	finish();
}

TEST(a_guest_that_writes_all_the_time_is_slowed_and_moves)
{
	struct mover_progress progress;

	downtime_ms = 0;
	fake.rewritten = 0xff;
	describe(guest_works, 1);
	ASSERT_EQ(0, start());
	progress = move_until(_metadata, RUNS);
	EXPECT_EQ(MOVER_MOVED, progress.state);
	EXPECT_EQ(30, progress.round);
	EXPECT_LT(0, progress.slowed);
	EXPECT_LT(0, fake.holds);
	EXPECT_EQ(0, fake.held);
	EXPECT_EQ(0, memcmp(ram_at(target.ram, 0, MEMORY), fake_memory(0),
			    MEMORY));
	finish();
}

TEST(a_guest_that_writes_little_is_not_slowed)
{
	struct mover_progress progress;

	downtime_ms = 60000;
	describe(guest_works, 1);
	ASSERT_EQ(0, start());
	progress = move_until(_metadata, RUNS);
	EXPECT_EQ(MOVER_MOVED, progress.state);
	EXPECT_EQ(0, progress.slowed);
	EXPECT_EQ(0, fake.holds);
	finish();
}

TEST(a_machine_that_ends_while_it_moves_has_ended)
{
	struct mover_progress progress;

	describe(guest_works, 1);
	ASSERT_EQ(0, start());
	machine_end(machine);
	progress = move_until(_metadata, RUNS);
	EXPECT_EQ(MOVER_FAILED, progress.state);
	EXPECT_STREQ("the machine has ended", progress.why);
	EXPECT_FALSE(target.got_go);
	ASSERT_EQ(0, machine_wait(machine, &end, &error));
	EXPECT_EQ(MACHINE_QUIT, end.fate);
	finish();
}

TEST(a_machine_with_a_checkpoint_stays)
{
	struct mover_progress progress;
	struct device_error why;

	describe(guest_works, 1);
	ASSERT_EQ(0, start());
	ASSERT_EQ(0, machine_pause(machine));
	ASSERT_EQ(0, machine_checkpoint(machine, &why));
	ASSERT_EQ(0, machine_resume(machine));
	progress = move_until(_metadata, RUNS);
	EXPECT_EQ(MOVER_FAILED, progress.state);
	EXPECT_NE(NULL, strstr(progress.why, "lodge checkpoint --drop"));
	EXPECT_TRUE(runs_on());
	finish();
}

/* What has come may be a mixture, of which a reset would start the guest. */
TEST(a_machine_whose_image_changes_while_it_is_sent_stays)
{
	struct mover_progress progress;

	describe(guest_works, 1);
	ASSERT_EQ(0, start());
	target.image = image;
	progress = move_until(_metadata, RUNS);
	ASSERT_EQ(MOVER_FAILED, progress.state);
	EXPECT_NE(NULL, strstr(progress.why, "has changed"));
	EXPECT_FALSE(target.got_go);
	EXPECT_TRUE(runs_on());
	finish();
}

/* Return: whether a machine with such a disk has moved. */
static bool moves_with_disk(struct __test_metadata *_metadata, bool read_only)
{
	static const char sectors[4096];
	char path[MEMFILE_PATH_SIZE];
	int disk = memfile(sectors, sizeof(sectors), path);
	struct device_value *values;
	struct mover_progress progress;

	describe(guest_works, 1);
	values = devices_want(&config.devices, &virtio_blk_device);
	devices_set_text(&values[0], path);
	devices_set_number(&values[1], read_only);
	EXPECT_EQ(0, start());
	progress = move_until(_metadata, RUNS);
	if (progress.state != MOVER_MOVED)
		EXPECT_NE(NULL,
			  strstr(progress.why, "virtio-blk 0 cannot move"));
	close(disk);
	finish();
	return progress.state == MOVER_MOVED;
}

TEST(a_machine_that_writes_to_a_disk_stays)
{
	EXPECT_FALSE(moves_with_disk(_metadata, false));
}

TEST(a_machine_that_only_reads_a_disk_moves)
{
	EXPECT_TRUE(moves_with_disk(_metadata, true));
}

static int guest_tells(struct lodge_run *run)
{
	return fake_out(run, DEBUG_EXIT, 1, *(uint8_t *)fake_memory(PLACE));
}

/* As the other side does: with the state of the offer first, and the last one then. */
TEST(a_machine_is_built_before_its_memory_comes)
{
	const struct machine_image images[] = {
		{ .path = image_path, .size = 1 },
	};
	struct record state = { 0 };
	const struct machine_saved saved = {
		.state = &state,
		.images = images,
		.nr_images = 1,
		.comes_later = true,
	};
	struct machine_saved here = saved;

	describe(guest_tells, 1);
	here.fd = image;
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	ASSERT_EQ(0, machine_save_state(machine, &state));
	machine_free(machine);
	config.saved = &here;
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	/* Not even the image from which it would start is there. */
	EXPECT_EQ(0, *(uint8_t *)fake_memory(FLAT_ADDRESS));
	*(uint8_t *)ram_at(moving_ram(machine), PLACE, 1) = 0x21;
	ASSERT_EQ(0, machine_load_state(machine, &state));
	console_open(&console, CONSOLE_FILE, output_path);
	ASSERT_EQ(0, machine_start(machine,
				   (struct console *[SERIAL_MAX]){ console },
				   &error));
	ASSERT_EQ(0, machine_wait(machine, &end, &error));
	EXPECT_EQ(MACHINE_EXITED, end.fate);
	EXPECT_EQ(2 * 0x21 + 1, end.code);
	free(state.data);
	finish();
}

TEST_HARNESS_MAIN
