// SPDX-License-Identifier: GPL-2.0
/*
 * Guests at random: instructions that are nearly meaningful, in every mode, over
 * page tables that are nearly right, with every exit answered at random, while
 * interrupts come and the code changes beneath them.
 *
 * A guest may end as it likes.  Each exit must keep to the ABI, no call may tell
 * of a defect of Lodge's, and a signal must end every run.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "waiting.h"
#include "chance.h"
#include "lib/client.h"

#include "kselftest_harness.h"

#define PAGE 0x1000
#define MEMORY 0x200000
/* A slot that guests cannot write to; a hole is behind it. */
#define ROM MEMORY
#define ROM_SIZE 0x10000
#define HOLE (ROM + ROM_SIZE)
#define APIC 0xfee00000
/* The addresses of code, and of the pages that page tables are made of. */
#define CODE 0x8000
#define CODE_SIZE 0x2000
#define TABLES 0x20000
#define TABLES_SIZE 0x8000
#define VCPUS 2
/* A guest's limits: exits, and signals that have ended a run. */
#define EXITS_MAX 300
#define SIGNALS_MAX 3

#define CR0_PE (1U << 0)
#define CR0_PG (1U << 31)
#define CR4_PSE (1U << 4)
#define CR4_PAE (1U << 5)
#define RFLAGS_VM (1U << 17)
#define EFER_LME (1U << 8)
#define EFER_LMA (1U << 10)

/**
 * struct guest - a VM with one round's guest
 * @done: the round is over
 * @signals: those that ended a run
 */
struct guest {
	struct chance chance;
	int vm;
	int vcpu[VCPUS];
	struct lodge_run *run[VCPUS];
	uint8_t *memory;
	uint8_t *rom;
	bool done;
};

/**
 * struct runner - the thread of a vCPU
 * @wrong: what an exit or a call had that it must not; or NULL
 * @value: of what is wrong
 */
struct runner {
	struct guest *guest;
	unsigned int id;
	pthread_t thread;
	struct chance chance;
	bool ended;
	const char *wrong;
	long long value;
};

/*
 * Code
 */

/**
 * struct piece - the beginning of an instruction
 * @length: bytes
 * @random: so many random ones behind it
 */
struct piece {
	uint8_t bytes[6];
	uint8_t length;
	uint8_t random;
};

static const struct piece pieces[] = {
	{ { 0xe4 }, 1, 1 }, /* in, out */
	{ { 0xe6 }, 1, 1 },
	{ { 0xec }, 1, 0 },
	{ { 0xef }, 1, 0 },
	{ { 0xf3, 0x6c }, 2, 0 }, /* ins, outs */
	{ { 0xf3, 0x6d }, 2, 0 },
	{ { 0xf3, 0x6e }, 2, 0 },
	{ { 0xf3, 0x6f }, 2, 0 },
	{ { 0x6d }, 1, 0 },
	{ { 0x66, 0x6f }, 2, 0 },
	{ { 0xf3, 0xa4 }, 2, 0 }, /* movs, stos, lods, cmps, scas */
	{ { 0xf3, 0xa5 }, 2, 0 },
	{ { 0xf3, 0xab }, 2, 0 },
	{ { 0xac }, 1, 0 },
	{ { 0xf3, 0xa7 }, 2, 0 },
	{ { 0xf2, 0xae }, 2, 0 },
	{ { 0x0f, 0x20 }, 2, 1 }, /* control and debug registers */
	{ { 0x0f, 0x22 }, 2, 1 },
	{ { 0x0f, 0x21 }, 2, 1 },
	{ { 0x0f, 0x23 }, 2, 1 },
	{ { 0x0f, 0x00 }, 2, 3 }, /* system instructions */
	{ { 0x0f, 0x01 }, 2, 3 },
	{ { 0x0f, 0x02 }, 2, 3 },
	{ { 0x0f, 0x06 }, 2, 0 },
	{ { 0x0f, 0x09 }, 2, 0 },
	{ { 0x0f, 0x32 }, 2, 0 },
	{ { 0x0f, 0x30 }, 2, 0 },
	{ { 0x0f, 0x31 }, 2, 0 },
	{ { 0x0f, 0x33 }, 2, 0 },
	{ { 0x0f, 0xa2 }, 2, 0 },
	{ { 0x0f, 0xc7 }, 2, 3 },
	{ { 0x0f, 0xae }, 2, 3 },
	{ { 0x0f, 0x38 }, 2, 4 },
	{ { 0xf4 }, 1, 0 }, /* hlt, sti, cli, int, iret, popf */
	{ { 0xfb }, 1, 0 },
	{ { 0xfa }, 1, 0 },
	{ { 0xcd }, 1, 1 },
	{ { 0xcc }, 1, 0 },
	{ { 0xcf }, 1, 0 },
	{ { 0x9d }, 1, 0 },
	{ { 0x8e }, 1, 1 }, /* segments, far jumps */
	{ { 0xff }, 1, 3 },
	{ { 0xc4 }, 1, 4 },
	{ { 0xc5 }, 1, 4 },
	{ { 0xea }, 1, 6 },
	{ { 0x9a }, 1, 6 },
	{ { 0xcb }, 1, 0 },
	{ { 0xca }, 1, 2 },
	{ { 0x89 }, 1, 2 }, /* plain moves and arithmetic on memory */
	{ { 0x8b }, 1, 2 },
	{ { 0x01 }, 1, 2 },
	{ { 0xf0, 0x0f, 0xb1 }, 3, 2 },
	{ { 0x87 }, 1, 2 },
	{ { 0x81 }, 1, 6 },
	{ { 0xf7 }, 1, 5 },
	{ { 0x0f, 0x10 }, 2, 2 },
	{ { 0x0f, 0x11 }, 2, 2 },
	{ { 0x66, 0x0f, 0x7f }, 3, 2 },
	{ { 0xd9 }, 1, 2 }, /* x87 */
	{ { 0xdb }, 1, 2 },
	{ { 0xdd }, 1, 2 },
	{ { 0xdf }, 1, 2 },
	{ { 0xeb }, 1, 1 }, /* jumps */
	{ { 0x75 }, 1, 1 },
	{ { 0xe2 }, 1, 1 },
};

#define NR_PIECES (sizeof(pieces) / sizeof(*pieces))

static size_t write_piece(struct chance *chance, uint8_t *to)
{
	static const uint8_t prefixes[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26,
					    0x2e, 0x64, 0x48, 0x41, 0x4f };
	const struct piece *piece = &pieces[chance_below(chance, NR_PIECES)];
	size_t length = 0;

	if (chance_one_in(chance, 6))
		to[length++] = prefixes[chance_below(chance, sizeof(prefixes))];
	memcpy(to + length, piece->bytes, piece->length);
	length += piece->length;
	chance_fill(chance, to + length, piece->random);
	return length + piece->random;
}

static void write_code(struct chance *chance, uint8_t *to, size_t size)
{
	size_t at = 0;

	while (at + 16 < size) {
		if (chance_one_in(chance, 8))
			to[at++] = chance_number(chance);
		else
			at += write_piece(chance, to + at);
	}
}

/*
 * Registers and tables
 */

static const uint32_t places[] = {
	0,	  CODE,	       TABLES,	     MEMORY - 8,   MEMORY - 1,
	ROM,	  ROM + 0xffc, HOLE,	     HOLE + 0xffe, HOLE - 2,
	APIC,	  APIC + 0x80, APIC + 0x300, APIC + 0xffc, 0xfffffff8,
	0x7fffff, 0x7ffff000,
};

static uint64_t interesting(struct chance *chance)
{
	static const uint64_t numbers[] = {
		0, 1, 0x10, 0x800, 0x1b, 0xc0000080, 0xc0010015, ~0ULL
	};

	switch (chance_below(chance, 4)) {
	case 0:
		return numbers[chance_below(chance, 8)];
	case 1:
		return chance_number(chance);
	default:
		return places[chance_below(chance,
					   sizeof(places) / sizeof(*places))] +
		       chance_below(chance, 8);
	}
}

/* An entry that is right seven times of eight: guest memory, APIC or a hole. */
static uint64_t entry(struct chance *chance, bool table)
{
	uint64_t page = table ? TABLES + chance_below(chance, TABLES_SIZE) :
				places[chance_below(chance, 15)];

	if (chance_one_in(chance, 8))
		return chance_number(chance);
	return (page & ~0xfffULL) | 7 |
	       (chance_number(chance) & (table ? 0x60 : 0x1e0)) |
	       (!table && chance_one_in(chance, 8) ? 1ULL << 63 : 0);
}

/*
 * Every second entry is 4 bytes of a 32-bit table as well.  The first ones lead to
 * where the code is, in each format.
 */
static void write_tables(struct guest *guest)
{
	struct chance *chance = &guest->chance;
	uint64_t *table = (uint64_t *)(guest->memory + TABLES);
	unsigned int i, count = TABLES_SIZE / sizeof(*table);

	for (i = 0; i < count; i++)
		table[i] = entry(chance, i < count / 2);
	/* PML4, PDPT, PD: 1 GiB of large pages. */
	table[0] = TABLES + PAGE + 7;
	table[512] = TABLES + 2 * PAGE + 7;
	table[1024] = 0x87;
	/* A directory of 32-bit paging: 4 MiB. */
	table[1536] = (table[1536] & ~0xffffffffULL) | 0x87;
}

enum start_mode {
	REAL, /* with 4 GiB segments */
	PROTECTED,
	PROTECTED_16,
	VIRTUAL_8086,
	PAGED_32,
	PAGED_PAE,
	LONG,
	COMPATIBILITY,
	NR_START_MODES,
};

/* The contents of each mode's segment registers, but for CS. */
static const struct lodge_segment data_segments[NR_START_MODES] = {
	[REAL] = { .limit = 0xffffffff, .attr = 0x93 },
	[PROTECTED] = { .limit = 0xffffffff, .attr = 0xc93 },
	[PROTECTED_16] = { .limit = 0xffff, .attr = 0x93 },
	[VIRTUAL_8086] = { .limit = 0xffff, .attr = 0xf3 },
	[PAGED_32] = { .limit = 0xffffffff, .attr = 0xc93 },
	[PAGED_PAE] = { .limit = 0xffffffff, .attr = 0xc93 },
	[LONG] = { .limit = 0xffffffff, .attr = 0xc93 },
	[COMPATIBILITY] = { .limit = 0xffffffff, .attr = 0xc93 },
};

static const uint16_t code_attributes[NR_START_MODES] = {
	[REAL] = 0x9b,	       [PROTECTED] = 0xc9b,	[PROTECTED_16] = 0x9b,
	[VIRTUAL_8086] = 0xf3, [PAGED_32] = 0xc9b,	[PAGED_PAE] = 0xc9b,
	[LONG] = 0xa9b,	       [COMPATIBILITY] = 0xc9b,
};

static void start_segments(struct lodge_segment *seg, enum start_mode mode)
{
	unsigned int i;

	for (i = LODGE_ES; i <= LODGE_GS; i++)
		seg[i] = data_segments[mode];
	seg[LODGE_CS].attr = code_attributes[mode];
}

static void start_control(struct lodge_control *control, enum start_mode mode)
{
	control->cr3 = TABLES;
	if (mode > REAL)
		control->cr0 |= CR0_PE;
	if (mode >= PAGED_32)
		control->cr0 |= CR0_PG;
	if (mode == PAGED_32) {
		control->cr4 |= CR4_PSE;
		control->cr3 += 3 * PAGE;
	} else if (mode > PAGED_32) {
		control->cr4 |= CR4_PAE;
	}
	/* PAE's first table is the second one of 64-bit modes. */
	if (mode == PAGED_PAE)
		control->cr3 += PAGE;
	if (mode >= LONG)
		control->efer |= EFER_LME | EFER_LMA;
}

/*
 * QEMU's AMD-V (7.2) aborts at an exception of level 3 outside long mode when TR, as it
 * was loaded for the guest, is busy.
 */
static enum start_mode random_mode(struct chance *chance)
{
	enum start_mode mode = chance_below(chance, NR_START_MODES);

	return mode == VIRTUAL_8086 && !__builtin_cpu_is("intel") ? REAL : mode;
}

static void start_vcpu(struct guest *guest, unsigned int id)
{
	struct chance *chance = &guest->chance;
	struct lodge_state state = {
		.groups = LODGE_GROUP_GENERAL | LODGE_GROUP_SEGMENTS |
			  LODGE_GROUP_CONTROL | LODGE_GROUP_EVENTS,
	};
	enum start_mode mode = random_mode(chance);
	unsigned int i;

	lodge_state_get(guest->vcpu[id], &state);
	for (i = 0; i < 16; i++)
		state.regs.general.gpr[i] = interesting(chance);
	state.regs.general.rip = CODE + chance_below(chance, 64);
	state.regs.general.rflags = 2 | (chance_number(chance) & 0x244fd5);
	if (mode == VIRTUAL_8086)
		state.regs.general.rflags |= RFLAGS_VM;
	start_segments(state.regs.segments.seg, mode);
	start_control(&state.regs.control, mode);
	state.regs.events.mp_state = LODGE_MP_RUNNABLE;
	/* A refused state leaves the vCPU in real mode, at the reset vector. */
	chance_flip(chance, &state.regs.segments, sizeof(state.regs.segments),
		    1);
	lodge_state_set(guest->vcpu[id], &state);
}

static int guest_make(struct guest *guest, int lodge)
{
	int error;

	guest->done = false;
	guest->vm = lodge_vm_create(lodge);
	if (guest->vm < 0)
		return guest->vm;
	error = lodge_memory_set(guest->vm, 0, 0, 0, MEMORY, guest->memory);
	if (!error)
		error = lodge_memory_set(guest->vm, 1, LODGE_MEM_READONLY, ROM,
					 ROM_SIZE, guest->rom);
	for (unsigned int i = 0; i < VCPUS && !error; i++) {
		guest->vcpu[i] =
			lodge_vcpu_create(guest->vm, i, &guest->run[i]);
		if (guest->vcpu[i] < 0)
			return guest->vcpu[i];
	}
	chance_fill(&guest->chance, guest->memory, 0x1000);
	write_code(&guest->chance, guest->memory + CODE, CODE_SIZE);
	write_tables(guest);
	for (unsigned int i = 0; i < VCPUS && !error; i++)
		start_vcpu(guest, i);
	return error;
}

static void guest_end(struct guest *guest)
{
	for (unsigned int i = 0; i < VCPUS; i++)
		lodge_vcpu_close(guest->vcpu[i], guest->run[i]);
	close(guest->vm);
}

/*
 * Exits
 */

static bool expect(struct runner *runner, bool good, const char *what,
		   long long value)
{
	if (!good && !runner->wrong) {
		runner->wrong = what;
		runner->value = value;
	}
	return good;
}

/*
 * QEMU's AMD-V (7.2) ends a MOV to CR3 with bits that an address does not have by
 * VMEXIT_INVALID; a processor raises #GP (APM vol. 3, MOV CRn).  The guest's code is
 * where long mode has it.
 */
static bool is_refused_by_qemu_alone(const struct guest *guest, int vcpu)
{
	static const uint8_t prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0x26,
					    0x2e, 0x36, 0x3e, 0x64, 0x65 };
	struct lodge_state state = {
		.groups = LODGE_GROUP_GENERAL | LODGE_GROUP_CONTROL,
	};
	const uint8_t *code, *end = guest->memory + MEMORY;

	if (lodge_state_get(vcpu, &state) ||
	    !(state.regs.control.efer & EFER_LMA) ||
	    state.regs.general.rip >= MEMORY)
		return false;
	code = guest->memory + state.regs.general.rip;
	while (code < end &&
	       (memchr(prefixes, *code, sizeof(prefixes)) || *code >> 4 == 4))
		code++;
	return end - code >= 3 && code[0] == 0x0f && code[1] == 0x22 &&
	       (code[2] >> 3 & 7) == 3;
}

/* Return: true if the guest can go on. */
static bool answer(struct runner *runner, struct lodge_run *run)
{
	struct chance *chance = &runner->chance;
	const struct lodge_exit_io *io = &run->exit.io;
	struct lodge_exit_mmio *mmio = &run->exit.mmio;
	int vcpu = runner->guest->vcpu[runner->id];

	switch (run->reason) {
	case LODGE_EXIT_IO:
		expect(runner, io->size == 1 || io->size == 2 || io->size == 4,
		       "size of a port access", io->size);
		expect(runner,
		       io->count && io->count <= LODGE_RUN_DATA_SIZE / io->size,
		       "count of port accesses", io->count);
		if (io->in)
			chance_fill(chance, run->data,
				    (size_t)io->size * io->count);
		return true;
	case LODGE_EXIT_MMIO:
		expect(runner, mmio->size >= 1 && mmio->size <= 16,
		       "size of an access to memory", mmio->size);
		expect(runner, mmio->gpa >= MEMORY, "address of a device",
		       mmio->gpa);
		if (!mmio->write)
			chance_fill(chance, mmio->data, sizeof(mmio->data));
		return true;
	case LODGE_EXIT_WINDOW:
	case LODGE_EXIT_EOI:
		return true;
	case LODGE_EXIT_FAIL_ENTRY:
		/* A random state may be refused, but the exit says why. */
		expect(runner,
		       run->exit.fail_entry.count ||
			       is_refused_by_qemu_alone(runner->guest, vcpu),
		       "entry refused for no known reason, code",
		       run->exit.fail_entry.code);
		return false;
	default:
		expect(runner, run->reason <= LODGE_EXIT_UNKNOWN,
		       "reason of an exit", run->reason);
		return false;
	}
}

/* The run page is the caller's: what it writes there at random is its fault. */
static void disturb_page(struct chance *chance, struct lodge_run *run)
{
	if (chance_one_in(chance, 8))
		chance_fill(chance, run->data, 64);
	if (chance_one_in(chance, 8))
		chance_fill(chance, &run->exit, sizeof(run->exit));
	run->request_window = chance_one_in(chance, 8);
}

static void *runner_thread(void *argument)
{
	struct runner *runner = argument;
	struct guest *guest = runner->guest;
	struct lodge_run *run = guest->run[runner->id];
	int exits = 0, signals = 0, error;

	while (!SEEN(guest->done) && exits++ < EXITS_MAX &&
	       signals < SIGNALS_MAX && !runner->wrong) {
		error = lodge_run(guest->vcpu[runner->id]);
		if (error == -EINTR)
			signals++;
		else if (error)
			expect(runner, error == -EINVAL, "LODGE_RUN answers",
			       error);
		else if (!answer(runner, run))
			break;
		disturb_page(&runner->chance, run);
	}
	__atomic_store_n(&runner->ended, true, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Between the guest's instructions: new code, new tables, interrupts. */
static void disturb(struct guest *guest)
{
	struct chance *chance = &guest->chance;
	uint32_t at = CODE + chance_below(chance, CODE_SIZE - 16);

	switch (chance_below(chance, 5)) {
	case 0:
		write_piece(chance, guest->memory + at);
		break;
	case 1:
		chance_flip(chance, guest->memory + TABLES, TABLES_SIZE, 4);
		break;
	case 2:
		lodge_msi_send(guest->vm, APIC | chance_below(chance, 2) << 12,
			       chance_number(chance) & 0x7ff);
		break;
	case 3:
		lodge_extint(guest->vcpu[chance_below(chance, VCPUS)],
			     chance_number(chance));
		break;
	default:
		lodge_nmi(guest->vcpu[chance_below(chance, VCPUS)]);
	}
}

static void on_signal(int signal)
{
}

static bool all_ended(struct runner runner[VCPUS])
{
	for (int i = 0; i < VCPUS; i++)
		if (!SEEN(runner[i].ended))
			return false;
	return true;
}

/* Return: true if every run has ended. */
static bool guest_live(struct guest *guest, struct runner runner[VCPUS])
{
	int left = PATIENCE * 1000;

	for (unsigned int i = 0; i < VCPUS; i++) {
		runner[i] = (struct runner){ .guest = guest, .id = i };
		runner[i].chance.state = chance_number(&guest->chance);
		pthread_create(&runner[i].thread, NULL, runner_thread,
			       &runner[i]);
	}
	while (!all_ended(runner) && left--) {
		for (int i = 0; i < 4; i++)
			disturb(guest);
		usleep(1000);
		for (int i = 0; i < VCPUS; i++)
			if (!SEEN(runner[i].ended))
				pthread_kill(runner[i].thread, SIGUSR1);
	}
	if (left < 0)
		return false;
	for (int i = 0; i < VCPUS; i++)
		pthread_join(runner[i].thread, NULL);
	return true;
}

FIXTURE(guests)
{
	struct guest guest;
	struct span span;
	int lodge;
};

FIXTURE_SETUP(guests)
{
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	self->span = span_start();
	self->lodge = lodge_open();
	ASSERT_LE(0, self->lodge);
	self->guest.memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->guest.memory);
	self->guest.rom = mmap(NULL, ROM_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->guest.rom);
}

FIXTURE_TEARDOWN(guests)
{
	close(self->lodge);
}

TEST_F_TIMEOUT(guests, at_random_keep_to_the_abi_and_end_by_a_signal,
	       SOAK_TIMEOUT)
{
	struct guest *guest = &self->guest;
	struct runner runner[VCPUS];
	unsigned long long round = 0;

	while (span_goes_on(&self->span)) {
		guest->chance = chance_start(++round);
		ASSERT_EQ(0, guest_make(guest, self->lodge));
		ASSERT_TRUE(guest_live(guest, runner))
		TH_LOG("guest %llu does not end", round);
		for (int i = 0; i < VCPUS; i++) {
			ASSERT_EQ(NULL, runner[i].wrong)
			TH_LOG("guest %llu, vCPU %d: %s %#llx", round, i,
			       runner[i].wrong, runner[i].value);
		}
		guest_end(guest);
	}
	TH_LOG("%llu guests", round);
	EXPECT_LT(0, round);
}

TEST_HARNESS_MAIN
