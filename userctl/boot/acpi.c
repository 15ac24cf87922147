// SPDX-License-Identifier: GPL-2.0
/*
 * The ACPI tables.
 *
 * They follow each other from ACPI_FACS on, or wherever firmware loads them.  Their
 * size depends only on the number of vCPUs, and the area from ACPI_RSDP up to ACPI_END
 * has room for LODGE_MAX_VCPUS.
 */
#include "boot/acpi.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <lodge.h>

#include "board/layout.h"
#include "boot/dsdt.h"

#define OEM_ID "LODGE "
#define OEM_TABLE "LODGEPC "
#define OEM_REVISION 1
#define CREATOR "LODG"
#define TABLE_ALIGN 16
#define FACS_ALIGN 64
/* The first table behind the RSDP. */
#define ACPI_FACS (ACPI_RSDP + FACS_ALIGN)
#define TABLES_SIZE (ACPI_END - ACPI_FACS)
/* The waking vector is for real mode. */
#define WAKING_LIMIT (1U << 20)

#define LAPIC_BASE 0xfee00000

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

/* Generic address structure (section 5.2.3.2). */
struct acpi_address {
	uint8_t space;
	uint8_t bits;
	uint8_t offset;
	uint8_t access;
	uint64_t address;
} __attribute__((packed));

#define SPACE_PORT 1

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} __attribute__((packed));

/* The first checksum covers the part that revision 0 had. */
#define RSDP_FIRST_SIZE 20

struct acpi_rsdt {
	struct acpi_header header;
	uint32_t fadt;
	uint32_t madt;
	uint32_t mcfg;
} __attribute__((packed));

struct acpi_xsdt {
	struct acpi_header header;
	uint64_t fadt;
	uint64_t madt;
	uint64_t mcfg;
} __attribute__((packed));

struct acpi_facs {
	char signature[4];
	uint32_t length;
	uint32_t hardware_signature;
	uint32_t waking_vector;
	uint32_t global_lock;
	uint32_t flags;
	uint64_t x_waking_vector;
	uint8_t version;
	uint8_t reserved[31];
} __attribute__((packed));

/* FADT of revision 4 (section 5.2.9). */
struct acpi_fadt {
	struct acpi_header header;
	uint32_t facs;
	uint32_t dsdt;
	uint8_t reserved0;
	uint8_t preferred_profile;
	uint16_t sci_irq;
	uint32_t smi_command;
	uint8_t acpi_enable;
	uint8_t acpi_disable;
	uint8_t s4bios_request;
	uint8_t pstate_control;
	uint32_t pm1a_event;
	uint32_t pm1b_event;
	uint32_t pm1a_control;
	uint32_t pm1b_control;
	uint32_t pm2_control;
	uint32_t pm_timer;
	uint32_t gpe0;
	uint32_t gpe1;
	uint8_t pm1_event_size;
	uint8_t pm1_control_size;
	uint8_t pm2_control_size;
	uint8_t pm_timer_size;
	uint8_t gpe0_size;
	uint8_t gpe1_size;
	uint8_t gpe1_base;
	uint8_t cstate_control;
	uint16_t c2_latency;
	uint16_t c3_latency;
	uint16_t flush_size;
	uint16_t flush_stride;
	uint8_t duty_offset;
	uint8_t duty_width;
	uint8_t day_alarm;
	uint8_t month_alarm;
	uint8_t century;
	uint16_t boot_flags;
	uint8_t reserved1;
	uint32_t flags;
	struct acpi_address reset_register;
	uint8_t reset_value;
	uint8_t reserved2[3];
	uint64_t x_facs;
	uint64_t x_dsdt;
	struct acpi_address x_pm1a_event;
	struct acpi_address x_pm1b_event;
	struct acpi_address x_pm1a_control;
	struct acpi_address x_pm1b_control;
	struct acpi_address x_pm2_control;
	struct acpi_address x_pm_timer;
	struct acpi_address x_gpe0;
	struct acpi_address x_gpe1;
} __attribute__((packed));

#define FADT_REVISION 4
#define FADT_C2_NONE 101 /* microseconds: too slow to be used */
#define FADT_C3_NONE 1001
#define RTC_CENTURY 0x32

#define FADT_WBINVD (1U << 0)
#define FADT_PROC_C1 (1U << 2)
#define FADT_NO_SLEEP_BUTTON (1U << 5)
#define FADT_TIMER_32BIT (1U << 8)
#define FADT_RESET_REGISTER (1U << 10)

#define BOOT_LEGACY_DEVICES (1U << 0)
#define BOOT_8042 (1U << 1)
#define BOOT_NO_VGA (1U << 2)

struct acpi_madt {
	struct acpi_header header;
	uint32_t lapic_base;
	uint32_t flags;
} __attribute__((packed));

#define MADT_REVISION 3
#define MADT_HAS_PIC (1U << 0)

enum madt_type {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_NMI = 4,
};

struct madt_lapic {
	uint8_t type;
	uint8_t length;
	uint8_t processor;
	uint8_t apic_id;
	uint32_t flags;
} __attribute__((packed));

#define LAPIC_ENABLED (1U << 0)

struct madt_ioapic {
	uint8_t type;
	uint8_t length;
	uint8_t id;
	uint8_t reserved;
	uint32_t address;
	uint32_t gsi_base;
} __attribute__((packed));

struct madt_override {
	uint8_t type;
	uint8_t length;
	uint8_t bus;
	uint8_t source;
	uint32_t gsi;
	uint16_t flags;
} __attribute__((packed));

#define INTI_LEVEL_HIGH 0x000d

struct madt_lapic_nmi {
	uint8_t type;
	uint8_t length;
	uint8_t processor;
	uint16_t flags;
	uint8_t lint;
} __attribute__((packed));

/* PCI Firmware Specification 3.0, section 4.1.2; one range of buses, 0 to 0. */
struct acpi_mcfg {
	struct acpi_header header;
	uint8_t reserved0[8];
	uint64_t address;
	uint16_t segment;
	uint8_t first_bus;
	uint8_t last_bus;
	uint32_t reserved1;
} __attribute__((packed));

#define PROCESSOR_ALL 0xff
#define PIT_GSI 2

_Static_assert(sizeof(struct acpi_rsdp) == 36, "RSDP");
_Static_assert(sizeof(struct acpi_rsdp) <= FACS_ALIGN,
	       "the FACS is at ACPI_FACS");
_Static_assert(sizeof(struct acpi_facs) == 64, "FACS");
_Static_assert(sizeof(struct acpi_fadt) == 244, "FADT, revision 4");
_Static_assert(PM_TIMER_BITS == 32, "FADT_TIMER_32BIT says so");
/* 64 bytes for each vCPU and 12 KiB for the rest are upper bounds. */
_Static_assert(0x3000 + 64 * LODGE_MAX_VCPUS <= ACPI_END - ACPI_RSDP,
	       "the tables fit");

_Static_assert(offsetof(struct acpi_rsdp, rsdt) + sizeof(uint32_t) ==
		       RSDP_FIRST_SIZE,
	       "the first checksum covers the RSDT's address");

/**
 * struct tables - the tables while they are written
 * @rsdp: the RSDP in this process
 * @base: the other tables in this process
 * @gpa: the guest physical address of @base
 * @used: bytes of @base
 * @linker: gets the places of addresses and checksums; NULL: @gpa is final
 */
struct tables {
	struct acpi_rsdp *rsdp;
	uint8_t *base;
	uint32_t gpa;
	uint32_t used;
	struct linker *linker;
};

/* Return: the place for the next table, in this process. */
static void *tables_next(struct tables *tables, uint32_t align)
{
	tables->used = (tables->used + align - 1) & ~(align - 1);
	return tables->base + tables->used;
}

/* Allocates @size bytes for the next table.  Return: its guest physical address. */
static uint32_t tables_take(struct tables *tables, uint32_t size)
{
	uint32_t gpa = tables->gpa + tables->used;

	tables->used += size;
	return gpa;
}

static uint8_t acpi_checksum(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint8_t sum = 0;

	while (size--)
		sum += *byte++;
	return -sum;
}

/* Writes the address of a table to a field of another one. */
static void tables_link(struct tables *tables, void *field, uint8_t size,
			uint64_t address)
{
	memcpy(field, &address, size);
	if (tables->linker)
		linker_add_pointer(tables->linker, ACPI_FILE_TABLES,
				   (uint8_t *)field - tables->base, size,
				   ACPI_FILE_TABLES);
}

/* Allocates a table whose body is complete, and writes its header. */
static uint32_t tables_finish(struct tables *tables, struct acpi_header *header,
			      const char *signature, uint8_t revision,
			      uint32_t size)
{
	memcpy(header->signature, signature, sizeof(header->signature));
	header->length = size;
	header->revision = revision;
	memcpy(header->oem_id, OEM_ID, sizeof(header->oem_id));
	memcpy(header->oem_table_id, OEM_TABLE, sizeof(header->oem_table_id));
	header->oem_revision = OEM_REVISION;
	memcpy(header->creator_id, CREATOR, sizeof(header->creator_id));
	header->creator_revision = OEM_REVISION;
	header->checksum = acpi_checksum(header, size);
	if (tables->linker)
		linker_add_checksum(tables->linker, ACPI_FILE_TABLES,
				    &header->checksum - tables->base,
				    (uint8_t *)header - tables->base, size);
	return tables_take(tables, size);
}

static uint32_t acpi_facs(struct tables *tables)
{
	struct acpi_facs *facs = tables_next(tables, FACS_ALIGN);

	memcpy(facs->signature, "FACS", sizeof(facs->signature));
	facs->length = sizeof(*facs);
	facs->version = 1;
	return tables_take(tables, sizeof(*facs));
}

static uint32_t acpi_dsdt(struct tables *tables, const struct ram *ram,
			  const struct dsdt_parts *parts)
{
	struct acpi_header *header = tables_next(tables, TABLE_ALIGN);
	struct aml aml = {
		.data = (uint8_t *)(header + 1),
		.capacity = TABLES_SIZE - tables->used - sizeof(*header),
	};

	dsdt_build(&aml, ram, parts);
	return tables_finish(tables, header, "DSDT", 2,
			     sizeof(*header) + aml.size);
}

static struct acpi_address acpi_port(uint16_t port, uint8_t bytes)
{
	return (struct acpi_address){
		.space = SPACE_PORT,
		.bits = 8 * bytes,
		/* 1: a byte, 2: a word, 3: a double word. */
		.access = bytes == 4 ? 3 : bytes,
		.address = port,
	};
}

static void fadt_registers(struct acpi_fadt *fadt)
{
	fadt->pm1a_event = PM_EVENT_PORT;
	fadt->pm1_event_size = PM_EVENT_SIZE;
	fadt->x_pm1a_event = acpi_port(PM_EVENT_PORT, PM_EVENT_SIZE);
	/* The block is two registers of a word, status and enable. */
	fadt->x_pm1a_event.access = 2;
	fadt->pm1a_control = PM_CONTROL_PORT;
	fadt->pm1_control_size = PM_CONTROL_SIZE;
	fadt->x_pm1a_control = acpi_port(PM_CONTROL_PORT, PM_CONTROL_SIZE);
	fadt->gpe0 = PM_GPE_PORT;
	fadt->gpe0_size = PM_GPE_SIZE;
	fadt->x_gpe0 = acpi_port(PM_GPE_PORT, PM_GPE_SIZE);
	/* As PM1a's: two registers, whose bytes are accessed. */
	fadt->x_gpe0.access = 1;
	fadt->pm_timer = PM_TIMER_PORT;
	fadt->pm_timer_size = PM_TIMER_SIZE;
	fadt->x_pm_timer = acpi_port(PM_TIMER_PORT, PM_TIMER_SIZE);
	fadt->reset_register = acpi_port(PM_RESET_PORT, 1);
	fadt->reset_value = PM_RESET_VALUE;
}

static uint32_t acpi_fadt(struct tables *tables, uint32_t facs, uint32_t dsdt)
{
	struct acpi_fadt *fadt = tables_next(tables, TABLE_ALIGN);

	tables_link(tables, &fadt->facs, sizeof(fadt->facs), facs);
	tables_link(tables, &fadt->x_facs, sizeof(fadt->x_facs), facs);
	tables_link(tables, &fadt->dsdt, sizeof(fadt->dsdt), dsdt);
	tables_link(tables, &fadt->x_dsdt, sizeof(fadt->x_dsdt), dsdt);
	fadt->sci_irq = PM_SCI_IRQ;
	fadt_registers(fadt);
	fadt->c2_latency = FADT_C2_NONE;
	fadt->c3_latency = FADT_C3_NONE;
	fadt->century = RTC_CENTURY;
	fadt->boot_flags = BOOT_LEGACY_DEVICES | BOOT_8042 | BOOT_NO_VGA;
	fadt->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLEEP_BUTTON |
		      FADT_TIMER_32BIT | FADT_RESET_REGISTER;
	return tables_finish(tables, &fadt->header, "FACP", FADT_REVISION,
			     sizeof(*fadt));
}

static void *madt_lapics(void *at, unsigned int cpus)
{
	struct madt_lapic *lapic = at;
	unsigned int id;

	for (id = 0; id < cpus; id++)
		*lapic++ = (struct madt_lapic){
			.type = MADT_LAPIC,
			.length = sizeof(*lapic),
			.processor = id,
			.apic_id = id,
			.flags = LAPIC_ENABLED,
		};
	return lapic;
}

/* Overrides: the timer is on pin 2 of the IOAPIC, and the SCI is level-triggered. */
static void *madt_overrides(void *at)
{
	struct madt_override *override = at;

	*override++ = (struct madt_override){
		.type = MADT_OVERRIDE,
		.length = sizeof(*override),
		.source = PIT_IRQ,
		.gsi = PIT_GSI,
	};
	*override++ = (struct madt_override){
		.type = MADT_OVERRIDE,
		.length = sizeof(*override),
		.source = PM_SCI_IRQ,
		.gsi = PM_SCI_IRQ,
		.flags = INTI_LEVEL_HIGH,
	};
	return override;
}

static uint32_t acpi_madt(struct tables *tables, unsigned int cpus)
{
	struct acpi_madt *madt = tables_next(tables, TABLE_ALIGN);
	struct madt_lapic_nmi *nmi;
	struct madt_ioapic *ioapic;

	madt->lapic_base = LAPIC_BASE;
	madt->flags = MADT_HAS_PIC;
	ioapic = madt_lapics(madt + 1, cpus);
	*ioapic++ = (struct madt_ioapic){
		.type = MADT_IOAPIC,
		.length = sizeof(*ioapic),
		.id = IOAPIC_ID,
		.address = IOAPIC_BASE,
	};
	nmi = madt_overrides(ioapic);
	*nmi++ = (struct madt_lapic_nmi){
		.type = MADT_LAPIC_NMI,
		.length = sizeof(*nmi),
		.processor = PROCESSOR_ALL,
		.lint = 1,
	};
	return tables_finish(tables, &madt->header, "APIC", MADT_REVISION,
			     (uint8_t *)nmi - (uint8_t *)madt);
}

static uint32_t acpi_mcfg(struct tables *tables)
{
	struct acpi_mcfg *mcfg = tables_next(tables, TABLE_ALIGN);

	mcfg->address = PCI_ECAM;
	return tables_finish(tables, &mcfg->header, "MCFG", 1, sizeof(*mcfg));
}

static uint32_t acpi_rsdt(struct tables *tables, uint32_t fadt, uint32_t madt,
			  uint32_t mcfg)
{
	struct acpi_rsdt *rsdt = tables_next(tables, TABLE_ALIGN);

	tables_link(tables, &rsdt->fadt, sizeof(rsdt->fadt), fadt);
	tables_link(tables, &rsdt->madt, sizeof(rsdt->madt), madt);
	tables_link(tables, &rsdt->mcfg, sizeof(rsdt->mcfg), mcfg);
	return tables_finish(tables, &rsdt->header, "RSDT", 1, sizeof(*rsdt));
}

static uint32_t acpi_xsdt(struct tables *tables, uint32_t fadt, uint32_t madt,
			  uint32_t mcfg)
{
	struct acpi_xsdt *xsdt = tables_next(tables, TABLE_ALIGN);

	tables_link(tables, &xsdt->fadt, sizeof(xsdt->fadt), fadt);
	tables_link(tables, &xsdt->madt, sizeof(xsdt->madt), madt);
	tables_link(tables, &xsdt->mcfg, sizeof(xsdt->mcfg), mcfg);
	return tables_finish(tables, &xsdt->header, "XSDT", 1, sizeof(*xsdt));
}

static void acpi_rsdp(struct acpi_rsdp *rsdp, uint32_t rsdt, uint32_t xsdt)
{
	*rsdp = (struct acpi_rsdp){
		.revision = 2,
		.rsdt = rsdt,
		.length = sizeof(*rsdp),
		.xsdt = xsdt,
	};
	memcpy(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature));
	memcpy(rsdp->oem_id, OEM_ID, sizeof(rsdp->oem_id));
	rsdp->checksum = acpi_checksum(rsdp, RSDP_FIRST_SIZE);
	rsdp->extended_checksum = acpi_checksum(rsdp, sizeof(*rsdp));
}

/* The first checksum is a part of what the second one covers. */
static void link_rsdp(struct linker *linker)
{
	linker_add_pointer(linker, ACPI_FILE_RSDP,
			   offsetof(struct acpi_rsdp, rsdt), sizeof(uint32_t),
			   ACPI_FILE_TABLES);
	linker_add_pointer(linker, ACPI_FILE_RSDP,
			   offsetof(struct acpi_rsdp, xsdt), sizeof(uint64_t),
			   ACPI_FILE_TABLES);
	linker_add_checksum(linker, ACPI_FILE_RSDP,
			    offsetof(struct acpi_rsdp, checksum), 0,
			    RSDP_FIRST_SIZE);
	linker_add_checksum(linker, ACPI_FILE_RSDP,
			    offsetof(struct acpi_rsdp, extended_checksum), 0,
			    sizeof(struct acpi_rsdp));
}

static int tables_write(struct tables *tables, const struct ram *ram,
			const struct dsdt_parts *parts,
			struct boot_error *error)
{
	uint32_t facs, dsdt, fadt, madt, mcfg;

	if (!parts->cpus || parts->cpus > LODGE_MAX_VCPUS)
		return boot_error_set(error, -EINVAL,
				      "%u processors: 1 to %u are possible",
				      parts->cpus, LODGE_MAX_VCPUS);
	memset(tables->base, 0, TABLES_SIZE);
	facs = acpi_facs(tables);
	dsdt = acpi_dsdt(tables, ram, parts);
	fadt = acpi_fadt(tables, facs, dsdt);
	madt = acpi_madt(tables, parts->cpus);
	mcfg = acpi_mcfg(tables);
	acpi_rsdp(tables->rsdp, acpi_rsdt(tables, fadt, madt, mcfg),
		  acpi_xsdt(tables, fadt, madt, mcfg));
	return 0;
}

bool acpi_waking_entry(const struct ram *ram, struct boot_entry *entry)
{
	struct acpi_facs facs;

	/* A disk may still write there what the guest has asked for. */
	memcpy(&facs, ram_at(ram, ACPI_FACS, sizeof(facs)), sizeof(facs));
	if (facs.x_waking_vector >> 32)
		return false;
	if (facs.x_waking_vector) {
		entry_protected(ram, entry, facs.x_waking_vector, ENTRY_CS);
		return true;
	}
	if (!facs.waking_vector || facs.waking_vector >= WAKING_LIMIT)
		return false;
	entry_waking(entry, facs.waking_vector);
	return true;
}

int acpi_write(const struct ram *ram, const struct dsdt_parts *parts,
	       struct boot_error *error)
{
	struct tables tables = {
		.rsdp = ram_write_at(ram, ACPI_RSDP, FACS_ALIGN),
		.base = ram_write_at(ram, ACPI_FACS, TABLES_SIZE),
		.gpa = ACPI_FACS,
	};

	memset(tables.rsdp, 0, FACS_ALIGN);
	return tables_write(&tables, ram, parts, error);
}

int acpi_files_make(struct acpi_files *files, const struct ram *ram,
		    const struct dsdt_parts *parts, struct boot_error *error)
{
	struct tables tables = {
		.rsdp = malloc(sizeof(struct acpi_rsdp)),
		.base = malloc(TABLES_SIZE),
		.linker = &files->linker,
	};
	int ret;

	*files = (struct acpi_files){
		.rsdp = tables.rsdp,
		.rsdp_size = sizeof(struct acpi_rsdp),
		.tables = tables.base,
	};
	linker_allocate(&files->linker, ACPI_FILE_RSDP, TABLE_ALIGN,
			LINKER_BIOS_SEGMENT);
	linker_allocate(&files->linker, ACPI_FILE_TABLES, FACS_ALIGN,
			LINKER_HIGH);
	if (!files->rsdp || !files->tables)
		ret = boot_error_set(error, -ENOMEM, "out of memory");
	else
		ret = tables_write(&tables, ram, parts, error);
	files->tables_size = tables.used;
	link_rsdp(&files->linker);
	if (!ret && files->linker.count > LINKER_MAX)
		ret = boot_error_set(error, -ENOSPC,
				     "the ACPI tables are too many");
	if (ret)
		acpi_files_free(files);
	return ret;
}

void acpi_files_free(struct acpi_files *files)
{
	free(files->rsdp);
	free(files->tables);
}
