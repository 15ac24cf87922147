// SPDX-License-Identifier: GPL-2.0
/*
 * Compares the local APIC with models of the manual's rules for priorities and
 * registers, over thousands of random states.  Also tests senders that interrupt the
 * owner at any point.  lapic_messages.c tests messages.
 *
 * Intel SDM vol. 3, chapter 10.
 */
#include <pthread.h>
#include <sched.h>

#include "fake_apic.h"
#include "interleave.h"

#include "kselftest_harness.h"

#define VECTORS 256
#define X2APIC_MSR(offset) (0x800 + ((offset) >> 4))

/* ------------------------------------------------------------------ priorities */

/* A model of sections 10.8.3 to 10.8.5, with an entry for each vector. */
struct model {
	bool irr[VECTORS];
	bool isr[VECTORS];
	bool level[VECTORS];
	bool ended[VECTORS];
	u8 tpr;
};

static int model_highest(const bool set[VECTORS])
{
	for (int vector = VECTORS - 1; vector >= 0; vector--)
		if (set[vector])
			return vector;
	return -1;
}

static u8 model_service_class(const struct model *model)
{
	int vector = model_highest(model->isr);

	return vector < 0 ? 0 : vector / 16;
}

static u8 model_ppr(const struct model *model)
{
	u8 class = model_service_class(model);

	return model->tpr / 16 >= class ? model->tpr : 16 * class;
}

static int model_pending(const struct model *model)
{
	int vector = model_highest(model->irr);

	return vector >= 0 && vector / 16 > model_ppr(model) / 16 ? vector : -1;
}

static bool model_waits_for_tpr(const struct model *model)
{
	int vector = model_highest(model->irr);

	return vector >= 0 && vector / 16 <= model->tpr / 16 &&
	       vector / 16 > model_service_class(model);
}

static void model_end(struct model *model)
{
	int vector = model_highest(model->isr);

	if (vector < 0)
		return;
	model->isr[vector] = false;
	if (model->level[vector])
		model->ended[vector] = true;
}

static bool same_bits(struct lodge_apic *apic, u32 offset,
		      const bool set[VECTORS])
{
	for (int vector = 0; vector < VECTORS; vector++) {
		u32 word = fake_read(apic, offset + 16 * (vector / 32));

		if ((word >> vector % 32 & 1) != set[vector])
			return false;
	}
	return true;
}

FIXTURE(apic)
{
	struct lodge_apic *apic;
	struct fake_cpu *cpu;
	struct model model;
};

FIXTURE_SETUP(apic)
{
	fake_seed = 1;
	fake_apics_reset();
	memset(&self->model, 0, sizeof(self->model));
	self->apic = fake_apic_new(false);
	self->cpu = &fake.cpu[0];
	fake_apic_enable(self->apic);
	self->cpu->requests = 0;
}

FIXTURE_TEARDOWN(apic)
{
	interleave.happens = NULL;
}

static void send(struct lodge_apic *apic, u8 vector, bool level)
{
	struct lodge_irq irq = { .destination = apic->id,
				 .vector = vector,
				 .mode = APIC_DM_FIXED,
				 .level = level };

	lodge_irq_send(apic->bus, NULL, &irq);
}

/* Acts as the owner, which takes the pending interrupt if it has a request. */
static int take(struct fake_cpu *cpu)
{
	int vector = -1;

	if (test_and_clear_bit(LODGE_REQ_EVENT, &cpu->requests)) {
		vector = lodge_lapic_pending(&cpu->apic);
		if (vector >= 0)
			lodge_lapic_acknowledge(&cpu->apic, vector);
	}
	return vector;
}

static void step_message(FIXTURE_DATA(apic) * self)
{
	u8 vector = fake_random(VECTORS);
	bool level = fake_random(2);

	send(self->apic, vector, level);
	if (vector < 16)
		return;
	self->model.irr[vector] = true;
	self->model.level[vector] = level;
}

static void step_take(FIXTURE_DATA(apic) * self)
{
	int vector = model_pending(&self->model);

	if (take(self->cpu) != vector)
		self->model.tpr = ~self->model.tpr;
	if (vector < 0)
		return;
	self->model.irr[vector] = false;
	self->model.isr[vector] = true;
}

static void step_tpr(FIXTURE_DATA(apic) * self)
{
	self->model.tpr = fake_random(VECTORS);
	fake_write(self->apic, APIC_TASKPRI, self->model.tpr);
}

/* CR8 is bits 7:4 of TPR; a write of the same value also keeps bits 3:0. */
static void step_cr8(FIXTURE_DATA(apic) * self)
{
	u8 cr8 = fake_random(16);

	lodge_lapic_set_cr8(self->apic, cr8);
	if (cr8 != self->model.tpr / 16)
		self->model.tpr = cr8 * 16;
}

static void step_eoi(FIXTURE_DATA(apic) * self)
{
	fake_write(self->apic, APIC_EOI, 0);
	model_end(&self->model);
}

static void step_take_eoi(FIXTURE_DATA(apic) * self)
{
	int vector = model_highest(self->model.ended);
	int told = -1;

	if (test_and_clear_bit(LODGE_REQ_EOI, &self->cpu->requests))
		told = lodge_lapic_take_eoi(self->apic);
	if (told != vector)
		self->model.tpr = ~self->model.tpr;
	if (vector >= 0)
		self->model.ended[vector] = false;
}

TEST_F(apic, has_the_priorities_of_the_model)
{
	static void (*const steps[])(FIXTURE_DATA(apic) * self) = {
		step_message, step_message, step_message,  step_take, step_take,
		step_tpr,     step_cr8,	    step_take_eoi, step_eoi,  step_eoi,
	};

	for (int i = 0; i < 30000; i++) {
		u32 window = 0;
		int pending;

		steps[fake_random(ARRAY_SIZE(steps))](self);
		ASSERT_TRUE(same_bits(self->apic, APIC_IRR, self->model.irr));
		ASSERT_TRUE(same_bits(self->apic, APIC_ISR, self->model.isr));
		ASSERT_TRUE(same_bits(self->apic, APIC_TMR, self->model.level));
		ASSERT_EQ(self->model.tpr, fake_read(self->apic, APIC_TASKPRI));
		ASSERT_EQ(model_ppr(&self->model),
			  fake_read(self->apic, APIC_PROCPRI));
		pending = model_pending(&self->model);
		ASSERT_EQ(pending, lodge_lapic_pending(self->apic));
		if (pending >= 0)
			window = LODGE_BLOCK_INTERRUPT;
		else if (model_waits_for_tpr(&self->model))
			window = LODGE_BLOCK_PRIORITY;
		ASSERT_EQ(window, lodge_lapic_window(self->apic));
		/* The owner must have a request if there is an interrupt to take. */
		if (pending >= 0)
			ASSERT_TRUE(test_bit(LODGE_REQ_EVENT,
					     &self->cpu->requests));
	}
}

/*
 * The guest may lower its CR8 without an exit: the window for that must be there.
 */
TEST_F(apic, an_end_of_interrupt_has_what_waits_for_a_lower_priority_looked_at)
{
	send(self->apic, 0x61, false);
	ASSERT_EQ(0x61, take(self->cpu));
	send(self->apic, 0x51, false);
	ASSERT_EQ(-1, take(self->cpu));
	lodge_lapic_set_cr8(self->apic, 6);
	clear_bit(LODGE_REQ_EVENT, &self->cpu->requests);
	fake_write(self->apic, APIC_EOI, 0);
	EXPECT_EQ(LODGE_BLOCK_PRIORITY, lodge_lapic_window(self->apic));
	EXPECT_TRUE(test_bit(LODGE_REQ_EVENT, &self->cpu->requests));
}

TEST_F(apic, holds_no_vector_of_an_exception)
{
	for (int vector = 0; vector < VECTORS; vector++) {
		send(self->apic, vector, false);
		EXPECT_EQ(vector < 16 ? -1 : vector,
			  lodge_lapic_pending(self->apic));
	}
	fake_write(self->apic, APIC_ESR, 0);
	EXPECT_EQ(APIC_ESR_RECVILL, fake_read(self->apic, APIC_ESR));
}

TEST_F(apic, takes_no_vector_until_software_has_enabled_it)
{
	fake_write(self->apic, APIC_SPIV, 0xff);
	send(self->apic, 0x50, false);
	EXPECT_EQ(0U, fake_read(self->apic, APIC_IRR + 0x20));
	fake_apic_enable(self->apic);
	send(self->apic, 0x50, false);
	EXPECT_EQ(0x50, lodge_lapic_pending(self->apic));
}

TEST_F(apic, masks_its_local_vectors_while_software_has_disabled_it)
{
	for (u32 lvt = APIC_LVTT; lvt <= APIC_LVTERR; lvt += 16)
		fake_write(self->apic, lvt, 0x40);
	fake_write(self->apic, APIC_SPIV, 0xff);
	for (u32 lvt = APIC_LVTT; lvt <= APIC_LVTERR; lvt += 16) {
		EXPECT_EQ(APIC_LVT_MASKED | 0x40, fake_read(self->apic, lvt));
		fake_write(self->apic, lvt, 0x41);
		EXPECT_EQ(APIC_LVT_MASKED | 0x41, fake_read(self->apic, lvt));
	}
}

/* ------------------------------------------------------------------- registers */

/* Table 10-6: the registers for RDMSR and WRMSR, and their writable bits. */
static const struct {
	u16 first;
	u16 last;
	bool read;
	bool write;
	u64 bits;
} x2apic_registers[] = {
	{ 0x802, 0x803, true, false, 0 },
	{ 0x808, 0x808, true, true, 0xff },
	{ 0x80a, 0x80a, true, false, 0 },
	{ 0x80b, 0x80b, false, true, 0 },
	{ 0x80d, 0x80d, true, false, 0 },
	{ 0x80f, 0x80f, true, true, 0x3ff },
	{ 0x810, 0x827, true, false, 0 },
	{ 0x828, 0x828, true, true, 0 },
	/* Processors do not check bit 12, xAPIC's delivery status. */
	{ 0x830, 0x830, true, true, 0xffffffff000cdfff },
	{ 0x832, 0x832, true, true, 0x000710ff },
	{ 0x833, 0x834, true, true, 0x000117ff },
	{ 0x835, 0x836, true, true, 0x0001f7ff },
	{ 0x837, 0x837, true, true, 0x000110ff },
	{ 0x838, 0x838, true, true, 0xffffffff },
	{ 0x839, 0x839, true, false, 0 },
	{ 0x83e, 0x83e, true, true, 0xb },
	{ 0x83f, 0x83f, false, true, 0xff },
};

TEST_F(apic, has_the_registers_of_x2apic_and_their_bits)
{
	fake_apic_x2apic(self->apic);
	for (u32 msr = 0x800; msr < 0x900; msr++) {
		bool read = false, write = false;
		u64 bits = 0, value;

		for (size_t i = 0; i < ARRAY_SIZE(x2apic_registers); i++) {
			if (msr < x2apic_registers[i].first ||
			    msr > x2apic_registers[i].last)
				continue;
			read = x2apic_registers[i].read;
			write = x2apic_registers[i].write;
			bits = x2apic_registers[i].bits;
		}
		EXPECT_EQ(!read, fake_rdmsr(self->apic, msr, &value));
		EXPECT_EQ(!write, fake_wrmsr(self->apic, msr, 0));
		for (int bit = 0; write && bit < 64; bit++)
			EXPECT_EQ(!(bits >> bit & 1),
				  fake_wrmsr(self->apic, msr, 1ULL << bit));
	}
}

/* Section 10.12.5 allows some of the nine changes of mode. */
TEST_F(apic, changes_its_mode_as_the_manual_lets_it)
{
	static const bool open[3][3] = { [OFF] = { true, true, false },
					 [XAPIC] = { true, true, true },
					 [X2APIC] = { true, false, true } };
	const u64 flags[] = { 0, MSR_IA32_APICBASE_ENABLE,
			      MSR_IA32_APICBASE_ENABLE | X2APIC_ENABLE };
	const u64 base = LODGE_APIC_BASE_DEFAULT | MSR_IA32_APICBASE_BSP;

	for (int from = OFF; from <= X2APIC; from++) {
		for (int to = OFF; to <= X2APIC; to++) {
			bool refused;

			self->cpu->base = base | flags[from];
			refused = fake_wrmsr(self->apic, MSR_IA32_APICBASE,
					     base | flags[to]);
			EXPECT_EQ(!open[from][to], refused);
			EXPECT_EQ(base | flags[refused ? from : to],
				  self->cpu->base);
		}
	}
	self->cpu->base = base;
	EXPECT_TRUE(fake_wrmsr(self->apic, MSR_IA32_APICBASE,
			       base | X2APIC_ENABLE));
}

/* Accesses of any size and place get the right bytes, and no others. */
TEST_F(apic, answers_any_access_to_its_page)
{
	u8 bytes[16], word[4];

	for (u32 offset = 0; offset < 4096; offset++) {
		for (size_t size = 1; size <= 16 && offset + size <= 4096;
		     size++) {
			u32 at = offset % 16;

			memset(bytes, 0xa5, sizeof(bytes));
			lodge_lapic_write(self->apic, offset, bytes, size);
			lodge_lapic_read(self->apic, offset, bytes, size);
			lodge_lapic_read(self->apic, offset - at, word, 4);
			for (size_t i = 0; i < size; i++)
				ASSERT_EQ(at + i < 4 ? word[at + i] : 0,
					  bytes[i]);
		}
	}
}

/* A state that was read can be set at any time, and reads the same then. */
TEST_F(apic, goes_on_from_its_saved_state)
{
	static struct lodge_lapic saved, again;
	struct lodge_apic *other = fake_apic_new(false);

	other->id = 0;
	for (int i = 0; i < 3000; i++) {
		u32 offset = 16 * fake_random(64);

		if (offset != APIC_ICR)
			fake_write(self->apic, offset, fake_random(1U << 31));
		send(self->apic, fake_random(VECTORS), fake_random(2));
		if (fake_random(2))
			take(self->cpu);
		*other->base = *self->apic->base;
		lodge_lapic_get(self->apic, &saved);
		ASSERT_EQ(0, lodge_lapic_check(other, &saved));
		lodge_lapic_set(other, &saved);
		lodge_lapic_get(other, &again);
		/* PPR and a timer's count are computed anew. */
		ASSERT_EQ(0, memcmp(&saved, &again, sizeof(saved)));
		ASSERT_EQ(lodge_lapic_pending(self->apic),
			  lodge_lapic_pending(other));
	}
}

/* --------------------------------------------------------------------- at once */

static struct fake_cpu *victim;

static void one_is_sent(void)
{
	send(&victim->apic, 0x80, false);
}

static void one_is_taken(void)
{
	take(victim);
}

static void it_is_ended(void)
{
	fake_write(&victim->apic, APIC_EOI, 0);
}

static void priority_falls(void)
{
	fake_write(&victim->apic, APIC_TASKPRI, 0);
}

/* Calls @inner at each point of @outer.  Return: true if no interrupt is lost. */
static bool none_is_lost(struct fake_cpu *cpu, void (*outer)(void),
			 void (*inner)(void))
{
	unsigned int at;

	victim = cpu;
	for (at = 0;; at++) {
		unsigned int taken = 0;

		fake_write(&cpu->apic, APIC_TASKPRI, 0xf0);
		send(&cpu->apic, 0x90, false);
		fake_write(&cpu->apic, APIC_TASKPRI, 0);
		take(cpu);
		fake_write(&cpu->apic, APIC_TASKPRI, 0xf0);
		interleave.at = at;
		interleave.happens = inner;
		outer();
		if (interleave.happens)
			break;
		fake_write(&cpu->apic, APIC_TASKPRI, 0);
		/* The owner acts only on the request. */
		for (int i = 0; i < 4; i++) {
			fake_write(&cpu->apic, APIC_EOI, 0);
			taken += take(cpu) == 0x80;
		}
		if (taken != 1 || cpu->requests & BIT(LODGE_REQ_EVENT))
			return false;
	}
	interleave.happens = NULL;
	return at > 0;
}

TEST_F(apic, takes_a_message_in_the_middle_of_what_its_owner_does)
{
	EXPECT_TRUE(none_is_lost(self->cpu, one_is_taken, one_is_sent));
	EXPECT_TRUE(none_is_lost(self->cpu, it_is_ended, one_is_sent));
	EXPECT_TRUE(none_is_lost(self->cpu, priority_falls, one_is_sent));
}

TEST_F(apic, may_be_used_in_the_middle_of_a_message)
{
	EXPECT_TRUE(none_is_lost(self->cpu, one_is_sent, priority_falls));
	EXPECT_TRUE(none_is_lost(self->cpu, one_is_sent, it_is_ended));
}

#define SENDERS 3
#define SENT 30000
/* After so many checks in vain, the interrupt that was sent is lost. */
#define LOST 100000000

/* One of several senders, each with its own vector. */
struct sender {
	struct lodge_apic *apic;
	pthread_t thread;
	u8 vector;
	u32 handled;
};

/* A thread yields at every seventh access, and so over time at each of them. */
static void give_way(void)
{
	sched_yield();
	interleave.at = 6;
	interleave.happens = give_way;
}

static void *sender_thread(void *argument)
{
	struct sender *sender = argument;

	give_way();
	for (u32 i = 0; i < SENT; i++) {
		while (__atomic_load_n(&sender->handled, __ATOMIC_ACQUIRE) < i)
			sched_yield();
		send(sender->apic, sender->vector, false);
	}
	return NULL;
}

TEST_F(apic, loses_nothing_that_others_send_at_once)
{
	struct sender sender[SENDERS];
	u32 total = 0, idle = 0;

	for (int i = 0; i < SENDERS; i++) {
		sender[i] = (struct sender){ .apic = self->apic,
					     .vector = 0x80 + 0x11 * i };
		ASSERT_EQ(0, pthread_create(&sender[i].thread, NULL,
					    sender_thread, &sender[i]));
	}
	give_way();
	while (total < SENDERS * SENT && idle++ < LOST) {
		int vector = take(self->cpu);

		if (vector < 0)
			continue;
		idle = 0;
		total++;
		fake_write(self->apic, APIC_EOI, 0);
		__atomic_fetch_add(&sender[(vector - 0x80) / 0x11].handled, 1,
				   __ATOMIC_RELEASE);
	}
	ASSERT_EQ(SENDERS * SENT, total);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(sender[i].thread, NULL);
	EXPECT_EQ(-1, take(self->cpu));
}

TEST_HARNESS_MAIN
