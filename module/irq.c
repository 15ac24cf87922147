// SPDX-License-Identifier: GPL-2.0
/*
 * Carries interrupt messages from an APIC or a device to the local APICs.
 *
 * No lock is taken: an APIC that is being connected is found or it is not.  APIC
 * IDs never change, so a physical destination is an index.
 *
 * Intel SDM vol. 3, sections 10.6 and 10.11; AMD APM vol. 2, chapter 16.
 */
#include <linux/nospec.h>

#include "apic.h"
#include "lapic.h"

/* struct lodge_irq.shorthand. */
enum {
	SHORTHAND_NONE,
	SHORTHAND_SELF,
	SHORTHAND_ALL,
	SHORTHAND_OTHERS,
};

/* An MSI's address. */
#define MSI_WINDOW(address) ((address) >> 20 & 0xfffff)
#define MSI_WINDOW_APIC 0xfee
#define MSI_DESTINATION(address) ((address) >> 12 & 0xff)
#define MSI_WIDE_DESTINATION(address) ((address) >> 40 << 8)
#define MSI_REDIRECTION_HINT BIT(3)
#define MSI_LOGICAL BIT(2)
#define MSI_LEVEL BIT(15) /* of the data */

/* Below every destination that means everyone. */
static_assert(LODGE_MAX_VCPUS < 0xff);

void lodge_irq_connect(struct lodge_apic_bus *bus, struct lodge_apic *apic)
{
	u32 id = array_index_nospec(apic->id, LODGE_MAX_VCPUS);

	/* A sender that finds it finds it complete. */
	smp_store_release(&bus->apic[id], apic);
	WRITE_ONCE(bus->nr, max(bus->nr, id + 1));
}

static struct lodge_apic *irq_apic_at(struct lodge_apic_bus *bus, u32 id)
{
	id = array_index_nospec(id, LODGE_MAX_VCPUS);
	return READ_ONCE(bus->apic[id]);
}

/* For every shorthand but SELF. */
static bool irq_is_for(struct lodge_apic *apic, struct lodge_apic *from,
		       const struct lodge_irq *irq)
{
	switch (irq->shorthand) {
	case SHORTHAND_ALL:
		return true;
	case SHORTHAND_OTHERS:
		return apic != from;
	default:
		return lodge_lapic_matches(apic, irq);
	}
}

/* Those of equal priority take turns. */
static int irq_send_lowest(struct lodge_apic_bus *bus, struct lodge_apic *from,
			   const struct lodge_irq *irq)
{
	u32 count = READ_ONCE(bus->nr);
	u32 turn = READ_ONCE(bus->turn);
	struct lodge_apic *best = NULL;
	u8 best_priority = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		struct lodge_apic *apic = irq_apic_at(bus, (turn + i) % count);
		u8 priority;

		if (!apic || !irq_is_for(apic, from, irq) ||
		    !lapic_takes_vectors(apic))
			continue;
		priority = READ_ONCE(apic->ppr) & 0xf0;
		if (!best || priority < best_priority) {
			best = apic;
			best_priority = priority;
		}
	}
	if (!best)
		return 0;
	WRITE_ONCE(bus->turn, best->id + 1);
	return lodge_lapic_accept(best, irq);
}

int lodge_irq_send(struct lodge_apic_bus *bus, struct lodge_apic *from,
		   const struct lodge_irq *irq)
{
	struct lodge_apic *apic;
	u32 count, i;
	int taken = 0;

	if (irq->shorthand == SHORTHAND_SELF)
		return from && lodge_lapic_accept(from, irq);
	if (irq->shorthand == SHORTHAND_NONE && !irq->logical &&
	    irq->destination < LODGE_MAX_VCPUS) {
		apic = irq_apic_at(bus, irq->destination);
		return apic && lodge_lapic_accept(apic, irq);
	}
	if (irq->mode == APIC_DM_LOWEST)
		return irq_send_lowest(bus, from, irq);
	count = READ_ONCE(bus->nr);
	for (i = 0; i < count; i++) {
		apic = irq_apic_at(bus, i);
		if (apic && irq_is_for(apic, from, irq))
			taken += lodge_lapic_accept(apic, irq);
	}
	return taken;
}

/* Return: false if no device can send such a message. */
static bool irq_of_msi(struct lodge_irq *irq, const struct lodge_msi *msi)
{
	u32 wide = MSI_WIDE_DESTINATION(msi->address);

	*irq = (struct lodge_irq){
		.destination = wide | MSI_DESTINATION(msi->address),
		.vector = msi->data & APIC_VECTOR_MASK,
		.mode = msi->data & APIC_MODE_MASK,
		.logical = msi->address & MSI_LOGICAL,
		.x2apic = wide,
		.level = msi->data & MSI_LEVEL,
	};

	if (msi->flags || MSI_WINDOW(msi->address) != MSI_WINDOW_APIC)
		return false;
	switch (irq->mode) {
	case APIC_DM_FIXED:
		/* The hint asks for one of those that are addressed. */
		if (irq->logical && msi->address & MSI_REDIRECTION_HINT)
			irq->mode = APIC_DM_LOWEST;
		return true;
	case APIC_DM_LOWEST:
	case APIC_DM_NMI:
	case APIC_DM_INIT:
		return true;
	default:
		return false;
	}
}

bool lodge_irq_msi_valid(const struct lodge_msi *msi)
{
	struct lodge_irq irq;

	return irq_of_msi(&irq, msi);
}

bool lodge_irq_msi_is_level(const struct lodge_msi *msi)
{
	return msi->data & MSI_LEVEL;
}

bool lodge_irq_msi_is_for(const struct lodge_msi *msi,
			  const struct lodge_apic *apic)
{
	struct lodge_irq irq;

	return irq_of_msi(&irq, msi) && lodge_lapic_matches(apic, &irq);
}

int lodge_irq_msi(struct lodge_apic_bus *bus, const struct lodge_msi *msi)
{
	struct lodge_irq irq;

	if (!irq_of_msi(&irq, msi))
		return -EINVAL;
	return lodge_irq_send(bus, NULL, &irq) ? 0 : -ENXIO;
}
