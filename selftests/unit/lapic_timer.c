// SPDX-License-Identifier: GPL-2.0
/*
 * Compares the local APIC's timer with a model: one-shot, periodic and TSC-deadline,
 * with a clock that stands still, runs and jumps, and with the host's timer firing at
 * any point of the owner's code.
 *
 * Intel SDM vol. 3, section 10.5.4.
 */
#include <ucontext.h>

#include "fake_apic.h"

#include "kselftest_harness.h"

#define USEC 1000ULL
#define MSEC 1000000ULL
#define VECTOR 0x60
/* The shortest period of a guest's timer. */
#define MIN_PERIOD (200 * USEC)
#define TIMER_MODES (3U << 17)

/*
 * One access to shared data is interrupted:
 * @happens: called before access number @at, counted from now on
 * @at: number of accesses until then
 * @outer: the interrupted code
 * @inner: @happens, which has a stack of its own and can wait for the end of @outer
 * @stack: that stack
 * @waits: @happens waits
 */
static struct {
	void (*happens)(void);
	unsigned int at;
	ucontext_t outer;
	ucontext_t inner;
	char stack[1 << 16];
	bool waits;
} interleave;

void kernel_interleave(void)
{
	void (*happens)(void) = interleave.happens;

	if (!happens || interleave.at--)
		return;
	interleave.happens = NULL;
	getcontext(&interleave.inner);
	interleave.inner.uc_stack.ss_sp = interleave.stack;
	interleave.inner.uc_stack.ss_size = sizeof(interleave.stack);
	interleave.inner.uc_link = &interleave.outer;
	makecontext(&interleave.inner, happens, 0);
	swapcontext(&interleave.outer, &interleave.inner);
}

void kernel_waits(void)
{
	interleave.waits = true;
	swapcontext(&interleave.inner, &interleave.outer);
	interleave.waits = false;
}

FIXTURE(timer)
{
	struct lodge_apic *apic;
	struct fake_cpu *cpu;
};

FIXTURE_SETUP(timer)
{
	fake_seed = 3;
	fake_apics_reset();
	self->apic = fake_apic_new(false);
	self->cpu = &fake.cpu[0];
	fake_apic_enable(self->apic);
}

FIXTURE_TEARDOWN(timer)
{
	interleave.happens = NULL;
}

static bool has_fired(const struct lodge_apic *apic)
{
	return apic->irr[VECTOR / 64] >> VECTOR % 64 & 1;
}

/* The guest takes the interrupt and ends it. */
static bool handle(struct lodge_apic *apic)
{
	if (lodge_lapic_pending(apic) != VECTOR)
		return false;
	lodge_lapic_acknowledge(apic, VECTOR);
	fake_write(apic, APIC_EOI, 0);
	return true;
}

/* ----------------------------------------------------------- one-shot, periodic */

/**
 * struct model - a counter
 * @initial: initial count
 * @divide: ns of one count
 * @start: time at which the count was @initial
 * @period: ns until it is zero; 0: it does not run
 * @irr: the interrupt is pending
 */
struct model {
	u32 initial;
	u32 divide;
	u64 start;
	u64 period;
	bool periodic;
	bool masked;
	bool irr;
};

static u32 model_count(const struct model *model)
{
	u64 left;

	if (!model->period)
		return 0;
	left = model->period - (fake.ns - model->start) % model->period;
	left = (left + model->divide - 1) / model->divide;
	return left < model->initial ? left : model->initial;
}

/* Lets the counter run on from @count. */
static void model_run(struct model *model, u32 count)
{
	model->period = count ? (u64)model->initial * model->divide : 0;
	if (model->period && model->periodic && model->period < MIN_PERIOD)
		model->period = MIN_PERIOD;
	model->start = fake.ns - (u64)(model->initial - count) * model->divide;
}

static void model_sleep(struct model *model, u64 ns)
{
	u64 left =
		model->period - (fake.ns - model->start) % (model->period ?: 1);

	if (!model->period || ns < left)
		return;
	model->irr |= !model->masked;
	if (!model->periodic)
		model->period = 0;
}

static void step_sleep(struct lodge_apic *apic, struct model *model)
{
	static const u64 scale[] = { 10, USEC, 100 * USEC, 10 * MSEC };
	u64 ns = fake_random(100) * scale[fake_random(ARRAY_SIZE(scale))];

	model_sleep(model, ns);
	fake_sleep(ns);
}

static void step_count(struct lodge_apic *apic, struct model *model)
{
	model->initial = fake_random(8) ? fake_random(1U << fake_random(26)) :
					  0;
	fake_write(apic, APIC_TMICT, model->initial);
	model_run(model, model->initial);
}

static void step_divide(struct lodge_apic *apic, struct model *model)
{
	u32 code = fake_random(8), count = model_count(model);

	fake_write(apic, APIC_TDCR, (code & 3) | (code & 4) << 1);
	model->divide = code == 7 ? 1 : 2U << code;
	model_run(model, count);
}

static void step_lvt(struct lodge_apic *apic, struct model *model)
{
	bool periodic = fake_random(2), masked = !fake_random(4);
	u32 count = model_count(model);

	fake_write(apic, APIC_LVTT,
		   VECTOR | (periodic ? APIC_LVT_TIMER_PERIODIC : 0) |
			   (masked ? APIC_LVT_MASKED : 0));
	model->masked = masked;
	if (periodic == model->periodic)
		return;
	model->periodic = periodic;
	model_run(model, count);
}

static void step_handle(struct lodge_apic *apic, struct model *model)
{
	if (handle(apic))
		model->irr = false;
}

TEST_F(timer, counts_and_ticks_as_the_model_does)
{
	static void (*const steps[])(struct lodge_apic * apic,
				     struct model * model) = {
		step_sleep,  step_sleep, step_sleep, step_sleep,  step_handle,
		step_handle, step_count, step_lvt,   step_divide,
	};
	struct model model = { .divide = 2 };

	fake_write(self->apic, APIC_LVTT, VECTOR);
	for (int i = 0; i < 100000; i++) {
		steps[fake_random(ARRAY_SIZE(steps))](self->apic, &model);
		ASSERT_EQ(model.irr, has_fired(self->apic));
		ASSERT_EQ(model_count(&model),
			  fake_read(self->apic, APIC_TMCCT));
		ASSERT_EQ(model.initial, fake_read(self->apic, APIC_TMICT));
	}
}

/* A vCPU that no thread runs makes the host's timer fire only once. */
TEST_F(timer, rests_while_nobody_takes_its_ticks)
{
	fake_write(self->apic, APIC_LVTT, VECTOR | APIC_LVT_TIMER_PERIODIC);
	fake_write(self->apic, APIC_TMICT, 500000);
	fake_sleep(10 * MSEC);
	EXPECT_TRUE(has_fired(self->apic));
	EXPECT_FALSE(self->apic->timer.queued);
	EXPECT_TRUE(handle(self->apic));
	EXPECT_TRUE(self->apic->timer.queued);
}

/* After a late tick of the host's timer, overdue ticks are one; the next is in time. */
TEST_F(timer, ticks_in_time_after_a_late_tick)
{
	fake_write(self->apic, APIC_LVTT, VECTOR | APIC_LVT_TIMER_PERIODIC);
	fake_write(self->apic, APIC_TMICT, 500000);
	fake_stall(3 * MSEC + 500 * USEC);
	fake_sleep(0);
	EXPECT_TRUE(handle(self->apic));
	EXPECT_FALSE(has_fired(self->apic));
	fake_sleep(500 * USEC - 1);
	EXPECT_FALSE(has_fired(self->apic));
	fake_sleep(1);
	EXPECT_TRUE(has_fired(self->apic));
}

/* ---------------------------------------------------------------- TSC-deadline */

static u64 guest_tsc(const struct fake_cpu *cpu)
{
	return rdtsc() + lodge_tsc_moved + cpu->tsc_offset;
}

/* The host's timer is less late than this: two of its nanoseconds. */
#define LATE (2 * FAKE_TSC_PER_2NS)

/**
 * struct deadline - the model of TSC-deadline mode
 * @at: the guest's TSC at which it fires; 0: it is off
 * @irr: the interrupt is pending
 */
struct deadline {
	u64 at;
	bool irr;
	bool masked;
};

static void deadline_write(struct fake_cpu *cpu, struct deadline *model)
{
	static const u64 scale[] = { 1, 1000, 1000000, 1000000000 };
	u64 step = fake_random(100) * scale[fake_random(ARRAY_SIZE(scale))];

	model->at = fake_random(8) ? guest_tsc(cpu) + step - 20 : 0;
	fake_wrmsr(&cpu->apic, MSR_IA32_TSC_DEADLINE, model->at);
}

static void deadline_sleep(struct fake_cpu *cpu, struct deadline *model)
{
	fake_sleep(fake_random(1U << fake_random(30)));
}

/* Lets time pass without firing the host's timers, and then fires all. */
static void deadline_stall(struct fake_cpu *cpu, struct deadline *model)
{
	fake_stall(fake_random(1U << fake_random(30)));
	fake_sleep(0);
}

static void deadline_handle(struct fake_cpu *cpu, struct deadline *model)
{
	if (handle(&cpu->apic))
		model->irr = false;
}

/* The guest writes its TSC, forwards or backwards. */
static void deadline_offset(struct fake_cpu *cpu, struct deadline *model)
{
	WRITE_ONCE(cpu->tsc_offset,
		   cpu->tsc_offset + fake_random(2000000) - 1000000);
	lodge_lapic_tsc_changed(&cpu->apic);
}

/* A suspend resets the processor's TSC; the guest's clocks do not change. */
static void deadline_suspend(struct fake_cpu *cpu, struct deadline *model)
{
	u64 lost = fake_random(1000000000);

	fake.tsc_lost += lost;
	lodge_tsc_moved += lost;
}

static void deadline_mask(struct fake_cpu *cpu, struct deadline *model)
{
	model->masked = !fake_random(4);
	fake_write(&cpu->apic, APIC_LVTT,
		   VECTOR | APIC_LVT_TIMER_TSCDEADLINE |
			   (model->masked ? APIC_LVT_MASKED : 0));
}

/* The processor ends the run at the deadline; at times the owner sleeps instead. */
static void processor_runs(struct fake_cpu *cpu)
{
	if (cpu->watched && guest_tsc(cpu) >= cpu->watched)
		lodge_lapic_deadline(&cpu->apic);
	if (fake_random(2))
		return;
	lodge_lapic_sleep(&cpu->apic);
	fake_sleep(fake_random(1U << fake_random(26)));
	lodge_lapic_wake(&cpu->apic);
}

/* Return: true if the deadline passes at the right time, not earlier. */
static bool deadline_is_right(struct fake_cpu *cpu, struct deadline *model)
{
	u64 now = guest_tsc(cpu), value;

	fake_rdmsr(&cpu->apic, MSR_IA32_TSC_DEADLINE, &value);
	if (value && value != model->at)
		return false;
	if (model->at && value && now >= model->at + LATE)
		return false;
	if (model->at && !value) {
		if (now < model->at)
			return false;
		model->at = 0;
		model->irr |= !model->masked;
	}
	return model->irr == has_fired(&cpu->apic);
}

static bool keeps_deadlines(bool by_processor)
{
	static void (*const steps[])(struct fake_cpu * cpu,
				     struct deadline * model) = {
		deadline_write, deadline_write,	 deadline_sleep,
		deadline_sleep, deadline_handle, deadline_stall,
		deadline_mask,	deadline_offset, deadline_suspend,
	};
	struct deadline model = { 0 };
	struct fake_cpu *cpu;

	fake_apics_reset();
	fake_apic_new(by_processor);
	cpu = &fake.cpu[0];
	fake_apic_enable(&cpu->apic);
	deadline_mask(cpu, &model);
	for (int i = 0; i < 100000; i++) {
		u32 step = fake_random(ARRAY_SIZE(steps));

		steps[step](cpu, &model);
		if (by_processor)
			processor_runs(cpu);
		if (!deadline_is_right(cpu, &model)) {
			printf("# step %d, a %u\n", i, step);
			return false;
		}
	}
	return true;
}

TEST_F(timer, keeps_deadlines_by_the_host)
{
	EXPECT_TRUE(keeps_deadlines(false));
}

TEST_F(timer, keeps_deadlines_by_the_processor)
{
	EXPECT_TRUE(keeps_deadlines(true));
}

/* The guest moves its deadline to a later time again and again, as most guests do. */
TEST_F(timer, leaves_the_host_timer_alone_for_a_later_deadline)
{
	u64 now = guest_tsc(self->cpu), expires;

	fake_write(self->apic, APIC_LVTT, VECTOR | APIC_LVT_TIMER_TSCDEADLINE);
	fake_wrmsr(self->apic, MSR_IA32_TSC_DEADLINE, now + 1000000);
	expires = self->apic->timer.expires;
	for (u64 i = 0; i < 100; i++)
		fake_wrmsr(self->apic, MSR_IA32_TSC_DEADLINE,
			   now + 2000000 + i);
	EXPECT_EQ(expires, self->apic->timer.expires);
	fake_wrmsr(self->apic, MSR_IA32_TSC_DEADLINE, now + 500000);
	EXPECT_GT(expires, self->apic->timer.expires);
}

TEST_F(timer, ends_a_deadline_with_its_mode)
{
	u64 value;

	fake_write(self->apic, APIC_LVTT, VECTOR | APIC_LVT_TIMER_TSCDEADLINE);
	fake_wrmsr(self->apic, MSR_IA32_TSC_DEADLINE,
		   guest_tsc(self->cpu) + 1000);
	fake_write(self->apic, APIC_LVTT, VECTOR);
	fake_sleep(MSEC);
	EXPECT_FALSE(has_fired(self->apic));
	fake_rdmsr(self->apic, MSR_IA32_TSC_DEADLINE, &value);
	EXPECT_EQ(0U, value);
	/* The MSR cannot be written in other modes, nor the counter in this mode. */
	fake_wrmsr(self->apic, MSR_IA32_TSC_DEADLINE, 1);
	EXPECT_FALSE(has_fired(self->apic));
	fake_write(self->apic, APIC_LVTT, VECTOR | APIC_LVT_TIMER_TSCDEADLINE);
	fake_write(self->apic, APIC_TMICT, 1000);
	EXPECT_EQ(0U, fake_read(self->apic, APIC_TMICT));
}

TEST_F(timer, has_no_deadline_that_the_cpuid_does_not_have)
{
	u64 value;

	self->cpu->features.tsc_deadline = false;
	EXPECT_TRUE(fake_rdmsr(self->apic, MSR_IA32_TSC_DEADLINE, &value));
	EXPECT_TRUE(fake_wrmsr(self->apic, MSR_IA32_TSC_DEADLINE, 1));
	fake_write(self->apic, APIC_LVTT, VECTOR | APIC_LVT_TIMER_TSCDEADLINE);
	EXPECT_EQ(0U, fake_read(self->apic, APIC_LVTT) & TIMER_MODES);
}

/* --------------------------------------------------------------------- at once */

static struct fake_cpu *victim;
static u64 next_deadline;

static void it_fires(void)
{
	struct hrtimer *timer = &victim->apic.timer;

	if (timer->queued && timer->expires <= fake.ns)
		fake_expire(timer);
}

static void a_deadline_is_written(void)
{
	fake_wrmsr(&victim->apic, MSR_IA32_TSC_DEADLINE, next_deadline);
}

static void a_tick_is_taken(void)
{
	handle(&victim->apic);
}

static void the_entry_is_unmasked(void)
{
	fake_write(&victim->apic, APIC_LVTT, VECTOR | APIC_LVT_TIMER_PERIODIC);
}

/*
 * Calls @inner at point @at of @outer, or after @outer if there is no such point.  If
 * @inner has to wait for the timer's function, it goes on after @outer.
 *
 * Return: true if there is such a point.
 */
static bool both(unsigned int at, void (*outer)(void), void (*inner)(void))
{
	interleave.at = at;
	interleave.happens = inner;
	outer();
	if (interleave.waits)
		swapcontext(&interleave.outer, &interleave.inner);
	if (!interleave.happens)
		return true;
	interleave.happens = NULL;
	inner();
	return false;
}

/*
 * A deadline has come, and one that is @step away is written at the same time.
 *
 * Return: true if the new deadline is kept, at each point.
 */
static bool is_kept(struct fake_cpu *cpu, s64 step, void (*outer)(void),
		    void (*inner)(void))
{
	bool found = true;

	victim = cpu;
	fake_write(&cpu->apic, APIC_LVTT, VECTOR | APIC_LVT_TIMER_TSCDEADLINE);
	for (unsigned int at = 0; found; at++) {
		u64 value;

		next_deadline = guest_tsc(cpu) + 1000000;
		a_deadline_is_written();
		fake_stall(MSEC);
		next_deadline = guest_tsc(cpu) + step;
		found = both(at, outer, inner);
		fake_sleep(0);
		if (step > 0) {
			/* The first deadline may have fired before it was replaced. */
			handle(&cpu->apic);
			fake_sleep(step * 2 / FAKE_TSC_PER_2NS - 1);
			if (has_fired(&cpu->apic))
				return false;
		}
		fake_sleep(2);
		fake_rdmsr(&cpu->apic, MSR_IA32_TSC_DEADLINE, &value);
		if (!handle(&cpu->apic) || value)
			return false;
	}
	return true;
}

TEST_F(timer, keeps_a_deadline_that_is_written_as_another_one_comes)
{
	EXPECT_TRUE(
		is_kept(self->cpu, 1000000, a_deadline_is_written, it_fires));
	EXPECT_TRUE(is_kept(self->cpu, -1000, a_deadline_is_written, it_fires));
	EXPECT_TRUE(
		is_kept(self->cpu, 1000000, it_fires, a_deadline_is_written));
	EXPECT_TRUE(is_kept(self->cpu, -1000, it_fires, a_deadline_is_written));
}

/* Return: true if the timer ticks on, with @inner at any point of @outer. */
static bool ticks_on(struct fake_cpu *cpu, u32 lvt, void (*outer)(void),
		     void (*inner)(void))
{
	bool found = true;

	victim = cpu;
	for (unsigned int at = 0; found; at++) {
		fake_write(&cpu->apic, APIC_LVTT,
			   VECTOR | APIC_LVT_TIMER_PERIODIC);
		fake_write(&cpu->apic, APIC_TMICT, 500000);
		fake_sleep(MSEC);
		/* The next tick is due, and the last one is not handled yet. */
		fake_write(&cpu->apic, APIC_LVTT,
			   VECTOR | APIC_LVT_TIMER_PERIODIC | lvt);
		if (lvt)
			handle(&cpu->apic);
		else
			lodge_lapic_timer_tick(&cpu->apic);
		fake_stall(MSEC);
		found = both(at, outer, inner);
		fake_write(&cpu->apic, APIC_LVTT,
			   VECTOR | APIC_LVT_TIMER_PERIODIC);
		fake_sleep(0);
		handle(&cpu->apic);
		handle(&cpu->apic);
		fake_sleep(MSEC);
		if (!handle(&cpu->apic))
			return false;
	}
	return true;
}

TEST_F(timer, ticks_on_when_a_tick_is_taken_as_the_next_one_comes)
{
	EXPECT_TRUE(ticks_on(self->cpu, 0, a_tick_is_taken, it_fires));
	EXPECT_TRUE(ticks_on(self->cpu, 0, it_fires, a_tick_is_taken));
}

TEST_F(timer, ticks_on_when_it_is_unmasked_as_a_tick_comes)
{
	EXPECT_TRUE(ticks_on(self->cpu, APIC_LVT_MASKED, the_entry_is_unmasked,
			     it_fires));
	EXPECT_TRUE(ticks_on(self->cpu, APIC_LVT_MASKED, it_fires,
			     the_entry_is_unmasked));
}

TEST(ends_on_a_host_whose_tsc_has_no_rate)
{
	struct lodge_apic apic = { .watched = &(u64){ 0 } };
	u32 khz = tsc_khz;

	tsc_khz = 0;
	EXPECT_EQ(-ENODEV, lodge_lapic_init(&apic));
	lodge_lapic_close(&apic);
	tsc_khz = khz;
}

TEST_HARNESS_MAIN
