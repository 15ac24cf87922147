// SPDX-License-Identifier: GPL-2.0
/*
 * The local APIC: its registers by MMIO (xAPIC) and MSR (x2APIC), its
 * priorities, the messages it takes and those it sends.
 *
 * It has no lock.  Anyone may request a vector, in any context, by setting its
 * bit; all else is done by the thread that holds vcpu->lock.
 *
 * AMD APM vol. 2, chapter 16; Intel SDM vol. 3, chapter 10.
 */
#include <linux/nospec.h>

#include "apic.h"
#include "event.h"
#include "lapic.h"
#include "request.h"

#define LVT_STATUS BIT(12)
#define LVT_REMOTE_IRR BIT(14)

/* The bits of each register that can be written. */
static const u32 lapic_valid_bits[LAPIC_NR_REGS] = {
	[LAPIC_REG(APIC_TASKPRI)] = 0xff,
	[LAPIC_REG(APIC_LDR)] = 0xff000000,
	[LAPIC_REG(APIC_DFR)] = 0xf0000000,
	[LAPIC_REG(APIC_SPIV)] = 0x3ff,
	[LAPIC_REG(APIC_ICR)] = 0x000cdfff,
	[LAPIC_REG(APIC_ICR2)] = 0xff000000,
	[LAPIC_REG(APIC_LVTT)] = 0x000710ff,
	[LAPIC_REG(APIC_LVTTHMR)] = 0x000117ff,
	[LAPIC_REG(APIC_LVTPC)] = 0x000117ff,
	[LAPIC_REG(APIC_LVT0)] = 0x0001f7ff,
	[LAPIC_REG(APIC_LVT1)] = 0x0001f7ff,
	[LAPIC_REG(APIC_LVTERR)] = 0x000110ff,
	[LAPIC_REG(APIC_TMICT)] = 0xffffffff,
	[LAPIC_REG(APIC_TDCR)] = 0xb,
	[LAPIC_REG(LAPIC_SELF_IPI)] = 0xff,
};

u32 lodge_lapic_valid_bits(u32 reg)
{
	return lapic_valid_bits[array_index_nospec(reg, LAPIC_NR_REGS)];
}

/* Highest vector of a bitmap, or -1. */
static int lapic_highest(const unsigned long *bitmap)
{
	int i;

	/* Four words, of which most are empty: the loop itself would be half the work. */
#pragma GCC unroll 4
	for (i = BITS_TO_LONGS(LAPIC_NR_VECTORS) - 1; i >= 0; i--) {
		unsigned long word = READ_ONCE(bitmap[i]);

		if (word)
			return i * BITS_PER_LONG + __fls(word);
	}
	return -1;
}

/* Priority class of the highest vector in service. */
static u8 lapic_service_class(const struct lodge_apic *apic)
{
	int vector = lapic_highest(apic->isr);

	return vector < 0 ? 0 : vector & 0xf0;
}

static void lapic_raise_error(struct lodge_apic *apic, u32 error);

/* The trigger mode goes first: it must be there when the vector is ended. */
static bool lapic_raise_vector(struct lodge_apic *apic, u8 vector, bool level)
{
	if (!lapic_takes_vectors(apic))
		return false;
	if (vector < LAPIC_FIRST_VECTOR) {
		lapic_raise_error(apic, APIC_ESR_RECVILL);
		return false;
	}
	if (level && !test_bit(vector, apic->tmr))
		set_bit(vector, apic->tmr);
	else if (!level && test_bit(vector, apic->tmr))
		clear_bit(vector, apic->tmr);
	if (!test_and_set_bit(vector, apic->irr))
		lodge_vcpu_request(apic->vcpu, LODGE_REQ_EVENT);
	return true;
}

/* An error that is already noted raises no further interrupt. */
static void lapic_raise_error(struct lodge_apic *apic, u32 error)
{
	if (!test_and_set_bit(__ffs(error), &apic->errors))
		lodge_lapic_local(apic, LAPIC_LVT_ERROR);
}

void lodge_lapic_local(struct lodge_apic *apic, enum lapic_lvt entry)
{
	u32 lvt = READ_ONCE(apic->lvt[entry]);

	if (!(lvt & APIC_LVT_MASKED))
		lapic_raise_vector(apic, lvt & APIC_VECTOR_MASK, false);
}

int lodge_lapic_pending(struct lodge_apic *apic)
{
	int vector = lapic_highest(apic->irr);

	if (vector < 0 || (vector & 0xf0) <= (apic->ppr & 0xf0) ||
	    !lapic_enabled(apic))
		return -1;
	return vector;
}

u32 lodge_lapic_window(struct lodge_apic *apic)
{
	int vector = lapic_highest(apic->irr);
	u8 class = vector & 0xf0;

	if (vector < 0 || !lapic_enabled(apic))
		return 0;
	if (class > (apic->ppr & 0xf0))
		return LODGE_BLOCK_INTERRUPT;
	if (class <= (apic->tpr & 0xf0) && class > lapic_service_class(apic))
		return LODGE_BLOCK_PRIORITY;
	return 0;
}

void lodge_lapic_acknowledge(struct lodge_apic *apic, u8 vector)
{
	u32 timer = apic->lvt[LAPIC_LVT_TIMER];

	clear_bit(vector, apic->irr);
	__set_bit(vector, apic->isr);
	WRITE_ONCE(apic->ppr, vector & 0xf0);
	if (vector == (timer & APIC_VECTOR_MASK) &&
	    (timer & LAPIC_TIMER_MODE) == APIC_LVT_TIMER_PERIODIC)
		lodge_lapic_timer_tick(apic);
}

void lodge_lapic_update_priority(struct lodge_apic *apic)
{
	u8 class = lapic_service_class(apic);

	WRITE_ONCE(apic->ppr, (apic->tpr & 0xf0) >= class ? apic->tpr : class);
	/* Of what waits for a lower TPR only, too: the guest may lower it unseen. */
	if (lodge_lapic_window(apic))
		set_bit(LODGE_REQ_EVENT, apic->requests);
}

static void lapic_end_interrupt(struct lodge_apic *apic)
{
	int vector = lapic_highest(apic->isr);

	if (vector < 0)
		return;
	__clear_bit(vector, apic->isr);
	if (test_bit(vector, apic->tmr)) {
		__set_bit(vector, apic->eoi);
		set_bit(LODGE_REQ_EOI, apic->requests);
	}
	lodge_lapic_update_priority(apic);
}

int lodge_lapic_take_eoi(struct lodge_apic *apic)
{
	int vector = lapic_highest(apic->eoi);

	if (vector < 0)
		return -1;
	__clear_bit(vector, apic->eoi);
	if (!bitmap_empty(apic->eoi, LAPIC_NR_VECTORS))
		set_bit(LODGE_REQ_EOI, apic->requests);
	return vector;
}

u8 lodge_lapic_cr8(const struct lodge_apic *apic)
{
	return lapic_cr8(apic);
}

void lodge_lapic_set_cr8(struct lodge_apic *apic, u8 cr8)
{
	if (cr8 == apic->tpr >> 4)
		return;
	apic->tpr = cr8 << 4;
	lodge_lapic_update_priority(apic);
}

bool lodge_lapic_accepts_extint(const struct lodge_apic *apic)
{
	u32 lvt = apic->lvt[LAPIC_LVT_LINT0];

	/* Without its APIC the boot processor's pin is wired to the PIC. */
	if (!lapic_enabled(apic))
		return apic->id == 0;
	return !(lvt & APIC_LVT_MASKED) &&
	       (lvt & APIC_MODE_MASK) == APIC_DM_EXTINT;
}

bool lodge_lapic_accept(struct lodge_apic *apic, const struct lodge_irq *irq)
{
	if (!lapic_enabled(apic))
		return false;
	switch (irq->mode) {
	case APIC_DM_FIXED:
	case APIC_DM_LOWEST:
		return lapic_raise_vector(apic, irq->vector, irq->level);
	case APIC_DM_NMI:
		lodge_event_nmi(apic->delivery);
		return true;
	case APIC_DM_INIT:
		lodge_event_init(apic->delivery);
		return true;
	case APIC_DM_STARTUP:
		lodge_event_sipi(apic->delivery, irq->vector);
		return true;
	default:
		return false;
	}
}

/* Intel SDM vol. 3, section 10.6.2.2. */
static bool lapic_matches_ldr(const struct lodge_apic *apic, u32 destination)
{
	u8 ldr = READ_ONCE(apic->ldr) >> 24;

	if (destination > 0xff)
		return false;
	switch (READ_ONCE(apic->dfr)) {
	case APIC_DFR_FLAT:
		return ldr & destination;
	case APIC_DFR_CLUSTER:
		return ldr >> 4 == destination >> 4 && ldr & destination & 0xf;
	default:
		return false;
	}
}

bool lodge_lapic_matches(const struct lodge_apic *apic,
			 const struct lodge_irq *irq)
{
	u32 everyone = irq->x2apic ? 0xffffffff : 0xff;

	if (!lapic_enabled(apic))
		return false;
	if (irq->destination == everyone)
		return true;
	if (!irq->logical)
		return irq->destination == apic->id;
	if (lapic_is_x2apic(apic))
		return irq->destination >> 16 == apic->id >> 4 &&
		       irq->destination & BIT(apic->id & 15);
	return lapic_matches_ldr(apic, irq->destination);
}

/* Send what the interrupt command register says. */
static void lapic_send_command(struct lodge_apic *apic)
{
	u32 icr = apic->icr;
	struct lodge_irq irq = {
		.vector = icr & APIC_VECTOR_MASK,
		.mode = icr & APIC_MODE_MASK,
		.logical = icr & APIC_DEST_LOGICAL,
		.x2apic = lapic_is_x2apic(apic),
		.shorthand = icr >> 18 & 3,
	};

	irq.destination = irq.x2apic ? apic->icr2 : apic->icr2 >> 24;
	switch (irq.mode) {
	case APIC_DM_FIXED:
	case APIC_DM_LOWEST:
		if (irq.vector < LAPIC_FIRST_VECTOR) {
			lapic_raise_error(apic, APIC_ESR_SENDILL);
			return;
		}
		break;
	case APIC_DM_INIT:
		/* INIT level de-assert is obsolete: it only set arbitration IDs. */
		if ((icr & (APIC_INT_LEVELTRIG | APIC_INT_ASSERT)) ==
		    APIC_INT_LEVELTRIG)
			return;
		break;
	case APIC_DM_NMI:
	case APIC_DM_STARTUP:
		break;
	default:
		return;
	}
	lodge_irq_send(apic->bus, apic, &irq);
}

static void lapic_write_svr(struct lodge_apic *apic, u32 value)
{
	int i;

	WRITE_ONCE(apic->svr, value);
	if (value & APIC_SPIV_APIC_ENABLED)
		return;
	for (i = 0; i < LAPIC_NR_LVTS; i++)
		WRITE_ONCE(apic->lvt[i], apic->lvt[i] | APIC_LVT_MASKED);
}

static void lapic_write_lvt(struct lodge_apic *apic, u32 entry, u32 value)
{
	value &= ~(LVT_STATUS | LVT_REMOTE_IRR);
	if (!(apic->svr & APIC_SPIV_APIC_ENABLED))
		value |= APIC_LVT_MASKED;
	if (entry == LAPIC_LVT_TIMER) {
		if (!apic->features->tsc_deadline)
			value &= ~APIC_LVT_TIMER_TSCDEADLINE;
		lodge_lapic_timer_set_lvt(apic, value);
		return;
	}
	entry = array_index_nospec(entry, LAPIC_NR_LVTS);
	WRITE_ONCE(apic->lvt[entry], value);
	/* LINT0 may now let the PIC's interrupt through. */
	set_bit(LODGE_REQ_EVENT, apic->requests);
}

/* Return: false where there is no register to write. */
static bool lapic_write_reg(struct lodge_apic *apic, u32 reg, u32 value)
{
	switch (reg) {
	case LAPIC_REG(APIC_EOI):
		lapic_end_interrupt(apic);
		return true;
	case LAPIC_REG(APIC_ICR):
		apic->icr = value & ~APIC_ICR_BUSY;
		lapic_send_command(apic);
		return true;
	case LAPIC_REG(APIC_ICR2):
		apic->icr2 = value;
		return true;
	case LAPIC_REG(APIC_TASKPRI):
		apic->tpr = value;
		lodge_lapic_update_priority(apic);
		return true;
	case LAPIC_REG(APIC_LDR):
		WRITE_ONCE(apic->ldr, value);
		return true;
	case LAPIC_REG(APIC_DFR):
		WRITE_ONCE(apic->dfr, value | APIC_DFR_CLUSTER);
		return true;
	case LAPIC_REG(APIC_SPIV):
		lapic_write_svr(apic, value);
		return true;
	case LAPIC_REG(APIC_ESR):
		apic->esr = xchg(&apic->errors, 0);
		return true;
	case LAPIC_REG(APIC_LVTT)... LAPIC_REG(APIC_LVTERR):
		lapic_write_lvt(apic, reg - LAPIC_REG(APIC_LVTT), value);
		return true;
	case LAPIC_REG(APIC_TMICT):
		lodge_lapic_timer_set_count(apic, value);
		return true;
	case LAPIC_REG(APIC_TDCR):
		lodge_lapic_timer_set_divide(apic, value);
		return true;
	default:
		return false;
	}
}

static u32 lapic_bitmap_word(const unsigned long *bitmap, u32 reg)
{
	u32 i = reg & 7;

	return READ_ONCE(bitmap[i / 2]) >> i % 2 * 32;
}

bool lodge_lapic_reg_read(struct lodge_apic *apic, u32 reg, u32 *value)
{
	bool x2apic = lapic_is_x2apic(apic);

	switch (reg) {
	case LAPIC_REG(APIC_ID):
		*value = x2apic ? apic->id : apic->id << 24;
		return true;
	case LAPIC_REG(APIC_LVR):
		*value = LAPIC_VERSION;
		return true;
	case LAPIC_REG(APIC_TASKPRI):
		*value = apic->tpr;
		return true;
	case LAPIC_REG(APIC_PROCPRI):
		*value = apic->ppr;
		return true;
	case LAPIC_REG(APIC_LDR):
		*value = x2apic ? lapic_x2apic_ldr(apic) : apic->ldr;
		return true;
	case LAPIC_REG(APIC_DFR):
		*value = apic->dfr;
		return true;
	case LAPIC_REG(APIC_SPIV):
		*value = apic->svr;
		return true;
	case LAPIC_REG(APIC_ISR)... LAPIC_REG(APIC_ISR) + 7:
		*value = lapic_bitmap_word(apic->isr, reg);
		return true;
	case LAPIC_REG(APIC_TMR)... LAPIC_REG(APIC_TMR) + 7:
		*value = lapic_bitmap_word(apic->tmr, reg);
		return true;
	case LAPIC_REG(APIC_IRR)... LAPIC_REG(APIC_IRR) + 7:
		*value = lapic_bitmap_word(apic->irr, reg);
		return true;
	case LAPIC_REG(APIC_ESR):
		*value = apic->esr;
		return true;
	case LAPIC_REG(APIC_ICR):
		*value = apic->icr;
		return true;
	case LAPIC_REG(APIC_ICR2):
		*value = apic->icr2;
		return true;
	case LAPIC_REG(APIC_LVTT)... LAPIC_REG(APIC_LVTERR):
		reg -= LAPIC_REG(APIC_LVTT);
		*value = apic->lvt[array_index_nospec(reg, LAPIC_NR_LVTS)];
		return true;
	case LAPIC_REG(APIC_TMICT):
		*value = apic->initial_count;
		return true;
	case LAPIC_REG(APIC_TMCCT):
		*value = lodge_lapic_timer_count(apic);
		return true;
	case LAPIC_REG(APIC_TDCR):
		*value = apic->divide;
		return true;
	default:
		return false;
	}
}

bool lodge_lapic_claims(const struct lodge_apic *apic, u64 gpa)
{
	u64 base = lapic_base(apic);

	return base >> PAGE_SHIFT == gpa >> PAGE_SHIFT &&
	       (base & MSR_IA32_APICBASE_ENABLE) && !(base & X2APIC_ENABLE);
}

/*
 * Only aligned accesses of 32 bits are defined.  Any other read takes its bytes
 * from the register's four, and zeros beyond them.
 */
void lodge_lapic_read(struct lodge_apic *apic, u32 offset, void *data,
		      size_t size)
{
	u32 reg = LAPIC_REG(offset);
	u32 byte = offset & 0xf;
	u32 value = 0;

	memset(data, 0, size);
	if (reg != LAPIC_REG(APIC_EOI) && reg != LAPIC_REG(APIC_ARBPRI) &&
	    reg != LAPIC_REG(APIC_RRR) &&
	    !lodge_lapic_reg_read(apic, reg, &value))
		lapic_raise_error(apic, APIC_ESR_ILLREGA);
	if (byte < sizeof(value))
		memcpy(data,
		       (u8 *)&value + array_index_nospec(byte, sizeof(value)),
		       min(size, sizeof(value) - byte));
}

void lodge_lapic_write(struct lodge_apic *apic, u32 offset, const void *data,
		       size_t size)
{
	u32 reg = LAPIC_REG(offset);
	u32 value;

	if (size != sizeof(value) || offset & 0xf)
		return;
	memcpy(&value, data, sizeof(value));
	if (reg < LAPIC_NR_REGS &&
	    lapic_write_reg(apic, reg, value & lodge_lapic_valid_bits(reg)))
		return;
	/* A register that can only be read ignores the write. */
	if (!lodge_lapic_reg_read(apic, reg, &value))
		lapic_raise_error(apic, APIC_ESR_ILLREGA);
}

bool lodge_lapic_base_valid(const struct lodge_apic *apic, u64 value)
{
	u64 flags = MSR_IA32_APICBASE_BSP | MSR_IA32_APICBASE_ENABLE;

	if (apic->features->x2apic && value & MSR_IA32_APICBASE_ENABLE)
		flags |= X2APIC_ENABLE;
	if (value >> apic->features->phys_bits || value & ~(PAGE_MASK | flags))
		return false;
	return !(value & MSR_IA32_APICBASE_BSP) == !!apic->id;
}

/* Intel SDM vol. 3, section 10.12.5; the BSP flag is read-only. */
static bool lapic_write_base(struct lodge_apic *apic, u64 value)
{
	const u64 mode = MSR_IA32_APICBASE_ENABLE | X2APIC_ENABLE;
	u64 old = lapic_base(apic);

	value &= ~MSR_IA32_APICBASE_BSP;
	value |= old & MSR_IA32_APICBASE_BSP;
	if (!lodge_lapic_base_valid(apic, value))
		return true;
	if ((old ^ value) & X2APIC_ENABLE && value & MSR_IA32_APICBASE_ENABLE &&
	    (old & mode) != MSR_IA32_APICBASE_ENABLE)
		return true;

	WRITE_ONCE(*apic->base, value);
	if ((old ^ value) & mode)
		apic->icr2 = 0;
	if (!(value & MSR_IA32_APICBASE_ENABLE))
		lodge_lapic_timer_stop(apic);
	set_bit(LODGE_REQ_EVENT, apic->requests);
	return false;
}

static bool lapic_x2apic_read(struct lodge_apic *apic, u32 reg, u64 *value)
{
	u32 low;

	/* x2APIC has no DFR, and the halves of ICR are one register. */
	if (!lapic_is_x2apic(apic) || reg == LAPIC_REG(APIC_DFR) ||
	    reg == LAPIC_REG(APIC_ICR2) ||
	    !lodge_lapic_reg_read(apic, reg, &low))
		return true;
	*value = low;
	if (reg == LAPIC_REG(APIC_ICR))
		*value |= (u64)apic->icr2 << 32;
	return false;
}

static bool lapic_x2apic_write(struct lodge_apic *apic, u32 reg, u64 value)
{
	if (!lapic_is_x2apic(apic) || reg >= LAPIC_NR_REGS)
		return true;
	if (reg == LAPIC_REG(APIC_ICR)) {
		if ((u32)value & ~lodge_lapic_valid_bits(reg))
			return true;
		apic->icr2 = value >> 32;
		lapic_write_reg(apic, reg, value);
		return false;
	}
	if (value & ~(u64)lodge_lapic_valid_bits(reg))
		return true;
	switch (reg) {
	case LAPIC_REG(APIC_LDR):
	case LAPIC_REG(APIC_DFR):
	case LAPIC_REG(APIC_ICR2):
		return true;
	case LAPIC_REG(LAPIC_SELF_IPI):
		if (value < LAPIC_FIRST_VECTOR)
			lapic_raise_error(apic, APIC_ESR_SENDILL);
		else
			lapic_raise_vector(apic, value, false);
		return false;
	default:
		return !lapic_write_reg(apic, reg, value);
	}
}

bool lodge_lapic_msr_read(struct lodge_apic *apic, u32 index, u64 *value)
{
	switch (index) {
	case MSR_IA32_APICBASE:
		*value = lapic_base(apic);
		return false;
	case MSR_IA32_TSC_DEADLINE:
		if (!apic->features->tsc_deadline)
			return true;
		*value = READ_ONCE(apic->deadline);
		return false;
	default:
		return lapic_x2apic_read(apic, index - LAPIC_FIRST_MSR, value);
	}
}

bool lodge_lapic_msr_write(struct lodge_apic *apic, u32 index, u64 value)
{
	switch (index) {
	case MSR_IA32_APICBASE:
		return lapic_write_base(apic, value);
	case MSR_IA32_TSC_DEADLINE:
		if (!apic->features->tsc_deadline)
			return true;
		lodge_lapic_timer_set_deadline(apic, value);
		return false;
	default:
		return lapic_x2apic_write(apic, index - LAPIC_FIRST_MSR, value);
	}
}

/* A command with one destination at most: it is the sender, or it is indexed. */
static bool lapic_command_is_single(u64 icr)
{
	u32 shorthand = icr & APIC_DEST_ALLBUT;

	if (shorthand)
		return shorthand == APIC_DEST_SELF;
	return !(icr & APIC_DEST_LOGICAL) && icr >> 32 < LODGE_MAX_VCPUS;
}

bool lodge_lapic_msr_quick(u32 index, bool write, u64 value)
{
	if (!write)
		return lapic_has_msr(index);
	switch (index) {
	case MSR_IA32_TSC_DEADLINE:
	case LAPIC_FIRST_MSR + LAPIC_REG(APIC_EOI):
	case LAPIC_FIRST_MSR + LAPIC_REG(APIC_TASKPRI):
	case LAPIC_FIRST_MSR + LAPIC_REG(LAPIC_SELF_IPI):
		return true;
	case LAPIC_FIRST_MSR + LAPIC_REG(APIC_ICR):
		return lapic_command_is_single(value);
	default:
		return false;
	}
}
