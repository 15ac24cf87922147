// SPDX-License-Identifier: GPL-2.0
/*
 * The local APIC's state: beginning, reset, and the register group LAPIC, which has
 * the form of the xAPIC page in every mode.
 */
#include <asm/tsc.h>

#include "apic.h"
#include "lapic.h"
#include "request.h"

/* The lower vectors of the first word of ISR, TMR and IRR. */
#define EXCEPTION_VECTORS GENMASK(LAPIC_FIRST_VECTOR - 1, 0)

#define ESR_BITS                                                    \
	(APIC_ESR_SEND_ACC | APIC_ESR_RECV_ACC | APIC_ESR_SENDILL | \
	 APIC_ESR_RECVILL | APIC_ESR_ILLREGA)

int lodge_lapic_init(struct lodge_apic *apic)
{
	/* First, so that lodge_lapic_close() can stop it in any case. */
	lodge_lapic_timer_init(apic);
	/* The timer divides by it. */
	if (!tsc_khz)
		return -ENODEV;
	lodge_lapic_reset(apic, false);
	return 0;
}

void lodge_lapic_close(struct lodge_apic *apic)
{
	if (apic)
		lodge_lapic_timer_stop(apic);
}

static void lapic_reset_base(struct lodge_apic *apic)
{
	u64 base = LODGE_APIC_BASE_DEFAULT | MSR_IA32_APICBASE_ENABLE;

	if (apic->id == 0)
		base |= MSR_IA32_APICBASE_BSP;
	WRITE_ONCE(*apic->base, base);
}

static void lapic_store_bitmap(unsigned long *bitmap, const u32 word[8])
{
	int i;

	for (i = 0; i < BITS_TO_LONGS(LAPIC_NR_VECTORS); i++)
		WRITE_ONCE(bitmap[i], word[2 * i] | (u64)word[2 * i + 1] << 32);
}

void lodge_lapic_reset(struct lodge_apic *apic, bool init)
{
	static const u32 none[8];
	int i;

	lodge_lapic_timer_stop(apic);
	apic->initial_count = 0;
	apic->divide = 0;
	if (!init) {
		lapic_reset_base(apic);
		bitmap_zero(apic->eoi, LAPIC_NR_VECTORS);
	}
	apic->tpr = 0;
	WRITE_ONCE(apic->ldr, 0);
	WRITE_ONCE(apic->dfr, APIC_DFR_FLAT);
	WRITE_ONCE(apic->svr, 0xff);
	apic->icr = 0;
	apic->icr2 = 0;
	apic->esr = 0;
	xchg(&apic->errors, 0);
	for (i = 0; i < LAPIC_NR_LVTS; i++)
		WRITE_ONCE(apic->lvt[i], APIC_LVT_MASKED);
	lapic_store_bitmap(apic->irr, none);
	lapic_store_bitmap(apic->tmr, none);
	lapic_store_bitmap(apic->isr, none);
	lodge_lapic_update_priority(apic);
}

static u32 lapic_get_reg(const struct lodge_lapic *in, u32 offset)
{
	u32 value;

	memcpy(&value, in->regs + offset, sizeof(value));
	return value;
}

static void lapic_put_reg(struct lodge_lapic *out, u32 offset, u32 value)
{
	memcpy(out->regs + offset, &value, sizeof(value));
}

/*
 * The timer is read before the requests: if it reads as expired, it has already
 * made its request.
 */
void lodge_lapic_get(struct lodge_apic *apic, struct lodge_lapic *out)
{
	u32 reg, value;

	lodge_lapic_deadline(apic);
	memset(out, 0, sizeof(*out));
	out->timer_ns = lodge_lapic_timer_left(apic);
	out->tsc_deadline = READ_ONCE(apic->deadline);
	smp_rmb();
	for (reg = 0; reg < LAPIC_NR_REGS; reg++)
		if (lodge_lapic_reg_read(apic, reg, &value))
			lapic_put_reg(out, 16 * reg, value);
	lapic_put_reg(out, APIC_TMCCT,
		      lodge_lapic_timer_count_of(apic, out->timer_ns));
	bitmap_to_arr32(out->eoi, apic->eoi, LAPIC_NR_VECTORS);
	out->errors = READ_ONCE(apic->errors);
	out->ldr = apic->ldr;
}

static bool lapic_reg_valid(const struct lodge_apic *apic, u32 reg, u32 value)
{
	switch (reg) {
	case LAPIC_REG(APIC_ID):
		return value == apic->id || value == apic->id << 24;
	case LAPIC_REG(APIC_LVR):
		return value == LAPIC_VERSION;
	case LAPIC_REG(APIC_PROCPRI):
		return value <= 0xff;
	case LAPIC_REG(APIC_LDR):
		return !(value & ~lodge_lapic_valid_bits(reg)) ||
		       value == lapic_x2apic_ldr(apic);
	case LAPIC_REG(APIC_DFR):
		return (value | lodge_lapic_valid_bits(reg)) == APIC_DFR_FLAT;
	case LAPIC_REG(APIC_ISR):
	case LAPIC_REG(APIC_TMR):
	case LAPIC_REG(APIC_IRR):
		return !(value & EXCEPTION_VECTORS);
	case LAPIC_REG(APIC_ISR) + 1 ... LAPIC_REG(APIC_ISR) + 7:
	case LAPIC_REG(APIC_TMR) + 1 ... LAPIC_REG(APIC_TMR) + 7:
	case LAPIC_REG(APIC_IRR) + 1 ... LAPIC_REG(APIC_IRR) + 7:
	case LAPIC_REG(APIC_ICR2):
	case LAPIC_REG(APIC_TMCCT):
		return true;
	case LAPIC_REG(APIC_ESR):
		return !(value & ~ESR_BITS);
	case LAPIC_REG(LAPIC_SELF_IPI):
		return !value;
	default:
		return !(value & ~lodge_lapic_valid_bits(reg));
	}
}

int lodge_lapic_check(struct lodge_apic *apic, const struct lodge_lapic *in)
{
	u32 lvt = lapic_get_reg(in, APIC_LVTT);
	u32 reg;

	for (reg = 0; reg < LAPIC_NR_REGS; reg++)
		if (!lapic_reg_valid(apic, reg, lapic_get_reg(in, 16 * reg)) ||
		    memchr_inv(in->regs + 16 * reg + 4, 0, 12))
			return -EINVAL;
	if (in->eoi[0] & EXCEPTION_VECTORS || in->errors & ~ESR_BITS ||
	    in->ldr & ~lodge_lapic_valid_bits(LAPIC_REG(APIC_LDR)))
		return -EINVAL;
	if (lvt & APIC_LVT_TIMER_TSCDEADLINE && !apic->features->tsc_deadline)
		return -EINVAL;
	if (in->tsc_deadline &&
	    (lvt & LAPIC_TIMER_MODE) != APIC_LVT_TIMER_TSCDEADLINE)
		return -EINVAL;
	return 0;
}

static void lapic_load_bitmap(unsigned long *bitmap,
			      const struct lodge_lapic *in, u32 offset)
{
	u32 word[8];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(word); i++)
		word[i] = lapic_get_reg(in, offset + 16 * i);
	lapic_store_bitmap(bitmap, word);
}

static void lapic_load_lvt(struct lodge_apic *apic,
			   const struct lodge_lapic *in)
{
	int i;

	for (i = 0; i < LAPIC_NR_LVTS; i++) {
		u32 value = lapic_get_reg(in, APIC_LVTT + 16 * i);

		if (!(apic->svr & APIC_SPIV_APIC_ENABLED))
			value |= APIC_LVT_MASKED;
		WRITE_ONCE(apic->lvt[i], value);
	}
}

static void lapic_load_timer(struct lodge_apic *apic,
			     const struct lodge_lapic *in)
{
	lodge_lapic_timer_load(apic, lapic_get_reg(in, APIC_TMICT),
			       lapic_get_reg(in, APIC_TDCR),
			       lapic_get_reg(in, APIC_TMCCT), in->timer_ns);
	lodge_lapic_timer_set_deadline(apic, in->tsc_deadline);
}

static void lapic_load_eoi(struct lodge_apic *apic,
			   const struct lodge_lapic *in)
{
	bitmap_from_arr32(apic->eoi, in->eoi, LAPIC_NR_VECTORS);
	if (!bitmap_empty(apic->eoi, LAPIC_NR_VECTORS))
		set_bit(LODGE_REQ_EOI, apic->requests);
}

void lodge_lapic_set(struct lodge_apic *apic, const struct lodge_lapic *in)
{
	u32 ldr = lapic_is_x2apic(apic) ? in->ldr : lapic_get_reg(in, APIC_LDR);

	lodge_lapic_timer_stop(apic);
	apic->tpr = lapic_get_reg(in, APIC_TASKPRI);
	WRITE_ONCE(apic->ldr, ldr & GENMASK(31, 24));
	WRITE_ONCE(apic->dfr, lapic_get_reg(in, APIC_DFR));
	WRITE_ONCE(apic->svr, lapic_get_reg(in, APIC_SPIV));
	apic->icr = lapic_get_reg(in, APIC_ICR) & ~APIC_ICR_BUSY;
	apic->icr2 = lapic_get_reg(in, APIC_ICR2);
	apic->esr = lapic_get_reg(in, APIC_ESR);
	xchg(&apic->errors, in->errors);
	lapic_load_lvt(apic, in);
	lapic_load_bitmap(apic->tmr, in, APIC_TMR);
	lapic_load_bitmap(apic->isr, in, APIC_ISR);
	lapic_load_bitmap(apic->irr, in, APIC_IRR);
	lapic_load_eoi(apic, in);
	lapic_load_timer(apic, in);
	lodge_lapic_update_priority(apic);
	set_bit(LODGE_REQ_EVENT, apic->requests);
}
