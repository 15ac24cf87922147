// SPDX-License-Identifier: GPL-2.0
/*
 * Compares messages between local APICs, and from devices, with a model of the manual's
 * rules: the destinations, and the interrupts they get.
 *
 * Intel SDM vol. 3, sections 10.6 and 10.12.
 */
#include "fake_apic.h"

#include "kselftest_harness.h"

#define VECTORS 256
#define X2APIC_MSR(offset) (0x800 + ((offset) >> 4))

/* The model's view of an APIC. */
struct station {
	enum mode mode;
	bool takes_vectors;
	u8 ldr;
	bool flat;
	u8 class;
};

#define STATIONS MAX_FAKE_CPUS

FIXTURE(bus)
{
	struct station station[STATIONS];
};

static void make_station(struct station *station)
{
	struct lodge_apic *apic = fake_apic_new(false);

	*station = (struct station){
		.mode = fake_random(8) ? XAPIC + fake_random(2) : OFF,
		.takes_vectors = fake_random(8),
		.ldr = fake_random(4) ? 1U << fake_random(8) :
					fake_random(VECTORS),
		.flat = fake_random(2),
		.class = fake_random(4),
	};
	fake_write(apic, APIC_LDR, (u32)station->ldr << 24);
	fake_write(apic, APIC_DFR, station->flat ? ~0U : 0x0fffffff);
	fake_write(apic, APIC_TASKPRI, 16 * station->class);
	if (station->takes_vectors)
		fake_apic_enable(apic);
	if (station->mode == X2APIC)
		fake_apic_x2apic(apic);
	else if (station->mode == OFF)
		fake_wrmsr(apic, MSR_IA32_APICBASE,
			   *apic->base & ~(u64)MSR_IA32_APICBASE_ENABLE);
}

FIXTURE_SETUP(bus)
{
	fake_seed = 2;
}

FIXTURE_TEARDOWN(bus)
{
}

static void make_stations(FIXTURE_DATA(bus) * self)
{
	fake_apics_reset();
	for (int i = 0; i < STATIONS; i++)
		make_station(&self->station[i]);
}

/* A message in the manual's terms. */
struct message {
	u32 destination;
	bool wide;
	bool logical;
	u8 shorthand;
	u16 mode;
	u8 vector;
};

/* Sections 10.6.2 and 10.12.10: true if @station, number @id, is addressed. */
static bool is_addressed(const struct station *station, u32 id, u32 sender,
			 const struct message *m)
{
	if (station->mode == OFF)
		return false;
	switch (m->shorthand) {
	case 1:
		return id == sender;
	case 2:
		return true;
	case 3:
		return id != sender;
	}
	if (m->destination == (m->wide ? 0xffffffff : 0xff))
		return true;
	if (!m->logical)
		return m->destination == id;
	if (station->mode == X2APIC)
		return m->destination >> 16 == id / 16 &&
		       m->destination >> id % 16 & 1;
	if (m->destination > 0xff)
		return false;
	if (station->flat)
		return station->ldr & m->destination;
	return station->ldr / 16 == m->destination / 16 &&
	       station->ldr % 16 & m->destination % 16;
}

/* Marks the APICs that may take a message.  Return: the number that must take it. */
static unsigned int model_send(FIXTURE_DATA(bus) * self, u32 sender,
			       const struct message *m, bool may[STATIONS])
{
	bool vector = m->mode == APIC_DM_FIXED || m->mode == APIC_DM_LOWEST;
	unsigned int count = 0;
	u8 lowest = 16;

	for (u32 i = 0; i < STATIONS; i++) {
		const struct station *station = &self->station[i];

		may[i] = is_addressed(station, i, sender, m) &&
			 (!vector || station->takes_vectors);
		count += may[i];
		if (may[i] && station->class < lowest)
			lowest = station->class;
	}
	if (m->mode != APIC_DM_LOWEST)
		return count;
	for (u32 i = 0; i < STATIONS; i++)
		may[i] = may[i] && self->station[i].class == lowest;
	return count ? 1 : 0;
}

static bool has_taken(const struct fake_cpu *cpu, const struct message *m)
{
	switch (m->mode) {
	case APIC_DM_FIXED:
	case APIC_DM_LOWEST:
		return cpu->apic.irr[m->vector / 64] >> m->vector % 64 & 1;
	case APIC_DM_NMI:
		return cpu->nmis;
	case APIC_DM_INIT:
		return cpu->inits;
	case APIC_DM_STARTUP:
		return cpu->sipis && cpu->sipi_vector == m->vector;
	}
	return false;
}

static void forget_all(void)
{
	for (u32 i = 0; i < STATIONS; i++) {
		struct fake_cpu *cpu = &fake.cpu[i];

		memset(cpu->apic.irr, 0, sizeof(cpu->apic.irr));
		cpu->nmis = cpu->inits = cpu->sipis = 0;
	}
}

/* True if exactly the right APICs took the message. */
static bool went_right(FIXTURE_DATA(bus) * self, u32 sender,
		       const struct message *m)
{
	bool may[STATIONS];
	unsigned int want = model_send(self, sender, m, may);
	unsigned int got = 0;

	for (u32 i = 0; i < STATIONS; i++) {
		if (!has_taken(&fake.cpu[i], m))
			continue;
		got++;
		if (!may[i]) {
			printf("# %u has taken it\n", i);
			return false;
		}
	}
	if (got != want)
		printf("# %u have taken it, not %u\n", got, want);
	return got == want;
}

static struct message random_message(bool wide)
{
	static const u16 modes[] = { APIC_DM_FIXED,  APIC_DM_FIXED,
				     APIC_DM_LOWEST, APIC_DM_NMI,
				     APIC_DM_INIT,   APIC_DM_STARTUP };
	struct message m = {
		.wide = wide,
		.logical = fake_random(2),
		.shorthand = fake_random(3) ? 0 : fake_random(4),
		.mode = modes[fake_random(ARRAY_SIZE(modes))],
		.vector = 16 + fake_random(VECTORS - 16),
	};

	/* An APIC can send only vectors to itself. */
	if (m.shorthand == 1)
		m.mode = APIC_DM_FIXED;
	if (!fake_random(8))
		m.destination = wide ? 0xffffffff : 0xff;
	else if (!m.logical || !wide)
		m.destination = fake_random(m.logical ? VECTORS : STATIONS + 8);
	else
		m.destination = fake_random(4) << 16 | fake_random(0x10000);
	return m;
}

/* Sends a message by the sender's ICR, in the form of its mode. */
static void command(u32 sender, const struct message *m)
{
	struct lodge_apic *apic = &fake.cpu[sender].apic;
	u32 low = m->vector | m->mode | m->shorthand << 18 | APIC_INT_ASSERT;

	if (m->logical)
		low |= APIC_DEST_LOGICAL;
	if (m->wide) {
		fake_wrmsr(apic, X2APIC_MSR(APIC_ICR),
			   (u64)m->destination << 32 | low);
	} else {
		fake_write(apic, APIC_ICR2, m->destination << 24);
		fake_write(apic, APIC_ICR, low);
	}
}

TEST_F(bus, carries_commands_to_those_of_the_model)
{
	for (int i = 0; i < 20000; i++) {
		u32 sender = fake_random(STATIONS);
		struct message m;

		if (i % 100 == 0)
			make_stations(self);
		if (self->station[sender].mode == OFF)
			continue;
		m = random_message(self->station[sender].mode == X2APIC);
		forget_all();
		command(sender, &m);
		ASSERT_TRUE(went_right(self, sender, &m));
	}
}

TEST_F(bus, carries_messages_of_devices_to_those_of_the_model)
{
	for (int i = 0; i < 20000; i++) {
		struct message m = random_message(false);
		struct lodge_msi msi = { 0 };
		bool hint = fake_random(2);
		int error;

		if (i % 100 == 0)
			make_stations(self);
		m.shorthand = 0;
		if (m.mode == APIC_DM_STARTUP)
			m.mode = APIC_DM_NMI;
		msi.address = 0xfee00000 | m.destination << 12 | hint << 3 |
			      m.logical << 2;
		msi.data = m.vector | m.mode;
		forget_all();
		error = lodge_irq_msi(&fake.bus, &msi);
		/* With the hint, only the one with the lowest priority takes it. */
		if (hint && m.logical && m.mode == APIC_DM_FIXED)
			m.mode = APIC_DM_LOWEST;
		ASSERT_TRUE(went_right(self, ~0U, &m));
		ASSERT_TRUE(error == 0 || error == -ENXIO);
	}
}

TEST_F(bus, gives_each_of_equal_priority_its_turn)
{
	unsigned int taken[8] = { 0 };

	fake_apics_reset();
	for (int i = 0; i < 8; i++)
		fake_apic_enable(fake_apic_new(false));
	for (int i = 0; i < 800; i++) {
		const struct message m = { .destination = 0xff,
					   .logical = true,
					   .mode = APIC_DM_LOWEST,
					   .vector = 0x40 };

		command(0, &m);
		for (int cpu = 0; cpu < 8; cpu++) {
			taken[cpu] += has_taken(&fake.cpu[cpu], &m);
			fake.cpu[cpu].apic.irr[1] = 0;
		}
	}
	for (int cpu = 0; cpu < 8; cpu++)
		EXPECT_EQ(100U, taken[cpu]);
}

TEST_F(bus, carries_no_vector_of_an_exception)
{
	const struct message m = { .shorthand = 2, .vector = 15 };
	struct lodge_apic *apic;

	fake_apics_reset();
	apic = fake_apic_new(false);
	fake_apic_enable(apic);
	command(0, &m);
	EXPECT_FALSE(has_taken(&fake.cpu[0], &m));
	fake_write(apic, APIC_ESR, 0);
	EXPECT_EQ(APIC_ESR_SENDILL, fake_read(apic, APIC_ESR));
	fake_write(apic, APIC_ESR, 0);
	EXPECT_EQ(0U, fake_read(apic, APIC_ESR));
}

/* x2APIC's registers of the MSRs. */
#define MSR_EOI 0x80b
#define MSR_ICR 0x830
#define MSR_LVT_TIMER 0x832
#define MSR_SELF_IPI 0x83f

/* With interrupts off: the host waits for as long as it takes. */
TEST(only_messages_to_one_apic_are_quick)
{
	static const struct {
		u64 icr;
		bool quick;
	} commands[] = {
		{ 0x40060, true }, /* self */
		{ 0x80060, false }, /* all */
		{ 0xc0060, false }, /* all others */
		{ 0x060, true },
		{ (LODGE_MAX_VCPUS - 1ULL) << 32 | 0x060, true },
		{ (u64)LODGE_MAX_VCPUS << 32 | 0x060, false },
		{ 0xffffffffULL << 32 | 0x060, false }, /* everyone */
		{ 1ULL << 32 | APIC_DEST_LOGICAL | 0x060, false },
		{ 1ULL << 32 | APIC_DM_LOWEST | 0x060, true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		EXPECT_EQ(commands[i].quick,
			  lodge_lapic_msr_quick(MSR_ICR, true,
						commands[i].icr));
}

TEST(of_other_registers_reads_are_quick_and_few_writes)
{
	u32 index;

	EXPECT_TRUE(lodge_lapic_msr_quick(MSR_EOI, true, 0));
	EXPECT_TRUE(lodge_lapic_msr_quick(MSR_SELF_IPI, true, 0x60));
	EXPECT_TRUE(lodge_lapic_msr_quick(MSR_IA32_TSC_DEADLINE, true, 1));
	EXPECT_FALSE(lodge_lapic_msr_quick(MSR_LVT_TIMER, true, 0));
	EXPECT_FALSE(lodge_lapic_msr_quick(MSR_IA32_APICBASE, true, 0));
	for (index = 0x800; index < 0x900; index++)
		EXPECT_TRUE(lodge_lapic_msr_quick(index, false, 0));
	EXPECT_TRUE(lodge_lapic_msr_quick(MSR_IA32_APICBASE, false, 0));
	EXPECT_FALSE(lodge_lapic_msr_quick(0x7ff, false, 0));
	EXPECT_FALSE(lodge_lapic_msr_quick(0x900, false, 0));
	EXPECT_FALSE(lodge_lapic_msr_quick(0x10, false, 0));
	EXPECT_FALSE(lodge_lapic_msr_quick(0x10, true, 0));
}

TEST_HARNESS_MAIN
