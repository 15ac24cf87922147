// SPDX-License-Identifier: GPL-2.0
/*
 * RDMSR and WRMSR: which registers a guest finds, what they keep and what they
 * refuse.
 */
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "guest.h"

/* RSI: written when RBP is not zero; read to RDI. */
CODE(transfer, 64,
     "mov %rsi, %rax; mov %rsi, %rdx; shr $32, %rdx; test %ebp, %ebp; jz 1f;"
     "wrmsr; 1: rdmsr; shl $32, %rdx; lea (%rdx,%rax), %rdi;" DONE);

static void start(struct guest_cpu *cpu, uint32_t index)
{
	cpu_start(cpu, LONG64, transfer);
	*cpu_gpr(cpu, LODGE_RCX) = index;
}

static void start_write(struct guest_cpu *cpu, uint32_t index, uint64_t value)
{
	start(cpu, index);
	*cpu_gpr(cpu, LODGE_RBP) = 1;
	*cpu_gpr(cpu, LODGE_RSI) = value;
}

/* Registers that keep what is written to them. */
FIXTURE(keeps)
{
	struct machine m;
};

FIXTURE_VARIANT(keeps)
{
	uint32_t index;
	uint64_t value;
};

FIXTURE_SETUP(keeps)
{
	machine_create(&self->m, 1);
}

FIXTURE_TEARDOWN(keeps)
{
}

#define KEEPS(name, msr, bits)              \
	FIXTURE_VARIANT_ADD(keeps, name)    \
	{                                   \
		.index = msr, .value = bits \
	}

KEEPS(sysenter_cs, 0x174, 0x1234);
KEEPS(sysenter_esp, 0x175, 0xffff800012345678);
KEEPS(sysenter_eip, 0x176, 0x00007fff12345678);
KEEPS(mcg_status, 0x17a, 0);
KEEPS(mtrr_variable_base, 0x200, 0x40000006);
KEEPS(mtrr_variable_mask, 0x201, 0xc0000800);
KEEPS(mtrr_fixed, 0x250, 0x0606060606060606);
KEEPS(pat, 0x277, 0x0001040600070406);
KEEPS(mtrr_def_type, 0x2ff, 0xc06);
KEEPS(star, 0xc0000081, 0x0023001000000000);
KEEPS(lstar, 0xc0000082, 0xffffffff81000000);
KEEPS(cstar, 0xc0000083, 0xffffffff82000000);
KEEPS(sfmask, 0xc0000084, 0x47700);
KEEPS(fs_base, 0xc0000100, 0x00007f0012345678);
KEEPS(gs_base, 0xc0000101, 0xffff888012345678);
KEEPS(kernel_gs_base, 0xc0000102, 0xffff888087654321);
KEEPS(apic_base_moved, 0x1b, 0xfed00900);

TEST_F(keeps, what_is_written_is_read)
{
	struct guest_cpu *cpu = &self->m.cpu[0];

	start_write(cpu, variant->index, variant->value);
	ASSERT_TRUE(cpu_done(cpu));
	EXPECT_EQ(variant->value, *cpu_gpr(cpu, LODGE_RDI));
}

/* Registers as the guest finds them; those of one vendor are unknown to the other. */
FIXTURE(reads)
{
	struct machine m;
};

enum vendor { ANY, AMD, INTEL };

FIXTURE_VARIANT(reads)
{
	uint32_t index;
	uint64_t value;
	enum vendor vendor;
};

FIXTURE_SETUP(reads)
{
	machine_create(&self->m, 1);
}

FIXTURE_TEARDOWN(reads)
{
}

#define MISC_ENABLE 0x1a0
#define MISC_ENABLE_RESET 0x1801

#define READS(name, whose, msr, bits)                        \
	FIXTURE_VARIANT_ADD(reads, name)                     \
	{                                                    \
		.index = msr, .value = bits, .vendor = whose \
	}

READS(apic_base, ANY, 0x1b, 0xfee00900);
READS(mtrr_cap, ANY, 0xfe, 0x508);
READS(pat_after_a_reset, ANY, 0x277, 0x0007040600070406);
READS(efer_with_long_mode_and_without_svm, ANY, 0xc0000080,
      X86_EFER_LME | X86_EFER_LMA);
READS(tsc_frequency_selected_in_hwcr, AMD, 0xc0010015, 0x1000000);
READS(vm_cr_with_svm_locked, AMD, 0xc0010114, 0x18);
READS(power_on_configuration, INTEL, 0x2a, 0);
READS(feature_control_locked_without_vmx, INTEL, 0x3a, 1);
READS(misc_enable_after_a_reset, INTEL, MISC_ENABLE, MISC_ENABLE_RESET);

TEST_F(reads, the_manuals_value)
{
	const enum vendor vendor = machine_is_intel() ? INTEL : AMD;
	struct guest_cpu *cpu = &self->m.cpu[0];

	start(cpu, variant->index);
	if (variant->vendor && variant->vendor != vendor) {
		EXPECT_TRUE(cpu_raises(cpu, GP, NULL));
		return;
	}
	ASSERT_TRUE(cpu_done(cpu));
	EXPECT_EQ(variant->value, *cpu_gpr(cpu, LODGE_RDI));
}

/* Writes, and reads, that fault. */
FIXTURE(faults)
{
	struct machine m;
};

FIXTURE_VARIANT(faults)
{
	uint32_t index;
	uint64_t value;
	bool read;
};

FIXTURE_SETUP(faults)
{
	machine_create(&self->m, 1);
}

FIXTURE_TEARDOWN(faults)
{
}

#define FAULTS(name, msr, bits)             \
	FIXTURE_VARIANT_ADD(faults, name)   \
	{                                   \
		.index = msr, .value = bits \
	}
#define FAULTS_READ(name, msr)             \
	FIXTURE_VARIANT_ADD(faults, name)  \
	{                                  \
		.index = msr, .read = true \
	}

FAULTS_READ(read_of_an_unknown_one, 0x12345678);
FAULTS(write_of_an_unknown_one, 0x12345678, 0);
FAULTS_READ(read_of_x2apic_in_xapic_mode, 0x802);
FAULTS(write_of_x2apic_in_xapic_mode, 0x80b, 0);
FAULTS(reserved_bits_of_efer, 0xc0000080, 0x80000d00);
FAULTS(lme_changed_under_paging, 0xc0000080, 0);
FAULTS(an_undefined_type_in_pat, 0x277, 0x0007040600070402);
FAULTS(an_undefined_type_in_mtrr, 0x250, 0x0600000000000002);
FAULTS(write_of_mtrrcap, 0xfe, 0);
FAULTS(apic_base_with_reserved_bits, 0x1b, 0xfee00901);
FAULTS(straight_from_disabled_to_x2apic_bit_alone, 0x1b, 0xfee00500);
FAULTS(wide_tsc_aux, 0xc0000103, 0x100000000);

TEST_F(faults, general_protection_with_error_code_zero)
{
	struct guest_cpu *cpu = &self->m.cpu[0];
	struct guest_event event;

	if (variant->read)
		start(cpu, variant->index);
	else
		start_write(cpu, variant->index, variant->value);
	ASSERT_TRUE(cpu_raises(cpu, GP, &event));
	EXPECT_EQ(0, event.error);
	/* RIP is that of the instruction itself. */
	EXPECT_EQ(variant->read ? 0x320f : 0x300f,
		  *(uint16_t *)(self->m.memory + event.rip));
}

FIXTURE(msr)
{
	struct machine m;
	struct guest_cpu *cpu;
};

FIXTURE_SETUP(msr)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
}

FIXTURE_TEARDOWN(msr)
{
}

TEST_F(msr, the_performance_counters_of_intels_first_processors_are_there)
{
	static const uint32_t intel[] = { 0xc1, 0xc2, 0x186, 0x187 };
	unsigned int i;

	if (!machine_is_intel())
		SKIP(return, "the processor is not Intel's");
	for (i = 0; i < 4; i++) {
		start_write(self->cpu, intel[i], 0);
		EXPECT_TRUE(cpu_done(self->cpu));
	}
}

TEST_F(msr, amds_performance_counters_keep_what_is_written)
{
	unsigned int i;

	if (machine_is_intel())
		SKIP(return, "the processor is Intel's");
	for (i = 0; i < 8; i++) {
		start_write(self->cpu, 0xc0010000 + i, 0xabcd + i);
		ASSERT_TRUE(cpu_done(self->cpu));
	}
	for (i = 0; i < 8; i++) {
		start(self->cpu, 0xc0010000 + i);
		ASSERT_TRUE(cpu_done(self->cpu));
		EXPECT_EQ(0xabcd + i, *cpu_gpr(self->cpu, LODGE_RDI));
	}
	/* A counter has 48 bits. */
	start_write(self->cpu, 0xc0010004, ~0ULL);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0xffffffffffff, *cpu_gpr(self->cpu, LODGE_RDI));
}

CODE(rdpmc, 64,
     "mov $0xc0010007, %ecx; mov $0x123, %eax; mov $0x45, %edx;"
     "test %ebp, %ebp; jnz 1f; wrmsr; 1:"
     "mov $3, %ecx; mov $-1, %eax; mov $-1, %edx; rdpmc;"
     "shl $32, %rdx; lea (%rdx,%rax), %rsi; mov $4, %ecx; rdpmc;");

TEST_F(msr, rdpmc_reads_four_counters_and_faults_at_the_fifth)
{
	struct guest_event event;
	bool intel = machine_is_intel();

	cpu_start(self->cpu, LONG64, rdpmc);
	*cpu_gpr(self->cpu, LODGE_RBP) = intel;
	ASSERT_TRUE(cpu_raises(self->cpu, GP, &event));
	EXPECT_EQ(intel ? 0 : 0x4500000123, *cpu_gpr(self->cpu, LODGE_RSI));
	EXPECT_EQ(4, *cpu_gpr(self->cpu, LODGE_RCX));
}

#define LIMIT_CPUID (1ULL << 22)
#define XD_DISABLE (1ULL << 34)

TEST_F(msr, amds_misc_enable_cannot_be_written)
{
	if (machine_is_intel())
		SKIP(return, "the processor is Intel's");
	start_write(self->cpu, MISC_ENABLE, MISC_ENABLE_RESET);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));
}

/* RSI to the MSR; then RSI has what tells of NX, RDI the highest leaf; then NX. */
CODE(misc_enable, 64,
     "mov $0x1a0, %ecx; mov %rsi, %rax; mov %rsi, %rdx; shr $32, %rdx; wrmsr;"
     "mov $0x80000001, %eax; cpuid; mov %edx, %esi;"
     "xor %eax, %eax; cpuid; mov %eax, %edi;" DONE
     "mov $0xc0000080, %ecx; rdmsr; or $0x800, %eax; wrmsr;" DONE);

TEST_F(msr, execute_disable_can_be_switched_off_and_cpuid_be_limited)
{
	const uint32_t nx = 1U << 20;

	if (!machine_is_intel())
		SKIP(return, "the processor is not Intel's");
	if (!(cpu_feature(self->cpu, 0x80000001, 0, 3) & nx))
		SKIP(return, "the guest's CPUID has no NX");
	cpu_start(self->cpu, LONG64, misc_enable);
	*cpu_gpr(self->cpu, LODGE_RSI) = MISC_ENABLE_RESET | XD_DISABLE |
					 LIMIT_CPUID;
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_FALSE(*cpu_gpr(self->cpu, LODGE_RSI) & nx);
	EXPECT_EQ(2, *cpu_gpr(self->cpu, LODGE_RDI));
	ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));

	cpu_start(self->cpu, LONG64, misc_enable);
	*cpu_gpr(self->cpu, LODGE_RSI) = MISC_ENABLE_RESET;
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_TRUE(*cpu_gpr(self->cpu, LODGE_RSI) & nx);
	EXPECT_LT(2, *cpu_gpr(self->cpu, LODGE_RDI));
	ASSERT_TRUE(cpu_done(self->cpu));
}

CODE(bases, 64,
     "mov $0xc0000100, %ecx; mov $0x50000, %eax; xor %edx, %edx; wrmsr;"
     "mov $0xc0000102, %ecx; mov $0x51000, %eax; wrmsr;"
     "movl $0x11, %fs:8; swapgs; movl $0x22, %gs:8;"
     "mov $0xc0000102, %ecx; rdmsr;" DONE);

TEST_F(msr, segment_bases_take_effect_and_swapgs_swaps)
{
	cpu_start(self->cpu, LONG64, bases);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x11, *machine_u32(&self->m, 0x50008));
	EXPECT_EQ(0x22, *machine_u32(&self->m, 0x51008));
	EXPECT_EQ(0x51000, self->cpu->run->regs.segments.seg[LODGE_GS].base);
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RAX));
}

CODE(tsc, 64,
     "mov $0x10, %ecx; xor %eax, %eax; mov $0x1000, %edx; wrmsr;"
     "rdtsc; shl $32, %rdx; lea (%rdx,%rax), %rsi;"
     "rdmsr; shl $32, %rdx; lea (%rdx,%rax), %rdi;" DONE);

TEST_F(msr, the_tsc_goes_on_from_what_is_written)
{
	uint64_t first, second;

	cpu_start(self->cpu, LONG64, tsc);
	ASSERT_TRUE(cpu_done(self->cpu));
	first = *cpu_gpr(self->cpu, LODGE_RSI);
	second = *cpu_gpr(self->cpu, LODGE_RDI);
	EXPECT_LE(0x1000ULL << 32, first);
	EXPECT_LE(first, second);
	EXPECT_LE(second, self->cpu->run->regs.msrs.tsc);
}

#define EFER_AUTOIBRS (1ULL << 21)

TEST_F(msr, automatic_ibrs_is_as_cpuid_has_it)
{
	bool has = cpu_feature(self->cpu, 0x80000021, 0, 0) & 1U << 8;

	start_write(self->cpu, 0xc0000080,
		    X86_EFER_LME | X86_EFER_LMA | EFER_AUTOIBRS);
	if (!has) {
		ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));
		return;
	}
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_TRUE(*cpu_gpr(self->cpu, LODGE_RDI) & EFER_AUTOIBRS);
}

#define PRED_CMD 0x49
#define PRED_CMD_IBPB 1
#define PRED_CMD_SBPB 0x80

CODE(command, 64, "mov %esi, %eax; xor %edx, %edx; wrmsr;" DONE);

static bool commands(struct guest_cpu *cpu, uint32_t index, uint32_t value,
		     bool allowed)
{
	cpu_start(cpu, LONG64, command);
	*cpu_gpr(cpu, LODGE_RCX) = index;
	*cpu_gpr(cpu, LODGE_RSI) = value;
	return allowed ? cpu_done(cpu) : cpu_raises(cpu, GP, NULL);
}

TEST_F(msr, commands_to_the_processor_are_as_cpuid_has_them)
{
	struct guest_cpu *cpu = self->cpu;
	uint32_t edx_7 = cpu_feature(cpu, 7, 0, 3);
	bool ibpb = edx_7 & 1U << 26 ||
		    cpu_feature(cpu, 0x80000008, 0, 1) & 1U << 12;
	bool sbpb = cpu_feature(cpu, 0x80000021, 0, 0) & 1U << 27;

	EXPECT_TRUE(commands(cpu, PRED_CMD, PRED_CMD_IBPB, ibpb));
	EXPECT_TRUE(commands(cpu, PRED_CMD, PRED_CMD_SBPB, sbpb));
	EXPECT_TRUE(commands(cpu, PRED_CMD, 2, false));
	EXPECT_TRUE(commands(cpu, 0x10b, 1, edx_7 & 1U << 28));
	EXPECT_TRUE(commands(cpu, 0x10b, 2, false));
}

#define SPEC_CTRL 0x48
#define SPEC_CTRL_IBRS 1
#define SPEC_CTRL_SSBD 4

static bool has_spec_ctrl(const struct guest_cpu *cpu)
{
	return cpu_feature(cpu, 7, 0, 3) & 1U << 26 ||
	       cpu_feature(cpu, 0x80000008, 0, 1) & 1U << 14;
}

/* Writes RSI to the MSR, exits for CPUID, and reads it to RDI. */
CODE(spec_ctrl, 64,
     "mov $0x48, %ecx; mov %esi, %eax; xor %edx, %edx; wrmsr;"
     "xor %eax, %eax; cpuid; mov $0x48, %ecx; rdmsr; mov %rax, %rdi;" DONE);

/* With an exit at each write, from the first one on, and again. */
TEST_F(msr, spec_ctrl_keeps_its_value_over_exits)
{
	static const uint64_t values[] = { 0, SPEC_CTRL_IBRS, 0,
					   SPEC_CTRL_IBRS };
	unsigned int i;

	if (!has_spec_ctrl(self->cpu))
		SKIP(return, "the guest's CPUID has no SPEC_CTRL");
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		cpu_start(self->cpu, LONG64, spec_ctrl);
		*cpu_gpr(self->cpu, LODGE_RSI) = values[i];
		*cpu_gpr(self->cpu, LODGE_RDI) = ~0ULL;
		ASSERT_TRUE(cpu_done(self->cpu));
		EXPECT_EQ(values[i], *cpu_gpr(self->cpu, LODGE_RDI));
		EXPECT_EQ(values[i], self->cpu->run->regs.msrs.spec_ctrl);
	}
}

/* Takes a feature of leaf 7, EDX, from the guest's CPUID. */
static void take_feature(struct guest_cpu *cpu, uint32_t bit)
{
	struct lodge_cpuid_entry entries[256];
	uint32_t nr = 256, i;

	if (lodge_cpuid_get(cpu->fd, entries, &nr))
		return;
	for (i = 0; i < nr; i++)
		if (entries[i].leaf == 7 && !entries[i].subleaf)
			entries[i].edx &= ~bit;
	lodge_cpuid_set(cpu->fd, entries, nr);
}

/*
 * A bit that the processor has and CPUID does not announce faults only while each write
 * is an exit.  It is not part of the guest's state.
 */
TEST_F(msr, spec_ctrl_is_the_guests_own_from_its_first_value_on)
{
	const uint32_t edx_7 = cpu_feature(self->cpu, 7, 0, 3);

	if (!(edx_7 & 1U << 26) || !(edx_7 & 1U << 31))
		SKIP(return, "the guest's CPUID has no IBRS and SSBD");
	take_feature(self->cpu, 1U << 31);
	start_write(self->cpu, SPEC_CTRL, SPEC_CTRL_SSBD);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));
	start_write(self->cpu, SPEC_CTRL, 0);
	ASSERT_TRUE(cpu_done(self->cpu));
	start_write(self->cpu, SPEC_CTRL, SPEC_CTRL_SSBD);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));

	start_write(self->cpu, SPEC_CTRL, SPEC_CTRL_IBRS);
	ASSERT_TRUE(cpu_done(self->cpu));
	start_write(self->cpu, SPEC_CTRL, SPEC_CTRL_IBRS | SPEC_CTRL_SSBD);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(SPEC_CTRL_IBRS | SPEC_CTRL_SSBD,
		  *cpu_gpr(self->cpu, LODGE_RDI));
	EXPECT_EQ(SPEC_CTRL_IBRS, self->cpu->run->regs.msrs.spec_ctrl);
}

#define ARCH_CAPABILITIES 0x10a

/* True if the host's kernel says that its processor is free of a bug. */
static bool host_is_free_of(const char *bug)
{
	char path[128], word[16] = "";
	FILE *file;

	snprintf(path, sizeof(path),
		 "/sys/devices/system/cpu/vulnerabilities/%s", bug);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(word, sizeof(word), file))
		word[0] = '\0';
	fclose(file);
	return !strcmp(word, "Not affected\n");
}

TEST_F(msr, arch_capabilities_promise_what_the_host_knows_to_be_absent)
{
	static const struct {
		unsigned int bit;
		const char *bug;
	} bugs[] = {
		{ 0, "meltdown" },
		{ 4, "spec_store_bypass" },
		{ 5, "mds" },
		{ 27, "reg_file_data_sampling" },
		{ 62, "indirect_target_selection" },
	};
	uint64_t value;
	unsigned int i;

	if (!machine_is_intel()) {
		EXPECT_FALSE(cpu_feature(self->cpu, 7, 0, 3) & 1U << 29);
		start(self->cpu, ARCH_CAPABILITIES);
		ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));
		return;
	}
	ASSERT_TRUE(cpu_feature(self->cpu, 7, 0, 3) & 1U << 29);
	start(self->cpu, ARCH_CAPABILITIES);
	ASSERT_TRUE(cpu_done(self->cpu));
	value = *cpu_gpr(self->cpu, LODGE_RDI);
	for (i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++)
		EXPECT_EQ(host_is_free_of(bugs[i].bug),
			  value >> bugs[i].bit & 1);
	/* A guest has not got this one, either, if the microcode sees to it. */
	if (host_is_free_of("gather_data_sampling"))
		EXPECT_TRUE(value >> 26 & 1);
	/* TSX_CTRL, FB_CLEAR_CTRL and GDS_CTRL: no guest has these registers. */
	EXPECT_EQ(0, value & (1ULL << 7 | 1ULL << 18 | 1ULL << 25));
	start_write(self->cpu, ARCH_CAPABILITIES, value);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));
}

#define TSC 0x10
#define TSC_ADJUST 0x3b

static bool read_msr(struct guest_cpu *cpu, uint32_t index, uint64_t *value)
{
	start(cpu, index);
	if (!cpu_done(cpu))
		return false;
	*value = *cpu_gpr(cpu, LODGE_RDI);
	return true;
}

TEST_F(msr, tsc_adjust_moves_the_tsc_by_what_it_changes)
{
	const uint64_t step = 1ULL << 50;
	uint64_t before, after, adjust;

	ASSERT_TRUE(cpu_feature(self->cpu, 7, 0, 1) & 2);
	ASSERT_TRUE(read_msr(self->cpu, TSC_ADJUST, &adjust));
	EXPECT_EQ(0, adjust);
	ASSERT_TRUE(read_msr(self->cpu, TSC, &before));
	start_write(self->cpu, TSC_ADJUST, step);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(step, *cpu_gpr(self->cpu, LODGE_RDI));
	ASSERT_TRUE(read_msr(self->cpu, TSC, &after));
	EXPECT_LE(before + step, after);
	start_write(self->cpu, TSC_ADJUST, step / 2);
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_TRUE(read_msr(self->cpu, TSC, &before));
	EXPECT_LE(step / 2, before);
	EXPECT_GT(after, before);
}

TEST_F(msr, a_write_of_the_tsc_shows_in_tsc_adjust)
{
	const uint64_t far = 1ULL << 52;
	uint64_t before, adjust;

	ASSERT_TRUE(read_msr(self->cpu, TSC, &before));
	start_write(self->cpu, TSC, far);
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_TRUE(read_msr(self->cpu, TSC_ADJUST, &adjust));
	EXPECT_GE(far - before, adjust);
	EXPECT_LT(far / 2, adjust);
	/* And writing that back gives the old time back. */
	start_write(self->cpu, TSC_ADJUST, 0);
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_TRUE(read_msr(self->cpu, TSC, &adjust));
	EXPECT_GT(far / 2, adjust);
	EXPECT_LE(before, adjust);
}

TEST_F(msr, the_callers_time_leaves_tsc_adjust_alone)
{
	struct lodge_run *run = self->cpu->run;
	uint64_t adjust;

	start_write(self->cpu, TSC_ADJUST, 0x1000);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x1000, run->regs.msrs.tsc_adjust);
	start(self->cpu, TSC_ADJUST);
	run->regs.msrs.tsc = 1ULL << 51;
	run->regs.msrs.tsc_adjust = 0x2000;
	run->load |= LODGE_GROUP_TSC | LODGE_GROUP_MSRS;
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x2000, *cpu_gpr(self->cpu, LODGE_RDI));
	EXPECT_LE(1ULL << 51, run->regs.msrs.tsc);
	EXPECT_GT(1ULL << 52, run->regs.msrs.tsc);
	ASSERT_TRUE(read_msr(self->cpu, TSC_ADJUST, &adjust));
	EXPECT_EQ(0x2000, adjust);
}

CODE(tsc_aux, 64,
     "mov $0xc0000103, %ecx; mov $0x123, %eax; xor %edx, %edx;"
     "wrmsr; xor %ecx, %ecx; rdtscp;" DONE);

TEST_F(msr, rdtscp_answers_tsc_aux)
{
	if (!(cpu_feature(self->cpu, 0x80000001, 0, 3) & 1 << 27))
		SKIP(return, "the guest's CPUID has no RDTSCP");
	cpu_start(self->cpu, LONG64, tsc_aux);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x123, *cpu_gpr(self->cpu, LODGE_RCX));
	EXPECT_EQ(0x123, self->cpu->run->regs.msrs.tsc_aux);
}

TEST_F(msr, the_caller_sees_and_sets_them_by_name)
{
	struct lodge_run *run = self->cpu->run;

	start(self->cpu, 0xc0000082);
	run->regs.msrs.lstar = 0xffffffffdeadb000;
	run->load |= LODGE_GROUP_MSRS;
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0xffffffffdeadb000, *cpu_gpr(self->cpu, LODGE_RDI));
	start_write(self->cpu, 0xc0000083, 0x1234);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x1234, run->regs.msrs.cstar);
	EXPECT_EQ(0xffffffffdeadb000, run->regs.msrs.lstar);
}

/* A value that each can hold, other than what it holds after reset. */
static uint64_t other_value(uint32_t index)
{
	switch (index) {
	case 0x200 ... 0x20f:
		return 0x1000000 * (index & 0xf) + 0x1000;
	case 0x250 ... 0x26f:
		return 0x0605040100060504;
	case 0xc0010000 ... 0xc0010007:
		return 0x123456789a00 + index % 16;
	case 0xc0010010:
		return 1 << 20;
	case 0xc0010015:
		return 1 << 18;
	default:
		return 0x12800000;
	}
}

TEST_F(msr, the_caller_sees_and_sets_the_others_by_number)
{
	struct lodge_msr_entry list[LODGE_MAX_MSRS], entry;
	uint32_t count = LODGE_MAX_MSRS;

	ASSERT_EQ(0, lodge_msr_list(self->cpu->fd, list, &count));
	ASSERT_LT(20, count);
	for (uint32_t i = 0; i < count; i++) {
		entry = (struct lodge_msr_entry){
			.index = list[i].index,
			.value = other_value(list[i].index),
		};
		ASSERT_NE(list[i].value, entry.value);
		ASSERT_EQ(0, lodge_msr_set(self->cpu->fd, &entry, 1))
		TH_LOG("%#x", entry.index);
		start(self->cpu, entry.index);
		ASSERT_TRUE(cpu_done(self->cpu));
		EXPECT_EQ(entry.value, *cpu_gpr(self->cpu, LODGE_RDI))
		TH_LOG("%#x", entry.index);
		start_write(self->cpu, entry.index, list[i].value);
		ASSERT_TRUE(cpu_done(self->cpu));
		ASSERT_EQ(0, lodge_msr_get(self->cpu->fd, &entry, 1));
		EXPECT_EQ(list[i].value, entry.value);
	}
}

CODE(user, 64,
     "push $0x23; push $0x30000; push $2; push $0x2b; push $" AT(
	     "1f") ";"
		   "iretq; 1: mov $0x10, %ecx; rdmsr;");

TEST_F(msr, level_3_may_not_read_them)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, user);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, &event));
	EXPECT_EQ(SEL_USER_CODE64, event.cs);
}

TEST_F(msr, unknown_ones_in_the_hosts_range_do_not_reach_the_host)
{
	/* VM_HSAVE_PA: the guest has no SVM. */
	start(self->cpu, 0xc0010117);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));
}

TEST_HARNESS_MAIN
