// SPDX-License-Identifier: GPL-2.0
/*
 * Paging in the guest and beneath it: faults with their error codes, accessed
 * and dirty bits, and a host that takes its pages away.
 */
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "guest.h"

#define P 1
#define WR 2
#define US 4
#define ACCESSED 0x20
#define DIRTY 0x40
#define NX (1ULL << 63)

/* The page under test: 12 KiB into what is mapped in small pages. */
#define PAGE 0x203000
#define ENTRY (GUEST_PT + 3 * 8)

#define TO_USER(target)                                              \
	"push $0x23; push $0x30000; push $2; push $0x2b; push $" AT( \
		target) "; iretq;"

/* An access that faults. */
FIXTURE(fault)
{
	struct machine m;
	struct guest_cpu *cpu;
};

FIXTURE_VARIANT(fault)
{
	const struct guest_code *code;
	uint64_t entry;
	uint64_t error;
	uint64_t cr0;
	uint64_t cr4;
	uint64_t efer;
	uint64_t address;
	bool needs_smep;
	bool needs_smap;
};

FIXTURE_SETUP(fault)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
}

FIXTURE_TEARDOWN(fault)
{
}

TEST_F(fault, has_the_right_error_code_and_address)
{
	struct lodge_control *control = &self->cpu->run->regs.control;
	struct guest_event event;

	if (variant->needs_smep && !(cpu_feature(self->cpu, 7, 0, 1) & 1 << 7))
		SKIP(return, "the guest's CPUID has no SMEP");
	if (variant->needs_smap && !(cpu_feature(self->cpu, 7, 0, 1) & 1 << 20))
		SKIP(return, "the guest's CPUID has no SMAP");
	/* Code and tables are the supervisor's then. */
	if (variant->needs_smep || variant->needs_smap)
		*machine_u64(&self->m, GUEST_PD) &= ~(uint64_t)US;
	*machine_u64(&self->m, ENTRY) = variant->entry;
	self->m.memory[PAGE] = 0xc3;
	cpu_start(self->cpu, LONG64, *variant->code);
	control->cr0 |= variant->cr0;
	control->cr4 |= variant->cr4;
	control->efer |= variant->efer;
	ASSERT_TRUE(cpu_raises(self->cpu, PF, &event));
	EXPECT_EQ(variant->error, event.error);
	EXPECT_EQ(variant->address ? variant->address : PAGE, control->cr2);
}

CODE(load, 64, "mov 0x203000, %eax;" DONE);
CODE(store, 64, "movl $5, 0x203000;" DONE);
CODE(store_cpuid, 64, "cpuid; movl $5, 0x203000;" DONE);
CODE(fetch, 64, "mov $0x203000, %eax; call *%rax;" DONE);
CODE(user_load, 64, TO_USER("1f") "1: mov 0x203000, %eax;" DONE);
CODE(user_store, 64, TO_USER("1f") "1: movl $5, 0x203000;" DONE);
CODE(user_fetch, 64, TO_USER("1f") "1: mov $0x203000, %eax; call *%rax;" DONE);
CODE(crossing, 64, "mov 0x202ffe, %eax;" DONE);
CODE(outside, 64, "movabs $0x100000000, %rax; mov (%rax), %ebx;" DONE);

#define FAULT(name, instructions, pte, code_error, ...)                   \
	FIXTURE_VARIANT_ADD(fault, name)                                  \
	{                                                                 \
		.code = &instructions, .entry = pte, .error = code_error, \
		##__VA_ARGS__                                             \
	}

FAULT(load_of_an_absent_page, load, 0, 0);
FAULT(store_to_an_absent_page, store, 0, 2);
FAULT(fetch_of_an_absent_page, fetch, 0, 0);
FAULT(fetch_of_an_absent_page_with_nx, fetch, 0, 0x10, .efer = 0x800);
FAULT(store_to_a_read_only_page, store, PAGE | P, 3, .cr0 = 1 << 16);
FAULT(fetch_of_an_nx_page, fetch, NX | PAGE | P | WR, 0x11, .efer = 0x800);
FAULT(user_load_of_a_supervisor_page, user_load, PAGE | P | WR, 5);
FAULT(user_store_to_a_read_only_page, user_store, PAGE | P | US, 7);
FAULT(user_store_to_an_absent_page, user_store, 0, 6);
FAULT(user_fetch_of_a_supervisor_page, user_fetch, PAGE | P | WR, 5);
FAULT(load_over_a_page_boundary, crossing, 0, 0);
FAULT(store_after_an_exit, store_cpuid, 0, 2);
FAULT(load_beyond_the_top_table, outside, PAGE | P | WR, 0,
      .address = 0x100000000);
FAULT(fetch_of_a_user_page_with_smep, fetch, PAGE | P | WR | US, 0x11,
      .cr4 = 1 << 20, .efer = 0x800, .needs_smep = true);
FAULT(load_of_a_user_page_with_smap, load, PAGE | P | WR | US, 1,
      .cr4 = 1 << 21, .needs_smap = true);

/* Faults that Lodge's own page walk has to find: a device's page. */
#define DEVICE (GUEST_HOLE | P)

CODE(device_load, 64, "mov $0x1f0, %edx; mov $0x203000, %esi; outsb;" DONE);
CODE(device_store, 64, "mov $0x1f0, %edx; mov $0x203000, %edi; insb;" DONE);
CODE(user_ins, 64,
     "push $0x23; push $0x30000; push $0x3002; push $0x2b; push $" AT(
	     "1f") "; iretq; 1: mov $0x1f0, %edx; mov $0x203000, %edi; insb;" DONE);

FAULT(outs_from_an_absent_page, device_load, 0, 0);
FAULT(ins_to_a_read_only_page, device_store, DEVICE, 3, .cr0 = 1 << 16);
FAULT(ins_to_a_supervisor_page_at_level_3, user_ins, PAGE | P | WR, 7);
FAULT(outs_from_a_user_page_with_smap, device_load, PAGE | P | US, 1,
      .cr4 = 1 << 21, .needs_smap = true);
FAULT(outs_through_reserved_bits, device_load, 1ULL << 51 | PAGE | P, 9);

FIXTURE(paging)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct lodge_run *run;
};

FIXTURE_SETUP(paging)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	self->run = self->cpu->run;
}

FIXTURE_TEARDOWN(paging)
{
}

TEST_F(paging, a_load_sets_the_accessed_bit_and_a_store_the_dirty_bit)
{
	cpu_start(self->cpu, LONG64, load);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(ACCESSED, *machine_u64(&self->m, ENTRY) & (ACCESSED | DIRTY));
	cpu_start(self->cpu, LONG64, store);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(ACCESSED | DIRTY,
		  *machine_u64(&self->m, ENTRY) & (ACCESSED | DIRTY));
}

TEST_F(paging, an_emulated_store_sets_the_bits_as_the_processor_does)
{
	*machine_u64(&self->m, ENTRY) = GUEST_HOLE | P | WR;
	cpu_start(self->cpu, LONG64, store);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	EXPECT_EQ(GUEST_HOLE, self->run->exit.mmio.gpa);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(ACCESSED | DIRTY,
		  *machine_u64(&self->m, ENTRY) & (ACCESSED | DIRTY));
}

TEST_F(paging, level_0_writes_to_read_only_pages_without_wp)
{
	*machine_u64(&self->m, ENTRY) = PAGE | P;
	cpu_start(self->cpu, LONG64, store);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(5, *machine_u32(&self->m, PAGE));
}

CODE(remap, 64,
     "mov 0x203000, %eax; movq $0x204007, 0xd018; invlpg 0x203000;"
     "mov 0x203000, %ebx; movq $0x205007, 0xd018; mov %cr3, %rdx;"
     "mov %rdx, %cr3; mov 0x203000, %ecx;" DONE);

TEST_F(paging, invlpg_and_cr3_make_a_changed_entry_count)
{
	*machine_u32(&self->m, 0x203000) = 3;
	*machine_u32(&self->m, 0x204000) = 4;
	*machine_u32(&self->m, 0x205000) = 5;
	cpu_start(self->cpu, LONG64, remap);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(3, *cpu_gpr(self->cpu, LODGE_RAX));
	EXPECT_EQ(4, *cpu_gpr(self->cpu, LODGE_RBX));
	EXPECT_EQ(5, *cpu_gpr(self->cpu, LODGE_RCX));
}

/* PGE off and on again drops global translations too. */
CODE(global, 64,
     "mov %cr4, %rsi; bts $7, %rsi; mov %rsi, %cr4; movq $0x203107, 0xd018;"
     "invlpg 0x203000; mov 0x203000, %eax; movq $0x204107, 0xd018;"
     "btr $7, %rsi; mov %rsi, %cr4; mov 0x203000, %ebx;" DONE);

TEST_F(paging, clearing_pge_drops_global_translations)
{
	*machine_u32(&self->m, 0x203000) = 3;
	*machine_u32(&self->m, 0x204000) = 4;
	cpu_start(self->cpu, LONG64, global);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(3, *cpu_gpr(self->cpu, LODGE_RAX));
	EXPECT_EQ(4, *cpu_gpr(self->cpu, LODGE_RBX));
}

CODE(modify, 64,
     "mov $1, %eax; 1: movb $2, 2f + 1(%rip); 2: mov $1, %bl;"
     "movb $4, 3f + 1(%rip); cpuid; 3: mov $3, %bl;" DONE);

TEST_F(paging, code_that_changes_itself_runs_changed)
{
	cpu_start(self->cpu, LONG64, modify);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(4, *cpu_gpr(self->cpu, LODGE_RBX) & 0xff);
}

CODE(modify_next, 64, "movb $2, 2f + 1(%rip); 2: mov $1, %bl;" DONE);

/* The store ends in a nested fault, and is executed again behind it. */
TEST_F(paging, a_pages_first_store_changes_the_instruction_behind_it)
{
	cpu_start(self->cpu, LONG64, modify_next);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(2, *cpu_gpr(self->cpu, LODGE_RBX) & 0xff);
}

CODE(device_rewritten, 64,
     "mov $0xd0000000, %edi; 1: mov %al, (%rdi); inc %ecx; cmp $2, %ecx;"
     "je 2f; movb $0x27, 1b+1(%rip); jmp 1b; 2:" DONE);

TEST_F(paging, an_emulated_instruction_that_was_rewritten_is_decoded_anew)
{
	/* MOV to (RDI) from AL becomes one from AH. */
	cpu_start(self->cpu, LONG64, device_rewritten);
	*cpu_gpr(self->cpu, LODGE_RAX) = 0x5566;
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	EXPECT_EQ(0x66, self->run->exit.mmio.data[0]);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	EXPECT_EQ(0x55, self->run->exit.mmio.data[0]);
}

CODE(reads, 64, "1: mov 0x300000, %eax; out %al, $0x80; jmp 1b;");

TEST_F(paging, pages_the_host_has_dropped_come_back_zero)
{
	*machine_u32(&self->m, 0x300000) = 0x1234;
	cpu_start(self->cpu, LONG64, reads);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(0x1234, *cpu_gpr(self->cpu, LODGE_RAX));
	ASSERT_EQ(0, madvise(self->m.memory + 0x300000, 4096, MADV_DONTNEED));
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RAX));
}

TEST_F(paging, a_page_remapped_by_the_host_is_the_new_one)
{
	cpu_start(self->cpu, LONG64, reads);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_NE(MAP_FAILED,
		  mmap(self->m.memory + 0x300000, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	*machine_u32(&self->m, 0x300000) = 0x4321;
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(0x4321, *cpu_gpr(self->cpu, LODGE_RAX));
}

CODE(writes, 64,
     "1: incl 0x300000; mov 0x300000, %eax; out %al, $0x80;"
     "jmp 1b;");

TEST_F(paging, a_page_the_host_has_made_read_only_stops_the_guests_write)
{
	cpu_start(self->cpu, LONG64, writes);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_EQ(0, mprotect(self->m.memory + 0x300000, 4096, PROT_READ));
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MEMORY_ERROR));
	EXPECT_EQ(0x300000, self->run->exit.memory.gpa);
	EXPECT_EQ(1, self->run->exit.memory.write);
	ASSERT_EQ(0, mprotect(self->m.memory + 0x300000, 4096,
			      PROT_READ | PROT_WRITE));
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(2, *cpu_gpr(self->cpu, LODGE_RAX));
}

TEST_F(paging, a_fork_of_the_host_process_leaves_guest_and_child_apart)
{
	pid_t child;
	int status;

	cpu_start(self->cpu, LONG64, writes);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		sleep(1);
		_exit(*machine_u32(&self->m, 0x300000) == 1 ? 0 : 1);
	}
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(2, *machine_u32(&self->m, 0x300000));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(paging, a_deleted_slot_is_a_device_until_it_is_set_again)
{
	unsigned char *page = self->m.memory + 0x300000;

	ASSERT_EQ(0, lodge_memory_set(self->m.vm, 0, 0, 0, 0x300000,
				      self->m.memory));
	ASSERT_EQ(0, lodge_memory_set(self->m.vm, 1, 0, 0x300000, 4096, page));
	*machine_u32(&self->m, 0x300000) = 7;
	cpu_start(self->cpu, LONG64, reads);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(7, *cpu_gpr(self->cpu, LODGE_RAX));
	ASSERT_EQ(0, lodge_memory_delete(self->m.vm, 1));
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	EXPECT_EQ(0x300000, self->run->exit.mmio.gpa);
	memset(self->run->exit.mmio.data, 0, 16);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RAX));
	ASSERT_EQ(0, lodge_memory_set(self->m.vm, 1, 0, 0x300000, 4096, page));
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(7, *cpu_gpr(self->cpu, LODGE_RAX));
}

CODE(until_changed, 64,
     "1: mov 0x300000, %eax; pause; test %eax, %eax; jz 1b;" DONE);

TEST_F(paging, a_slot_replaced_under_a_running_guest_counts_at_once)
{
	unsigned char *other;

	other = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, other);
	other[0] = 9;
	ASSERT_EQ(0, lodge_memory_set(self->m.vm, 0, 0, 0, 0x300000,
				      self->m.memory));
	ASSERT_EQ(0, lodge_memory_set(self->m.vm, 1, 0, 0x300000, 4096,
				      self->m.memory + 0x300000));
	cpu_start(self->cpu, LONG64, until_changed);
	cpu_run_aside(self->cpu);
	ASSERT_EQ(0, lodge_memory_set(self->m.vm, 1, 0, 0x300000, 4096, other));
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
	EXPECT_EQ(9, *cpu_gpr(self->cpu, LODGE_RAX));
}

CODE(sweep, 64,
     "mov $0x800000, %edi; mov $2048, %ecx; 1: mov %ecx, (%rdi);"
     "add $4096, %rdi; dec %ecx; jnz 1b; mov $0x800000, %edi;"
     "mov $2048, %ecx; 2: add (%rdi), %rax; add $4096, %rdi; dec %ecx;"
     "jnz 2b;" DONE);

TEST_F(paging, huge_host_pages_hold_what_small_ones_do)
{
	const size_t size = 0x800000;
	unsigned char *area;

	area = mmap(NULL, size + 0x200000, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, area);
	area = (void *)(((uintptr_t)area + 0x1fffff) & ~0x1fffffUL);
	madvise(area, size, MADV_HUGEPAGE);
	ASSERT_EQ(0, lodge_memory_set(self->m.vm, 1, 0, 0x800000, size, area));
	cpu_start(self->cpu, LONG64, sweep);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(2048 * 2049 / 2, *cpu_gpr(self->cpu, LODGE_RAX));
	EXPECT_EQ(2048, *(uint32_t *)area);
	/* A hole in the middle of a huge page. */
	ASSERT_EQ(0, madvise(area + 0x201000, 4096, MADV_DONTNEED));
	cpu_start(self->cpu, LONG64, sweep);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(2048 * 2049 / 2, *cpu_gpr(self->cpu, LODGE_RAX));
}

CODE(tables_moved, 32,
     "mov 0x50000, %eax; out %al, $0x80;"
     "mov 0x50000, %ebx;" DONE);

TEST_F(paging, page_tables_of_the_guest_may_be_dropped_and_refilled)
{
	unsigned char copy[4096];

	cpu_start(self->cpu, PAE32, tables_moved);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	memcpy(copy, self->m.memory + GUEST_PD, 4096);
	ASSERT_EQ(0, madvise(self->m.memory + GUEST_PD, 4096, MADV_DONTNEED));
	memcpy(self->m.memory + GUEST_PD, copy, 4096);
	*machine_u32(&self->m, GUEST_DATA) = 6;
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(6, *cpu_gpr(self->cpu, LODGE_RBX));
}

TEST_HARNESS_MAIN
