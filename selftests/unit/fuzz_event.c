// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes event delivery: the input raises and sends events, enters and exits, cuts
 * deliveries short and resets, in any order.  After each step, the invariants are
 * checked: among them, no NMI or interrupt is added or lost.
 */
#include "fake_delivery.h"
#include "fuzz_check.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static bool waits(const struct lodge_event *event)
{
	return event->type != LODGE_EVENT_NONE;
}

static void raise(struct lodge_delivery *d, u8 byte)
{
	lodge_event_raise(d, byte % 32, byte);
}

static void send(struct lodge_delivery *d, u8 byte)
{
	static const u16 modes[] = { APIC_DM_NMI, APIC_DM_INIT, APIC_DM_STARTUP,
				     APIC_DM_LOWEST };

	if (byte < ARRAY_SIZE(modes))
		fake_send(byte, modes[byte]);
	else
		fake_send(byte, APIC_DM_FIXED);
}

static void extint(struct lodge_delivery *d, u8 byte)
{
	bool busy = lodge_event_has_extint(d);

	require(lodge_event_extint(d, byte) == (busy ? -EBUSY : 0));
}

static void flags(struct lodge_delivery *d, u8 byte)
{
	fake.regs.general.rflags = byte & 1 ? X86_EFLAGS_IF : 0;
	fake.interruptibility = 0;
	if (byte & 2)
		fake.interruptibility |= LODGE_EVENT_SHADOW;
	if (byte & 4)
		fake.interruptibility |= LODGE_EVENT_NMI_BLOCKED;
	d->wants_window = byte & 8;
}

static void deliver(struct lodge_delivery *d, u8 byte)
{
	bool held = !(fake.regs.general.rflags & X86_EFLAGS_IF) ||
		    fake.interruptibility & LODGE_EVENT_SHADOW;
	bool waited = waits(&d->in_flight);

	if (byte & 1 && d->mp_state == LODGE_MP_RUNNABLE && !waited) {
		set_bit(LODGE_REQ_EVENT, &fake.requests);
		if (!lodge_event_deliver_quick(d)) {
			require(fake.requests & BIT(LODGE_REQ_EVENT) ||
				fake.wanted || d->exit_at_once);
		} else {
			require(!fake.requests ||
				fake.requests == BIT(LODGE_REQ_EOI));
			require(!fake.wanted && !d->exit_at_once);
			require(waits(&d->in_flight) || !lodge_event_wakes(d));
		}
	} else {
		clear_bit(LODGE_REQ_EVENT, &fake.requests);
		if (lodge_event_deliver(d) != LODGE_DELIVERED || waited)
			return;
	}
	if (waits(&d->in_flight)) {
		require(d->mp_state != LODGE_MP_WAIT_SIPI);
		require(fake.injected.type == d->in_flight.type);
	}
	if (d->in_flight.type == LODGE_EVENT_EXTERNAL)
		require(!held);
}

/* The entry delivers the event, or an exit cuts the delivery short. */
static void enter(struct lodge_delivery *d, u8 byte)
{
	struct lodge_event interrupted = { .type = LODGE_EVENT_NONE };

	if (byte & 1)
		interrupted = d->in_flight;
	fake.injected.type = LODGE_EVENT_NONE;
	lodge_event_delivered(d, &interrupted);
	require(!waits(&d->in_flight));
}

static void take_back(struct lodge_delivery *d, u8 byte)
{
	bool waited = waits(&d->in_flight);

	lodge_event_take_back(d);
	require(!waited || !waits(&fake.injected));
	require(!waited || fake.requests & BIT(LODGE_REQ_EVENT));
}

static void end_interrupt(struct lodge_delivery *d, u8 byte)
{
	u32 value = byte & 0xf0;

	lodge_lapic_write(d->apic, byte & 1 ? APIC_EOI : APIC_TASKPRI, &value,
			  sizeof(value));
}

static void sleep(struct lodge_delivery *d, u8 byte)
{
	if (d->mp_state == LODGE_MP_RUNNABLE && !waits(&d->exception))
		d->mp_state = LODGE_MP_HALTED;
	if (lodge_event_wakes(d))
		set_bit(LODGE_REQ_EVENT, &fake.requests);
}

static void check(const struct lodge_delivery *d)
{
	int nmis = atomic_read(&d->nmis);

	require(nmis >= 0 && nmis <= LODGE_MAX_NMIS);
	require(d->mp_state <= LODGE_MP_WAIT_SIPI);
	require(d->exception.type == LODGE_EVENT_NONE ||
		d->exception.type == LODGE_EVENT_FAULT);
	require(d->exception.vector < 32 && d->reinject.vector < 32);
	require(d->reinject.type != LODGE_EVENT_EXTERNAL);
	require(d->acknowledged.type == LODGE_EVENT_NONE ||
		d->acknowledged.type == LODGE_EVENT_EXTERNAL);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static void (*const steps[])(struct lodge_delivery * d, u8 byte) = {
		raise, send,	  extint,	 flags,	  deliver, enter,
		send,  take_back, end_interrupt, sleep,	  deliver, enter,
		flags, deliver,	  enter,	 deliver,
	};
	struct lodge_delivery *d = fake_delivery_new();

	for (; size >= 2; data += 2, size -= 2) {
		steps[data[0] % ARRAY_SIZE(steps)](d, data[1]);
		check(d);
	}
	return 0;
}
