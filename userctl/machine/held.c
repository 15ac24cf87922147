// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a machine while it is held.
 */
#include "machine/held.h"

#include <errno.h>
#include <x86intrin.h>

#include "lib/client.h"

#define MACHINE_SECTION "machine"
/* NTP, which a guest corrects its clock by, makes up for as much and more. */
#define TSC_TOLERANCE_PPM 250
#define PPM 1000000

/**
 * struct shape - a saved machine's size and its clocks
 * @ram_low: bytes of RAM below the hole
 * @ram_high: bytes of RAM above
 * @vcpus: number of vCPUs
 * @now: the machine's clock
 * @clock_ns: the VM's clock
 * @asleep: the guest sleeps in S3
 * @tsc_khz: rate of its time stamp counters; 0: unknown
 */
struct shape {
	uint64_t ram_low;
	uint64_t ram_high;
	uint32_t vcpus;
	uint64_t now;
	uint64_t clock_ns;
	bool asleep;
	uint32_t tsc_khz;
};

static const struct record_field fields[] = {
	RECORD_ANY(1, struct shape, ram_low),
	RECORD_ANY(2, struct shape, ram_high),
	RECORD_ANY(3, struct shape, vcpus),
	RECORD_FIELD(4, struct shape, now, INT64_MAX),
	RECORD_ANY(5, struct shape, clock_ns),
	RECORD_BOOL(6, struct shape, asleep),
	RECORD_ANY(7, struct shape, tsc_khz),
};

#define COUNT (sizeof(fields) / sizeof(fields[0]))

/* All vCPUs and the clock are read for the same moment. */
int held_take(struct held *held)
{
	struct lodge_clock clock;
	int err;

	if (held->taken)
		return 0;
	err = lodge_clock_get(held->vm, &clock);
	for (struct vcpu **vcpu = held->vcpus; *vcpu && !err; vcpu++)
		err = vcpu_take(*vcpu, clock.host_tsc, &held->clock);
	held->clock_ns = clock.ns;
	held->taken = !err;
	return err;
}

int held_give(struct held *held)
{
	uint64_t now = __rdtsc();
	int err = 0;

	if (!held->taken)
		return 0;
	for (struct vcpu **vcpu = held->vcpus; *vcpu && !err; vcpu++)
		err = vcpu_give(*vcpu, now);
	if (!err)
		err = lodge_clock_set(held->vm, held->clock_ns, now);
	held->taken = err;
	return err;
}

static struct shape shape_of(const struct held *held)
{
	struct shape shape = {
		.ram_low = ram_low(held->ram),
		.ram_high = ram_high(held->ram),
		.now = loop_now(held->loop),
		.clock_ns = held->clock_ns,
		.asleep = held->asleep,
		.tsc_khz = held->measured_khz,
	};

	while (held->vcpus[shape.vcpus])
		shape.vcpus++;
	return shape;
}

static int save_shape(const struct held *held, struct record *record)
{
	struct shape shape = shape_of(held);
	size_t place;
	int err = record_open(record, MACHINE_SECTION, 0, &place);

	if (!err)
		err = record_save(record, fields, COUNT, &shape);
	if (!err)
		record_close(record, place);
	return err;
}

int held_save(struct held *held, struct record *record)
{
	int err = held_take(held);

	if (!err)
		err = save_shape(held, record);
	for (struct vcpu **vcpu = held->vcpus; *vcpu && !err; vcpu++)
		err = cpu_state_save(vcpu_state(*vcpu), vcpu_id(*vcpu), record);
	if (!err)
		err = interrupts_save(held->interrupts, record);
	if (!err)
		err = devices_save(held->devices, record);
	return err;
}

/* A guest measures the rate when it starts, and never again. */
static bool is_rate_fit(uint32_t own, uint32_t wanted)
{
	const uint64_t apart = own > wanted ? own - wanted : wanted - own;

	return !own || !wanted ||
	       apart * PPM <= (uint64_t)own * TSC_TOLERANCE_PPM;
}

/*
 * One host after the other may be a little slower: what the guest has measured is kept.
 *
 * Return: 0; -ERANGE the counters cannot have this rate.
 */
static int take_rate(struct held *held, uint32_t khz)
{
	if (!is_rate_fit(held->clock.khz, khz)) {
		if (lodge_tsc_rate_set(held->vm, khz)) {
			held->wants_khz = khz;
			return -ERANGE;
		}
		held->clock.khz = khz;
	}
	if (khz)
		held->measured_khz = khz;
	return 0;
}

static int take_shape(struct held *held, const struct shape *shape)
{
	held->clock_ns = shape->clock_ns;
	held->asleep = shape->asleep;
	return loop_clock_set(held->loop, shape->now);
}

static int load_shape(struct held *held, const struct record *record)
{
	struct shape own = shape_of(held), shape = own;
	struct record_section section;
	int err = record_find(record, MACHINE_SECTION, 0, &section);

	if (!err)
		err = record_load(&section.body, fields, COUNT, &shape,
				  sizeof(shape), NULL);
	if (err)
		return err;
	if (shape.ram_low != own.ram_low || shape.ram_high != own.ram_high ||
	    shape.vcpus != own.vcpus)
		return -EINVAL;
	err = take_rate(held, shape.tsc_khz);
	return err ? err : take_shape(held, &shape);
}

static int put_back_shape(struct held *held, const struct record *record,
			  size_t *at)
{
	struct record_section section;
	struct shape shape;
	int err = record_next(record, at, &section);

	if (!err)
		err = record_put_back(&section.body, fields, COUNT, &shape);
	return err ? err : take_shape(held, &shape);
}

/* The machine's clock is loaded before the devices, whose timers use it. */
static int load_board(struct held *held, const struct record *record,
		      unsigned int *sections)
{
	unsigned int devices = 0;
	int err = load_shape(held, record);

	if (!err)
		err = interrupts_load(held->interrupts, record);
	if (!err)
		err = devices_load(held->devices, record, &devices);
	*sections = 1 + INTERRUPTS_SECTIONS + devices;
	return err;
}

/*
 * The caller has found @wanted sections.  If the record has no more, it has none
 * twice and no unknown one.
 */
static int check_number(const struct record *record, unsigned int wanted)
{
	struct record_section section;
	unsigned int count = 0;
	size_t at = 0;
	int err;

	while (!(err = record_next(record, &at, &section)))
		count++;
	return err == -ENOENT && count == wanted ? 0 : -EINVAL;
}

/* Return: 0 or -errno. */
static int load_vcpu(struct held *held, struct vcpu *vcpu,
		     const struct record *record)
{
	int err = cpu_state_load(vcpu_state(vcpu), vcpu_id(vcpu), record);

	if (!err && vcpu_lacks(vcpu, held->lacks))
		err = -EOPNOTSUPP;
	return err;
}

/* In the order of held_save(). */
int held_put_back(struct held *held, const struct record *record)
{
	size_t at = 0;
	int err = put_back_shape(held, record, &at);

	for (struct vcpu **vcpu = held->vcpus; *vcpu && !err; vcpu++)
		err = cpu_state_put_back(vcpu_state(*vcpu), record, &at);
	if (!err)
		err = interrupts_put_back(held->interrupts, record, &at);
	if (!err)
		err = devices_put_back(held->devices, record, &at);
	held->taken = !err;
	return err;
}

int held_load(struct held *held, const struct record *record)
{
	unsigned int sections;
	int err = load_board(held, record, &sections);

	for (struct vcpu **vcpu = held->vcpus; *vcpu && !err; vcpu++) {
		err = load_vcpu(held, *vcpu, record);
		sections += CPU_STATE_SECTIONS;
	}
	if (!err)
		err = check_number(record, sections);
	if (err)
		return err;
	devices_moved(held->devices);
	/* held_give() lets the kernel check the state; it is given again at resume. */
	held->taken = true;
	err = held_give(held);
	held->taken = !err;
	return err;
}
