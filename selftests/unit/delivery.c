// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of event delivery: the event that a vCPU gets, compared with the manual's table
 * of priorities over 200,000 random states of APIC, flags and pending events; double
 * faults, pair by pair; INIT and start-up.
 *
 * Intel SDM vol. 3, sections 6.9 and 6.15; AMD APM vol. 2, sections 8.5 and 8.2.9.
 */
#include "fake_delivery.h"

#include "kselftest_harness.h"

FIXTURE(delivery)
{
	struct lodge_delivery *d;
};

FIXTURE_SETUP(delivery)
{
	self->d = fake_delivery_new();
}

FIXTURE_TEARDOWN(delivery)
{
}

static u64 seed = 1;

static u32 random_below(u32 below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)((seed >> 33) % below);
}

static bool one_in(u32 n)
{
	return !random_below(n);
}

/* ------------------------------------------------------------------ priorities */

/* Reasons that hold an event back. */
enum {
	NO_IF = 1,
	SHADOW = 2,
	NMI_HANDLER = 4,
};

/* Pending events, highest priority first.  Interrupts need RFLAGS.IF and no shadow. */
enum row { EXCEPTION, AGAIN, NMI, ACKNOWLEDGED, EXTINT, APIC, NR_ROWS };

static const u8 held_back_by[NR_ROWS] = {
	[EXCEPTION] = 0,
	[AGAIN] = 0,
	[NMI] = SHADOW | NMI_HANDLER,
	[ACKNOWLEDGED] = NO_IF | SHADOW,
	[EXTINT] = NO_IF | SHADOW,
	[APIC] = NO_IF | SHADOW,
};

/**
 * struct model - a state in the manual's terms
 * @waits: true if an event is pending; by row
 * @event: the event of each row that waits
 * @holds: reasons that hold events back
 */
struct model {
	bool waits[NR_ROWS];
	struct lodge_event event[NR_ROWS];
	u8 holds;
};

static struct lodge_event event_of(u8 type, u8 vector)
{
	return (struct lodge_event){ .type = type, .vector = vector };
}

/* Sets up the APIC.  Its request waits if its class is above those of TPR and ISR. */
static void make_apic(struct model *model)
{
	static const u16 vectors[] = { 0x31, 0x42, 0x42, 0x53, 0x64, 0x75 };
	u32 tpr = one_in(2) ? 0 : random_below(8) << 4;
	int request = -1, service = -1;

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		if (one_in(6)) {
			fake_send(vectors[i], APIC_DM_FIXED);
			request = vectors[i];
		}
	}
	if (one_in(3)) {
		service = vectors[random_below(ARRAY_SIZE(vectors))];
		__set_bit(service, fake.apic.isr);
	}
	lodge_lapic_write(&fake.apic, APIC_TASKPRI, &tpr, sizeof(tpr));
	lodge_lapic_update_priority(&fake.apic);
	model->waits[APIC] = request >= 0 && request / 16 > (int)tpr / 16 &&
			     (service < 0 || request / 16 > service / 16);
	model->event[APIC] = event_of(LODGE_EVENT_EXTERNAL, (u8)request);
}

static void make_flags(struct model *model)
{
	fake.regs.general.rflags = X86_EFLAGS_FIXED;
	if (one_in(3))
		model->holds |= NO_IF;
	else
		fake.regs.general.rflags |= X86_EFLAGS_IF;
	if (one_in(4)) {
		model->holds |= SHADOW;
		fake.interruptibility |= LODGE_EVENT_SHADOW;
	}
	if (one_in(4)) {
		model->holds |= NMI_HANDLER;
		fake.interruptibility |= LODGE_EVENT_NMI_BLOCKED;
	}
}

static void make_events(struct lodge_delivery *d, struct model *model)
{
	static const u8 faults[] = { 0, 1, 6, 12, 13, 14, 17 };

	if (one_in(5)) {
		model->waits[EXCEPTION] = true;
		lodge_event_raise(d, faults[random_below(ARRAY_SIZE(faults))],
				  0);
		model->event[EXCEPTION] = d->exception;
	}
	if (one_in(5)) {
		model->waits[AGAIN] = true;
		d->reinject = one_in(2) ? event_of(LODGE_EVENT_NMI, 2) :
					  event_of(LODGE_EVENT_FAULT, 13);
		model->event[AGAIN] = d->reinject;
	}
	model->waits[NMI] = one_in(4);
	if (model->waits[NMI])
		lodge_event_nmi(d);
	model->event[NMI] = event_of(LODGE_EVENT_NMI, 2);
	if (one_in(6)) {
		model->waits[ACKNOWLEDGED] = true;
		d->acknowledged = event_of(LODGE_EVENT_EXTERNAL, 0x99);
		model->event[ACKNOWLEDGED] = d->acknowledged;
	}
	model->waits[EXTINT] = one_in(5);
	if (model->waits[EXTINT])
		lodge_event_extint(d, 0x20);
	model->event[EXTINT] = event_of(LODGE_EVENT_EXTERNAL, 0x20);
}

static struct model make(void)
{
	struct lodge_delivery *d = fake_delivery_new();
	struct model model = { 0 };

	d->mp_state = one_in(2) ? LODGE_MP_RUNNABLE : LODGE_MP_HALTED;
	make_flags(&model);
	make_apic(&model);
	make_events(d, &model);
	return model;
}

/* Return: the row that is delivered, or NR_ROWS. */
static enum row model_choice(const struct model *model)
{
	for (enum row row = 0; row < NR_ROWS; row++)
		if (model->waits[row] && !(held_back_by[row] & model->holds))
			return row;
	return NR_ROWS;
}

static bool same(const struct lodge_event *a, const struct lodge_event *b)
{
	return a->type == b->type &&
	       (a->type == LODGE_EVENT_NONE || a->vector == b->vector);
}

TEST_F(delivery, gives_the_event_of_the_highest_priority)
{
	for (int i = 0; i < 200000; i++) {
		const struct lodge_event none = { .type = LODGE_EVENT_NONE };
		struct model model = make();
		enum row row = model_choice(&model);
		u32 mp_state = fake.delivery.mp_state;

		ASSERT_EQ(LODGE_DELIVERED, lodge_event_deliver(self->d));
		ASSERT_TRUE(same(row < NR_ROWS ? &model.event[row] : &none,
				 &fake.injected));
		ASSERT_TRUE(same(&fake.injected, &self->d->in_flight));
		ASSERT_EQ(row < NR_ROWS ? LODGE_MP_RUNNABLE : mp_state,
			  self->d->mp_state);
	}
}

/* Over several entries, each event is delivered in order as soon as it can be. */
TEST_F(delivery, gives_all_of_them_in_the_end)
{
	const struct lodge_event none = { .type = LODGE_EVENT_NONE };

	for (int i = 0; i < 20000; i++) {
		struct model model = make();

		model.holds = 0;
		fake.interruptibility = 0;
		fake.regs.general.rflags |= X86_EFLAGS_IF;
		for (enum row row; (row = model_choice(&model)) < NR_ROWS;
		     model.waits[row] = false) {
			fake.injected.type = LODGE_EVENT_NONE;
			lodge_event_deliver(self->d);
			ASSERT_TRUE(same(&model.event[row], &fake.injected));
			lodge_event_delivered(self->d, &none);
			if (row == APIC)
				break;
		}
	}
}

/* Between two entries, too; but what is latched is left to the run loop. */
TEST_F(delivery, gives_the_same_without_the_run_loop)
{
	for (int i = 0; i < 200000; i++) {
		const struct lodge_event none = { .type = LODGE_EVENT_NONE };
		struct model model = make();
		enum row row = model_choice(&model);
		bool latched = model.waits[EXTINT], again;

		set_bit(LODGE_REQ_EVENT, &fake.requests);
		if (one_in(8)) {
			lodge_event_init(self->d);
			latched = true;
		}
		again = lodge_event_deliver_quick(self->d);
		ASSERT_EQ(!latched && !fake.wanted && !self->d->exit_at_once,
			  again);
		ASSERT_EQ(latched, !!(fake.requests & BIT(LODGE_REQ_EVENT)));
		ASSERT_TRUE(same(latched || row == NR_ROWS ? &none :
							     &model.event[row],
				 &fake.injected));
	}
}

/* The requested window is that of the events that are left. */
TEST_F(delivery, leaves_the_guest_as_soon_as_the_next_can_be_taken)
{
	for (int i = 0; i < 100000; i++) {
		struct model model = make();
		enum row row = model_choice(&model);
		bool interrupt, nmi;

		lodge_event_deliver(self->d);
		if (row < NR_ROWS)
			model.waits[row] = false;
		interrupt = model.waits[ACKNOWLEDGED] || model.waits[EXTINT] ||
			    lodge_lapic_pending(&fake.apic) >= 0;
		nmi = model.waits[NMI] ||
		      (model.waits[AGAIN] &&
		       model.event[AGAIN].type == LODGE_EVENT_NMI);
		ASSERT_EQ(interrupt, !!(fake.wanted & LODGE_BLOCK_INTERRUPT));
		ASSERT_EQ(nmi && row == NR_ROWS,
			  !!(fake.wanted & LODGE_BLOCK_NMI));
		ASSERT_EQ(nmi && row < NR_ROWS, self->d->exit_at_once);
	}
}

TEST_F(delivery, wakes_for_what_can_be_taken)
{
	for (int i = 0; i < 100000; i++) {
		struct model model = make();
		enum row row;

		/* A vCPU that sleeps has no pending exception. */
		self->d->exception.type = LODGE_EVENT_NONE;
		self->d->reinject.type = LODGE_EVENT_NONE;
		model.waits[EXCEPTION] = model.waits[AGAIN] = false;
		row = model_choice(&model);
		ASSERT_EQ(row < NR_ROWS, lodge_event_wakes(self->d));
	}
}

/* After a failed entry, and after an exit in the middle of a delivery. */
TEST_F(delivery, gives_again_what_was_not_delivered)
{
	for (int i = 0; i < 100000; i++) {
		struct model model = make();
		struct lodge_event first;

		if (model_choice(&model) == NR_ROWS)
			continue;
		lodge_event_deliver(self->d);
		first = fake.injected;
		if (one_in(2)) {
			lodge_event_take_back(self->d);
			ASSERT_EQ(LODGE_EVENT_NONE, fake.injected.type);
		} else {
			lodge_event_delivered(self->d, &first);
		}
		ASSERT_TRUE(fake.requests & BIT(LODGE_REQ_EVENT));
		/* Only the exception that waits with it can come first. */
		lodge_event_deliver(self->d);
		if (!same(&first, &fake.injected))
			ASSERT_EQ(EXCEPTION, model_choice(&model));
	}
}

/* Gives an event, which is then taken back or cut short; and gives it again. */
static void give_twice(struct lodge_delivery *d, bool cut_short)
{
	const struct lodge_event none = { .type = LODGE_EVENT_NONE };
	struct lodge_event first;

	lodge_event_deliver(d);
	first = fake.injected;
	if (cut_short)
		lodge_event_delivered(d, &first);
	else
		lodge_event_take_back(d);
	lodge_event_deliver(d);
	lodge_event_delivered(d, &none);
}

TEST_F(delivery, counts_an_event_once_that_is_given_again)
{
	struct lodge_event own = event_of(LODGE_EVENT_FAULT, X86_TRAP_PF);
	struct lodge_delivery *d = fake_delivery_new();
	int i;

	fake.regs.general.rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF;
	for (i = 1; i <= 4; i++) {
		lodge_event_raise(d, X86_TRAP_UD, 0);
		give_twice(d, i % 2);
		EXPECT_EQ(i, local64_read(&fake.stats.exceptions));
		lodge_event_nmi(d);
		give_twice(d, i % 2);
		EXPECT_EQ(i, local64_read(&fake.stats.nmis));
		EXPECT_EQ(0, lodge_event_extint(d, 0x30));
		give_twice(d, i % 2);
		EXPECT_EQ(i, local64_read(&fake.stats.interrupts));
	}
	/* The guest's own, which the processor began to deliver. */
	lodge_event_delivered(d, &own);
	give_twice(d, false);
	EXPECT_EQ(4, local64_read(&fake.stats.exceptions));
}

/* ---------------------------------------------------------------- double faults */

/* Classes of exceptions (SDM vol. 3, table 6-5), by vector. */
static const char *const classes = "cbbbbbbbdbccccpbbbbbbbbbbbbbbbbb";

static char class_of(u8 vector)
{
	return classes[vector];
}

TEST_F(delivery, makes_double_faults_of_the_pairs_of_the_table)
{
	for (u8 first = 0; first < 32; first++) {
		for (u8 second = 0; second < 32; second++) {
			char a = class_of(first), b = class_of(second);
			bool shutdown = a == 'd' && b != 'b';
			bool twice = (a == 'c' && b == 'c') ||
				     (a == 'p' && b != 'b');

			fake_delivery_new();
			lodge_event_raise(self->d, first, 0);
			lodge_event_raise(self->d, second, 0x10);
			ASSERT_EQ(shutdown, self->d->shutdown);
			if (shutdown) {
				ASSERT_EQ(LODGE_SHUTDOWN,
					  lodge_event_deliver(self->d));
				continue;
			}
			lodge_event_deliver(self->d);
			ASSERT_EQ(twice ? 8 : second, fake.injected.vector);
			ASSERT_EQ(twice ? 0U : fake.injected.has_error * 0x10U,
				  fake.injected.error);
		}
	}
}

TEST_F(delivery, gives_error_codes_with_the_faults_that_have_them)
{
	const u32 with = BIT(8) | BIT(10) | BIT(11) | BIT(12) | BIT(13) |
			 BIT(14) | BIT(17);

	for (u8 vector = 0; vector < 32; vector++) {
		for (int protected = 0; protected < 2; protected ++) {
			fake_delivery_new();
			fake.regs.control.cr0 = protected ? X86_CR0_PE : 0;
			lodge_event_raise(self->d, vector, 0x18);
			lodge_event_deliver(self->d);
			EXPECT_EQ(protected && with >> vector & 1,
				  fake.injected.has_error);
		}
	}
}

/* ------------------------------------------------------------ INIT and start-up */

TEST_F(delivery, starts_where_the_start_up_says)
{
	lodge_event_sipi(self->d, 0x12);
	lodge_event_deliver(self->d);
	EXPECT_EQ(LODGE_MP_RUNNABLE, self->d->mp_state);
	EXPECT_EQ(0U, fake.regs.segments.seg[LODGE_CS].base);

	lodge_event_init(self->d);
	lodge_event_deliver(self->d);
	EXPECT_EQ(1U, fake.resets);
	EXPECT_EQ(LODGE_MP_WAIT_SIPI, self->d->mp_state);
	EXPECT_FALSE(lodge_event_wakes(self->d));

	lodge_event_sipi(self->d, 0x12);
	EXPECT_TRUE(lodge_event_wakes(self->d));
	lodge_event_deliver(self->d);
	EXPECT_EQ(LODGE_MP_RUNNABLE, self->d->mp_state);
	EXPECT_EQ(0x12000U, fake.regs.segments.seg[LODGE_CS].base);
	EXPECT_EQ(0x1200, fake.regs.segments.seg[LODGE_CS].selector);
	EXPECT_EQ(0U, fake.regs.general.rip);
}

TEST_F(delivery, forgets_a_start_up_before_the_init)
{
	lodge_event_sipi(self->d, 0x12);
	lodge_event_init(self->d);
	lodge_event_deliver(self->d);
	EXPECT_EQ(LODGE_MP_WAIT_SIPI, self->d->mp_state);
}

/* If both are pending, as firmware sends them, the INIT comes first. */
TEST_F(delivery, takes_the_init_and_the_start_up_behind_it)
{
	fake_send(0, APIC_DM_INIT);
	fake_send(0x99, APIC_DM_STARTUP);
	lodge_event_deliver(self->d);
	EXPECT_EQ(LODGE_MP_RUNNABLE, self->d->mp_state);
	EXPECT_EQ(0x99000U, fake.regs.segments.seg[LODGE_CS].base);
}

TEST_F(delivery, gives_a_waiting_vcpu_nothing_else)
{
	self->d->mp_state = LODGE_MP_WAIT_SIPI;
	fake.regs.general.rflags |= X86_EFLAGS_IF;
	lodge_event_nmi(self->d);
	fake_send(0x50, APIC_DM_FIXED);
	lodge_event_deliver(self->d);
	EXPECT_EQ(LODGE_EVENT_NONE, fake.injected.type);
	EXPECT_FALSE(lodge_event_wakes(self->d));
	EXPECT_FALSE(lodge_event_window_open(self->d));
}

/* ------------------------------------------------------------------- the rest */

TEST_F(delivery, tells_of_the_window_that_is_wanted)
{
	const u32 unmasked = APIC_DM_EXTINT;

	lodge_lapic_write(&fake.apic, APIC_LVT0, &unmasked, sizeof(unmasked));
	self->d->wants_window = true;
	EXPECT_EQ(LODGE_DELIVERED, lodge_event_deliver(self->d));
	EXPECT_EQ(LODGE_BLOCK_INTERRUPT, fake.wanted);
	EXPECT_FALSE(lodge_event_window_opened(self->d));
	fake.regs.general.rflags |= X86_EFLAGS_IF;
	EXPECT_TRUE(lodge_event_window_opened(self->d));
	EXPECT_TRUE(lodge_event_wakes(self->d));
	EXPECT_EQ(LODGE_WINDOW, lodge_event_deliver(self->d));
}

TEST_F(delivery, leaves_to_the_run_loop_what_returns_to_user_space)
{
	set_bit(LODGE_REQ_EVENT, &fake.requests);
	self->d->wants_window = true;
	EXPECT_FALSE(lodge_event_deliver_quick(self->d));
	EXPECT_EQ(BIT(LODGE_REQ_EVENT), fake.requests);
	self->d->wants_window = false;
	self->d->shutdown = true;
	EXPECT_FALSE(lodge_event_deliver_quick(self->d));
	EXPECT_EQ(BIT(LODGE_REQ_EVENT), fake.requests);
	EXPECT_EQ(LODGE_SHUTDOWN, lodge_event_deliver(self->d));
}

TEST_F(delivery, gives_nothing_that_nobody_has_asked_for)
{
	lodge_event_nmi(self->d);
	fake.requests = 0;
	EXPECT_TRUE(lodge_event_deliver_quick(self->d));
	EXPECT_EQ(LODGE_EVENT_NONE, fake.injected.type);
}

TEST_F(delivery, takes_one_interrupt_of_the_pic_at_a_time)
{
	EXPECT_EQ(0, lodge_event_extint(self->d, 0x20));
	EXPECT_EQ(-EBUSY, lodge_event_extint(self->d, 0x21));
	fake.regs.general.rflags |= X86_EFLAGS_IF;
	lodge_event_deliver(self->d);
	EXPECT_EQ(0x20, fake.injected.vector);
	EXPECT_EQ(0, lodge_event_extint(self->d, 0x21));
}

TEST_F(delivery, sets_rf_for_faults_and_not_for_traps)
{
	static const u8 others[] = { 1, 3, 4, 8, 18 };

	for (u8 vector = 0; vector < 32; vector++) {
		bool fault = vector != 2;

		fake_delivery_new();
		for (size_t i = 0; i < ARRAY_SIZE(others); i++)
			fault = fault && vector != others[i];
		if (vector == 2)
			continue;
		lodge_event_raise(self->d, vector, 0);
		lodge_event_deliver(self->d);
		EXPECT_EQ(fault, !!(fake.regs.general.rflags & X86_EFLAGS_RF));
	}
}

/* What is handed over comes first: no window opens before it. */
TEST_F(delivery, opens_no_window_while_an_event_is_in_flight)
{
	fake.regs.general.rflags |= X86_EFLAGS_IF;
	lodge_event_nmi(self->d);
	fake_send(0x50, APIC_DM_FIXED);
	set_bit(LODGE_REQ_EVENT, &fake.requests);
	EXPECT_FALSE(lodge_event_deliver_quick(self->d));
	EXPECT_EQ(LODGE_EVENT_NMI, fake.injected.type);
	EXPECT_EQ(LODGE_BLOCK_INTERRUPT, fake.wanted);
	EXPECT_FALSE(lodge_event_window_opened(self->d));
}

/* Handed over by the row, then looked at by the run loop: nothing is given twice. */
TEST_F(delivery, gives_nothing_again_after_the_row)
{
	for (int i = 0; i < 200000; i++) {
		struct lodge_event given;
		int nmis;

		make();
		set_bit(LODGE_REQ_EVENT, &fake.requests);
		if (lodge_event_deliver_quick(self->d))
			continue;
		given = fake.injected;
		if (given.type == LODGE_EVENT_NONE)
			continue;
		nmis = atomic_read(&self->d->nmis);
		fake.injected.type = LODGE_EVENT_NONE;
		ASSERT_EQ(LODGE_DELIVERED, lodge_event_deliver(self->d));
		ASSERT_EQ(LODGE_EVENT_NONE, fake.injected.type);
		ASSERT_TRUE(same(&given, &self->d->in_flight));
		ASSERT_EQ(nmis, atomic_read(&self->d->nmis));
	}
}

TEST_HARNESS_MAIN
