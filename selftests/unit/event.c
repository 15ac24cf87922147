// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of pending NMIs, which threads send while the owner delivers them: none is
 * lost, none is delivered twice, and all that arrive in the handler are one.
 */
#include <pthread.h>
#include <sched.h>

#include "fake_delivery.h"
#include "interleave.h"

#include "kselftest_harness.h"

#define SENDERS 2
#define PAIRS 100000

FIXTURE(nmis)
{
	struct lodge_delivery *delivery;
	/* Numbers of NMIs that the guest has begun to handle, and has finished. */
	u32 handled;
	u32 done;
};

FIXTURE_SETUP(nmis)
{
	self->handled = 0;
	self->done = 0;
	self->delivery = fake_delivery_new();
}

FIXTURE_TEARDOWN(nmis)
{
}

/*
 * Does what the run loop does around an entry, in a row of them where no window is
 * waited for.  A guest that begins an NMI's handler
 * stays in it until the next entry, and returns from it then.
 */
static void enter(FIXTURE_DATA(nmis) * self)
{
	const struct lodge_event none = { .type = LODGE_EVENT_NONE };
	bool opens = fake.wanted & LODGE_BLOCK_NMI && !fake.interruptibility;

	if (!fake.wanted && !fake.delivery.exit_at_once) {
		if (test_bit(LODGE_REQ_EVENT, &fake.requests) &&
		    !lodge_event_deliver_quick(self->delivery) &&
		    test_and_clear_bit(LODGE_REQ_EVENT, &fake.requests))
			lodge_event_deliver(self->delivery);
	} else if (test_and_clear_bit(LODGE_REQ_EVENT, &fake.requests) ||
		   opens) {
		lodge_event_deliver(self->delivery);
	}
	if (fake.injected.type == LODGE_EVENT_NMI) {
		fake.injected.type = LODGE_EVENT_NONE;
		fake.interruptibility = LODGE_EVENT_NMI_BLOCKED;
		self->handled++;
	} else if (fake.interruptibility) {
		fake.interruptibility = 0;
		__atomic_store_n(&self->done, self->handled, __ATOMIC_RELEASE);
	}
	lodge_event_delivered(self->delivery, &none);
}

/* Enters until no NMI is pending. */
static void settle(FIXTURE_DATA(nmis) * self)
{
	for (int i = 0; i < 10; i++)
		enter(self);
}

TEST_F(nmis, one_and_another_one_behind_it_are_two)
{
	lodge_event_nmi(self->delivery);
	settle(self);
	EXPECT_EQ(1U, self->handled);
	lodge_event_nmi(self->delivery);
	lodge_event_nmi(self->delivery);
	settle(self);
	EXPECT_EQ(3U, self->handled);
}

TEST_F(nmis, any_number_before_the_handler_is_two)
{
	for (int i = 0; i < 5; i++)
		lodge_event_nmi(self->delivery);
	settle(self);
	EXPECT_EQ(2U, self->handled);
}

TEST_F(nmis, any_number_in_the_handler_is_one)
{
	lodge_event_nmi(self->delivery);
	enter(self);
	ASSERT_EQ(1U, self->handled);
	for (int i = 0; i < 5; i++)
		lodge_event_nmi(self->delivery);
	settle(self);
	EXPECT_EQ(2U, self->handled);
}

/* For the functions that are called in the middle of others. */
static FIXTURE_DATA(nmis) * nmis;

static void one_is_sent(void)
{
	lodge_event_nmi(nmis->delivery);
}

static void the_guest_is_entered(void)
{
	enter(nmis);
}

static void all_is_handled(void)
{
	settle(nmis);
}

/*
 * Calls @inner at each point of @outer in turn, with @before NMIs sent before.
 *
 * Return: true if the guest has handled two each time.
 */
static bool two_are_handled(FIXTURE_DATA(nmis) * self, unsigned int before,
			    void (*outer)(void), void (*inner)(void))
{
	unsigned int at;

	nmis = self;
	for (at = 0;; at++) {
		self->handled = 0;
		for (unsigned int i = 0; i < before; i++)
			one_is_sent();
		interleave.at = at;
		interleave.happens = inner;
		outer();
		/* There is no such point. */
		if (interleave.happens)
			break;
		settle(self);
		if (self->handled != 2) {
			printf("# %u are, at point %u\n", self->handled, at);
			return false;
		}
	}
	interleave.happens = NULL;
	settle(self);
	return at > 0;
}

TEST_F(nmis, may_be_sent_while_another_one_is)
{
	EXPECT_TRUE(two_are_handled(self, 0, one_is_sent, one_is_sent));
}

TEST_F(nmis, may_be_sent_while_another_one_is_taken)
{
	EXPECT_TRUE(
		two_are_handled(self, 1, the_guest_is_entered, one_is_sent));
	EXPECT_TRUE(two_are_handled(self, 1, all_is_handled, one_is_sent));
}

TEST_F(nmis, may_be_taken_while_another_one_is_sent)
{
	EXPECT_TRUE(
		two_are_handled(self, 1, one_is_sent, the_guest_is_entered));
	EXPECT_TRUE(two_are_handled(self, 1, one_is_sent, all_is_handled));
}

/* One of two senders.  It sends again when the guest has handled the NMIs of both. */
struct sender {
	FIXTURE_DATA(nmis) * test;
	pthread_t thread;
};

/* A thread yields at every eleventh access, and so over time at each of them. */
static void give_way(void)
{
	sched_yield();
	interleave.at = 10;
	interleave.happens = give_way;
}

static void *sender_thread(void *argument)
{
	struct sender *sender = argument;
	const u32 *done = &sender->test->done;

	give_way();
	for (u32 i = 0; i < PAIRS; i++) {
		while (__atomic_load_n(done, __ATOMIC_ACQUIRE) < SENDERS * i)
			sched_yield();
		lodge_event_nmi(sender->test->delivery);
	}
	return NULL;
}

/* After so many entries without an NMI, the NMI that was sent is lost. */
#define LOST 100000000

TEST_F(nmis, of_two_senders_are_neither_lost_nor_added)
{
	struct sender sender[SENDERS];
	unsigned int idle = 0;
	u32 handled = 0;

	for (int i = 0; i < SENDERS; i++) {
		sender[i].test = self;
		ASSERT_EQ(0, pthread_create(&sender[i].thread, NULL,
					    sender_thread, &sender[i]));
	}
	give_way();
	while (handled < SENDERS * PAIRS && idle++ < LOST) {
		enter(self);
		if (self->handled == handled)
			continue;
		handled = self->handled;
		idle = 0;
	}
	ASSERT_EQ(SENDERS * PAIRS, handled);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(sender[i].thread, NULL);
	settle(self);
	EXPECT_EQ(SENDERS * PAIRS, self->handled);
}

/* ------------------------------------------------------------------ in a row */

static void a_reset_is_sent(void)
{
	lodge_event_init(nmis->delivery);
}

static void a_pin_is_raised(void)
{
	lodge_event_extint(nmis->delivery, 0x20);
}

/* A latch that is set at any point of a row is not lost, and is taken once. */
static bool one_is_taken(FIXTURE_DATA(nmis) * self, void (*inner)(void),
			 bool (*is_taken)(void))
{
	for (unsigned int at = 0;; at++) {
		self->delivery = fake_delivery_new();
		fake.regs.general.rflags |= X86_EFLAGS_IF;
		nmis = self;
		set_bit(LODGE_REQ_EVENT, &fake.requests);
		interleave.at = at;
		interleave.happens = inner;
		enter(self);
		if (interleave.happens) {
			interleave.happens = NULL;
			return at > 0;
		}
		settle(self);
		if (!is_taken()) {
			printf("# it is not, at point %u\n", at);
			return false;
		}
	}
}

static bool is_reset(void)
{
	return fake.resets == 1;
}

static bool is_acknowledged(void)
{
	return local64_read(&fake.stats.interrupts) == 1 &&
	       !lodge_event_has_extint(&fake.delivery);
}

TEST_F(nmis, resets_and_pins_may_be_raised_in_a_row)
{
	EXPECT_TRUE(one_is_taken(self, a_reset_is_sent, is_reset));
	EXPECT_TRUE(one_is_taken(self, a_pin_is_raised, is_acknowledged));
}

TEST_HARNESS_MAIN
