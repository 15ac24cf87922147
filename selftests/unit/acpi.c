// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the ACPI tables.  They find and read them as an operating system does, by
 * the specification's offsets, not by the structures of boot/acpi.c.
 */
#include "boot/acpi.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <lodge.h>

#include "boot/aml.h"
#include "dev/pm.h"

#include "kselftest_harness.h"

FIXTURE(acpi)
{
	struct ram *ram;
	struct boot_error error;
	const uint8_t *rsdp;
	const uint8_t *rsdt;
	const uint8_t *xsdt;
	const uint8_t *fadt;
	const uint8_t *madt;
	const uint8_t *facs;
	const uint8_t *dsdt;
};

static uint16_t get16(const uint8_t *at)
{
	return at[0] | at[1] << 8;
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) | (uint32_t)get16(at + 2) << 16;
}

static uint64_t get64(const uint8_t *at)
{
	return get32(at) | (uint64_t)get32(at + 4) << 32;
}

static bool sums_to_zero(const uint8_t *at, size_t size)
{
	uint8_t sum = 0;

	while (size--)
		sum += *at++;
	return !sum;
}

/* Return: the table at @gpa, or NULL unless it is @signature and within the area. */
static const uint8_t *table(const struct ram *ram, uint64_t gpa,
			    const char *signature)
{
	const uint8_t *at = ram_at(ram, gpa, 36);
	uint32_t length;

	if (!at || memcmp(at, signature, 4))
		return NULL;
	length = get32(at + 4);
	if (gpa < ACPI_RSDP || length < 36 || gpa + length > ACPI_END)
		return NULL;
	return at;
}

FIXTURE_VARIANT(acpi)
{
	unsigned int cpus;
};

FIXTURE_VARIANT_ADD(acpi, one_cpu){
	.cpus = 1,
};

FIXTURE_VARIANT_ADD(acpi, all_cpus){
	.cpus = LODGE_MAX_VCPUS,
};

FIXTURE_SETUP(acpi)
{
	self->ram = ram_new(1 << 20);
	ASSERT_NE(NULL, self->ram);
	memset(ram_at(self->ram, 0, 1 << 20), 0xee, 1 << 20);
	ASSERT_EQ(0, acpi_write(self->ram,
				&(struct dsdt_parts){ variant->cpus, 1 },
				&self->error));
	self->rsdp = ram_at(self->ram, ACPI_RSDP, 36);
	self->rsdt = table(self->ram, get32(self->rsdp + 16), "RSDT");
	self->xsdt = table(self->ram, get64(self->rsdp + 24), "XSDT");
	ASSERT_NE(NULL, self->rsdt);
	ASSERT_NE(NULL, self->xsdt);
	self->fadt = table(self->ram, get64(self->xsdt + 36), "FACP");
	self->madt = table(self->ram, get64(self->xsdt + 44), "APIC");
	ASSERT_NE(NULL, self->fadt);
	ASSERT_NE(NULL, self->madt);
	self->facs = table(self->ram, get32(self->fadt + 36), "FACS");
	self->dsdt = table(self->ram, get32(self->fadt + 40), "DSDT");
	ASSERT_NE(NULL, self->facs);
	ASSERT_NE(NULL, self->dsdt);
}

FIXTURE_TEARDOWN(acpi)
{
	ram_free(self->ram);
}

TEST_F(acpi, the_rsdp_is_where_a_search_finds_it)
{
	EXPECT_EQ(0, memcmp(self->rsdp, "RSD PTR ", 8));
	EXPECT_EQ(0, ACPI_RSDP % 16);
	EXPECT_LE(0xe0000, ACPI_RSDP);
	EXPECT_EQ(2, self->rsdp[15]);
	EXPECT_EQ(36, get32(self->rsdp + 20));
	EXPECT_TRUE(sums_to_zero(self->rsdp, 20));
	EXPECT_TRUE(sums_to_zero(self->rsdp, 36));
}

TEST_F(acpi, every_table_has_a_right_checksum)
{
	const uint8_t *tables[] = { self->rsdt, self->xsdt, self->fadt,
				    self->madt, self->dsdt };
	unsigned int i;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		EXPECT_TRUE(sums_to_zero(tables[i], get32(tables[i] + 4)));
}

TEST_F(acpi, rsdt_and_xsdt_name_the_same_tables)
{
	EXPECT_EQ(36 + 3 * 4, get32(self->rsdt + 4));
	EXPECT_EQ(36 + 3 * 8, get32(self->xsdt + 4));
	EXPECT_EQ(get64(self->xsdt + 36), get32(self->rsdt + 36));
	EXPECT_EQ(get64(self->xsdt + 44), get32(self->rsdt + 40));
	EXPECT_EQ(get64(self->xsdt + 52), get32(self->rsdt + 44));
}

TEST_F(acpi, the_fadt_has_the_length_of_its_revision)
{
	EXPECT_EQ(4, self->fadt[8]);
	EXPECT_EQ(244, get32(self->fadt + 4));
}

TEST_F(acpi, the_fadt_says_where_the_pm_registers_are)
{
	EXPECT_EQ(9, get16(self->fadt + 46));
	EXPECT_EQ(0, get32(self->fadt + 48));
	EXPECT_EQ(0x600, get32(self->fadt + 56));
	EXPECT_EQ(0x604, get32(self->fadt + 64));
	EXPECT_EQ(0x608, get32(self->fadt + 76));
	EXPECT_EQ(0x620, get32(self->fadt + 80));
	EXPECT_EQ(4, self->fadt[92]);
	EXPECT_EQ(4, self->fadt[88]);
	EXPECT_EQ(2, self->fadt[89]);
	EXPECT_EQ(4, self->fadt[91]);
}

TEST_F(acpi, the_wide_addresses_agree_with_the_narrow_ones)
{
	static const struct {
		unsigned int wide, narrow, size;
	} blocks[] = {
		{ 148, 56, 88 }, { 160, 60, 0 },  { 172, 64, 89 },
		{ 184, 68, 0 },	 { 196, 72, 90 }, { 208, 76, 91 },
		{ 220, 80, 92 }, { 232, 84, 93 },
	};
	const uint8_t *fadt = self->fadt;
	unsigned int i;

	for (i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
		EXPECT_EQ(get32(fadt + blocks[i].narrow),
			  get64(fadt + blocks[i].wide + 4));
		if (!get32(fadt + blocks[i].narrow))
			continue;
		EXPECT_EQ(1, fadt[blocks[i].wide]);
		EXPECT_EQ(8 * fadt[blocks[i].size], fadt[blocks[i].wide + 1]);
	}
	EXPECT_EQ(get32(fadt + 36), get64(fadt + 132));
	EXPECT_EQ(get32(fadt + 40), get64(fadt + 140));
}

TEST_F(acpi, the_fadt_offers_the_reset_register)
{
	const uint8_t *reset = self->fadt + 116;

	EXPECT_NE(0, get32(self->fadt + 112) & 1 << 10);
	EXPECT_EQ(1, reset[0]);
	EXPECT_EQ(8, reset[1]);
	EXPECT_EQ(0xcf9, get64(reset + 4));
	EXPECT_EQ(6, self->fadt[128]);
}

TEST_F(acpi, the_fadt_flags_tell_the_truth)
{
	uint32_t flags = get32(self->fadt + 112);

	EXPECT_NE(0, flags & 1 << 0); /* WBINVD works */
	EXPECT_EQ(0, flags & 1 << 4); /* a fixed power button */
	EXPECT_NE(0, flags & 1 << 5); /* no fixed sleep button */
	EXPECT_EQ(0, flags & 1 << 6); /* the clock's alarm wakes */
	EXPECT_EQ(PM_TIMER_BITS == 32, !!(flags & 1 << 8));
	EXPECT_EQ(0, flags & 1 << 20); /* there is fixed hardware */
	EXPECT_EQ(3, get16(self->fadt + 109) & 3); /* legacy devices, 8042 */
}

TEST_F(acpi, the_facs_is_aligned)
{
	EXPECT_EQ(0, get32(self->fadt + 36) % 64);
	EXPECT_EQ(64, get32(self->facs + 4));
	EXPECT_EQ(1, self->facs[32]);
}

TEST_F(acpi, the_madt_names_every_vcpu_once)
{
	const uint8_t *end = self->madt + get32(self->madt + 4);
	const uint8_t *entry = self->madt + 44;
	unsigned int cpus = 0;

	EXPECT_EQ(0xfee00000, get32(self->madt + 36));
	EXPECT_EQ(1, get32(self->madt + 40));
	for (; entry < end && entry[1]; entry += entry[1]) {
		if (entry[0] != 0)
			continue;
		EXPECT_EQ(8, entry[1]);
		EXPECT_EQ(cpus, entry[2]);
		EXPECT_EQ(cpus, entry[3]);
		EXPECT_EQ(1, get32(entry + 4));
		cpus++;
	}
	EXPECT_EQ(end, entry);
	EXPECT_EQ(variant->cpus, cpus);
}

static const uint8_t *madt_entry(const uint8_t *madt, unsigned int type,
				 unsigned int nth)
{
	const uint8_t *end = madt + get32(madt + 4);
	const uint8_t *entry = madt + 44;

	for (; entry < end && entry[1]; entry += entry[1])
		if (entry[0] == type && !nth--)
			return entry;
	return NULL;
}

TEST_F(acpi, the_madt_tells_of_the_interrupt_wiring)
{
	const uint8_t *ioapic = madt_entry(self->madt, 1, 0);
	const uint8_t *timer = madt_entry(self->madt, 2, 0);
	const uint8_t *sci = madt_entry(self->madt, 2, 1);
	const uint8_t *nmi = madt_entry(self->madt, 4, 0);

	ASSERT_TRUE(ioapic && timer && sci && nmi);
	EXPECT_EQ(0xfec00000, get32(ioapic + 4));
	EXPECT_EQ(0, get32(ioapic + 8));
	EXPECT_EQ(0, timer[3]);
	EXPECT_EQ(2, get32(timer + 4));
	EXPECT_EQ(0, get16(timer + 8));
	EXPECT_EQ(9, sci[3]);
	EXPECT_EQ(9, get32(sci + 4));
	EXPECT_EQ(0x000d, get16(sci + 8));
	EXPECT_EQ(0xff, nmi[2]);
	EXPECT_EQ(1, nmi[5]);
}

TEST_F(acpi, the_dsdt_begins_with_the_sleep_states)
{
	static const uint8_t states[] = {
		0x08, '_',  'S',  '3',	'_',  0x12, 0x8a, 0x00, 0x00, 0x04,
		0x0a, 0x01, 0x0a, 0x01, 0x00, 0x00, 0x08, '_',	'S',  '5',
		'_',  0x12, 0x88, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00,
	};

	/* Lengths include themselves: 3 + 1 + 2 + 2 + 1 + 1 bytes, and 3 + 5. */
	EXPECT_EQ(0, memcmp(self->dsdt + 36, states, sizeof(states)));
}

TEST_F(acpi, the_mcfg_says_where_configuration_space_is)
{
	const uint8_t *mcfg = table(self->ram, get64(self->xsdt + 52), "MCFG");

	ASSERT_NE(NULL, mcfg);
	EXPECT_EQ(60, get32(mcfg + 4));
	EXPECT_TRUE(sums_to_zero(mcfg, 60));
	EXPECT_EQ(0xc0000000, get64(mcfg + 44));
	EXPECT_EQ(0, get32(mcfg + 52)); /* segment 0, buses 0 to 0 */
}

TEST_F(acpi, the_dsdt_keeps_what_the_guest_says_of_its_interrupt_model)
{
	static const uint8_t method[] = {
		0x08, 'P', 'I', 'C',  'F',  0x00, 0x14, 0x8e, 0x00, 0x00, '_',
		'P',  'I', 'C', 0x01, 0x70, 0x68, 'P',	'I',  'C',  'F',
	};

	EXPECT_EQ(0, memcmp(self->dsdt + 36 + 30, method, sizeof(method)));
}

/* Return: the interrupt that a table of routes gives to a pin, or -1. */
static int route(const uint8_t *dsdt, const char *name, unsigned int device,
		 unsigned int pin)
{
	const uint8_t *end = dsdt + get32(dsdt + 4);
	const uint8_t *at = memmem(dsdt, end - dsdt, name, 4);
	const uint8_t address[] = { 0x0c, 0xff, 0xff, device, 0x00 };

	if (!at || at[4] != 0x12 || at[8] != 128)
		return -1;
	for (at += 9; at + 20 < end; at++) {
		if (device ? memcmp(at, address, sizeof(address)) :
			     memcmp(at, "\x0c\xff\xff\0\0", 5))
			continue;
		/* The pin is Zero or a byte; the source is Zero. */
		if (pin ? at[5] == 0x0a && at[6] == pin : !at[5])
			return at[pin ? 9 : 8];
	}
	return -1;
}

TEST_F(acpi, the_dsdt_routes_every_pin_of_every_device)
{
	const uint32_t size = get32(self->dsdt + 4);
	static const uint8_t choice[] = {
		'_',  'P', 'R',	 'T', 0x00, 0xa0, 0x8c, 0x00,
		0x00, 'P', 'I',	 'C', 'F',  0xa4, 'P',	'R',
		'T',  'A', 0xa4, 'P', 'R',  'T',  'P',
	};

	for (unsigned int i = 0; i < 32 * 4; i++) {
		EXPECT_EQ(16 + (i / 4 + i % 4) % 4,
			  route(self->dsdt, "PRTA", i / 4, i % 4));
		EXPECT_EQ(10 + (i / 4 + i % 4) % 2,
			  route(self->dsdt, "PRTP", i / 4, i % 4));
	}
	EXPECT_NE(NULL, memmem(self->dsdt, size, choice, sizeof(choice)));
}

TEST_F(acpi, the_bridge_has_a_window_below_and_one_above_4_gib)
{
	static const uint8_t windows[] = {
		0x87, 23,   0,	  0,	0x0c, 0x01, 0,	  0,	0,
		0, /* granularity */
		0x00, 0x00, 0x10, 0xc0, 0xff, 0xff, 0xbf, 0xfe, /* ends */
		0,    0,    0,	  0,	0x00, 0x00, 0xb0, 0x3e, /* no offset; size */
		0x8a, 43,   0,	  0,	0x0c, 0x01, 0,	  0,	0,
		0,    0,    0,	  0,	0,    0x00, 0x00, 0x00, 0x00,
		0x01, 0x00, 0x00, 0x00, /* first */
		0xff, 0xff, 0xff, 0xff, 0x10, 0x00, 0x00, 0x00, /* last */
		0,    0,    0,	  0,	0,    0,    0,	  0,	0,
		0,    0,    0,	  0x10, 0,    0,    0,
	};

	EXPECT_NE(NULL, memmem(self->dsdt, get32(self->dsdt + 4), windows,
			       sizeof(windows)));
}

TEST_F(acpi, the_scope_of_the_dsdt_ends_with_the_table)
{
	/* Sleep states of 30 bytes, a number of 6, a method of 15, an event of 31. */
	const uint8_t *scope = self->dsdt + 36 + 30 + 6 + 15 + 31;
	uint32_t length = (scope[1] & 0xf) | scope[2] << 4 | scope[3] << 12;

	EXPECT_EQ(0x10, scope[0]);
	EXPECT_EQ(2, scope[1] >> 6);
	EXPECT_EQ(self->dsdt + get32(self->dsdt + 4), scope + 1 + length);
}

TEST_F(acpi, the_dsdt_has_a_device_for_each_vcpu)
{
	const uint8_t *at = self->dsdt, *end = at + get32(at + 4);
	unsigned int cpus = 0;

	while ((at = memmem(at, end - at, "ACPI0007", 9))) {
		at += 9;
		cpus++;
	}
	EXPECT_EQ(variant->cpus, cpus);
}

TEST_F(acpi, the_dsdt_describes_com1)
{
	static const uint8_t com1[] = {
		0x0c, 0x41, 0xd0, 0x05, 0x01, /* EisaId ("PNP0501") */
	};
	static const uint8_t resources[] = {
		0x47, 0x01, 0xf8, 0x03, 0xf8, 0x03, 0x01,
		0x08, 0x22, 0x10, 0x00, 0x79, 0x00,
	};
	uint32_t size = get32(self->dsdt + 4);
	const uint8_t *at = memmem(self->dsdt, size, com1, sizeof(com1));

	ASSERT_NE(NULL, at);
	EXPECT_NE(NULL, memmem(at, 48, resources, sizeof(resources)));
}

/* Return: the place in the DSDT of a device's ID, as EisaId () encodes it, or NULL. */
static const uint8_t *device(FIXTURE_DATA(acpi) * self, const char *id)
{
	return memmem(self->dsdt, get32(self->dsdt + 4), id, 4);
}

TEST_F(acpi, the_dsdt_names_what_a_pc_has)
{
	static const uint8_t keyboard_ports[] = {
		0x47, 0x01, 0x60, 0x00, 0x60, 0x00, 0x01, 0x01, 0x47, 0x01,
		0x64, 0x00, 0x64, 0x00, 0x01, 0x01, 0x22, 0x02, 0x00,
	};
	const uint8_t *keyboard = device(self, "\x41\xd0\x03\x03");

	ASSERT_NE(NULL, keyboard);
	EXPECT_NE(NULL,
		  memmem(keyboard, 48, keyboard_ports, sizeof(keyboard_ports)));
	EXPECT_NE(NULL, device(self, "\x41\xd0\x01\x00")); /* timer */
	EXPECT_NE(NULL, device(self, "\x41\xd0\x08\x00")); /* speaker */
	EXPECT_NE(NULL, memmem(self->dsdt, get32(self->dsdt + 4), "PIC0", 4));
}

TEST_F(acpi, the_dsdt_describes_the_generation_id)
{
	/* Name (_CID, ...), which Linux looks for, and the two halves of ADDR. */
	static const uint8_t id[] = "\x08_CID\x0dVM_Gen_Counter";
	static const uint8_t address[] = { 0x0c, 0x00, 0x00, 0xd8, 0xfe, 0x00 };
	/* Method (_E05) { Notify (\_SB.VGEN, 0x80) } */
	static const uint8_t event[] = "_E05\x00\x86\x5c\x2e_SB_VGEN\x0a\x80";

	EXPECT_NE(NULL,
		  memmem(self->dsdt, get32(self->dsdt + 4), id, sizeof(id)));
	EXPECT_NE(NULL, memmem(self->dsdt, get32(self->dsdt + 4), "ADDR", 4));
	EXPECT_NE(NULL, memmem(self->dsdt, get32(self->dsdt + 4), address,
			       sizeof(address)));
	EXPECT_NE(NULL, memmem(self->dsdt, get32(self->dsdt + 4), event,
			       sizeof(event) - 1));
}

TEST_F(acpi, nothing_outside_the_area_is_written)
{
	const uint8_t *low = ram_at(self->ram, 0, 1 << 20);

	EXPECT_EQ(0xee, low[ACPI_RSDP - 1]);
	EXPECT_EQ(0xee, low[ACPI_END]);
}

TEST(numbers_of_vcpus_that_cannot_be_are_refused)
{
	struct ram *ram = ram_new(1 << 20);
	struct boot_error error;

	ASSERT_NE(NULL, ram);
	EXPECT_EQ(-EINVAL,
		  acpi_write(ram, &(struct dsdt_parts){ 0, 1 }, &error));
	EXPECT_EQ(-EINVAL,
		  acpi_write(ram,
			     &(struct dsdt_parts){ LODGE_MAX_VCPUS + 1, 1 },
			     &error));
	EXPECT_NE(NULL, strstr(error.text, "65"));
	ram_free(ram);
}

TEST(aml_that_does_not_fit_is_left_out)
{
	uint8_t data[24];
	struct aml aml = { .data = data, .capacity = 16 };
	size_t mark;

	memset(data, 0xee, sizeof(data));
	mark = aml_device_open(&aml, "DEV0");
	aml_text(&aml, "longer than what is left");
	aml_close(&aml, mark);
	EXPECT_TRUE(aml.full);
	EXPECT_GE(16, aml.size);
	EXPECT_EQ(0xee, data[16]);
}

TEST(aml_numbers_take_their_shortest_form)
{
	uint8_t data[16];
	struct aml aml = { .data = data, .capacity = sizeof(data) };

	aml_integer(&aml, 0);
	aml_integer(&aml, 0xff);
	aml_integer(&aml, 0x100);
	EXPECT_EQ(8, aml.size);
	EXPECT_EQ(0, memcmp(data, "\x00\x0a\xff\x0c\x00\x01\x00\x00", 8));
}

TEST_HARNESS_MAIN
