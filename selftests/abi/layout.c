// SPDX-License-Identifier: GPL-2.0
/*
 * The ABI's layout: sizes, offsets and call numbers are what they were when they
 * were first released, in 64- and 32-bit programs alike.
 */
#include <stddef.h>

#include <lodge.h>

#include "kselftest_harness.h"

#define EXPECT_SIZE(type, size) EXPECT_EQ((size_t)(size), sizeof(type))

#define EXPECT_AT(type, member, offset) \
	EXPECT_EQ((size_t)(offset), offsetof(type, member))

TEST(general_registers_keep_their_layout)
{
	EXPECT_SIZE(struct lodge_general, 144);
	EXPECT_AT(struct lodge_general, gpr, 0);
	EXPECT_AT(struct lodge_general, rip, 128);
	EXPECT_AT(struct lodge_general, rflags, 136);
}

TEST(a_segment_keeps_its_layout)
{
	EXPECT_SIZE(struct lodge_segment, 16);
	EXPECT_AT(struct lodge_segment, base, 0);
	EXPECT_AT(struct lodge_segment, limit, 8);
	EXPECT_AT(struct lodge_segment, selector, 12);
	EXPECT_AT(struct lodge_segment, attr, 14);
}

TEST(segments_keep_their_layout)
{
	EXPECT_EQ(8, LODGE_NR_SEGS);
	EXPECT_SIZE(struct lodge_segments, 160);
	EXPECT_AT(struct lodge_segments, seg, 0);
	EXPECT_AT(struct lodge_segments, gdt, 128);
	EXPECT_AT(struct lodge_segments, idt, 144);
}

TEST(control_registers_keep_their_layout)
{
	EXPECT_SIZE(struct lodge_control, 64);
	EXPECT_AT(struct lodge_control, cr0, 0);
	EXPECT_AT(struct lodge_control, cr2, 8);
	EXPECT_AT(struct lodge_control, cr3, 16);
	EXPECT_AT(struct lodge_control, cr4, 24);
	EXPECT_AT(struct lodge_control, cr8, 32);
	EXPECT_AT(struct lodge_control, xcr0, 40);
	EXPECT_AT(struct lodge_control, efer, 48);
	EXPECT_AT(struct lodge_control, apic_base, 56);
}

TEST(debug_registers_keep_their_layout)
{
	EXPECT_SIZE(struct lodge_debug, 48);
	EXPECT_AT(struct lodge_debug, dr, 0);
	EXPECT_AT(struct lodge_debug, dr6, 32);
	EXPECT_AT(struct lodge_debug, dr7, 40);
}

TEST(msrs_keep_their_layout)
{
	EXPECT_SIZE(struct lodge_msrs, 192);
	EXPECT_AT(struct lodge_msrs, star, 0);
	EXPECT_AT(struct lodge_msrs, lstar, 8);
	EXPECT_AT(struct lodge_msrs, cstar, 16);
	EXPECT_AT(struct lodge_msrs, sfmask, 24);
	EXPECT_AT(struct lodge_msrs, kernel_gs_base, 32);
	EXPECT_AT(struct lodge_msrs, sysenter_cs, 40);
	EXPECT_AT(struct lodge_msrs, sysenter_esp, 48);
	EXPECT_AT(struct lodge_msrs, sysenter_eip, 56);
	EXPECT_AT(struct lodge_msrs, pat, 64);
	EXPECT_AT(struct lodge_msrs, tsc, 72);
	EXPECT_AT(struct lodge_msrs, tsc_aux, 80);
	EXPECT_AT(struct lodge_msrs, spec_ctrl, 88);
	EXPECT_AT(struct lodge_msrs, misc_enable, 96);
	EXPECT_AT(struct lodge_msrs, mtrr_def_type, 104);
	EXPECT_AT(struct lodge_msrs, pv_system_time, 112);
	EXPECT_AT(struct lodge_msrs, pv_wall_clock, 120);
	EXPECT_AT(struct lodge_msrs, tsc_adjust, 128);
	EXPECT_AT(struct lodge_msrs, host_tsc, 136);
	EXPECT_AT(struct lodge_msrs, reserved, 144);
}

TEST(events_keep_their_layout)
{
	EXPECT_SIZE(struct lodge_events, 32);
	EXPECT_AT(struct lodge_events, flags, 0);
	EXPECT_AT(struct lodge_events, mp_state, 4);
	EXPECT_AT(struct lodge_events, exception, 8);
	EXPECT_AT(struct lodge_events, interrupt, 9);
	EXPECT_AT(struct lodge_events, sipi_vector, 10);
	EXPECT_AT(struct lodge_events, extint, 11);
	EXPECT_AT(struct lodge_events, error_code, 12);
	EXPECT_AT(struct lodge_events, reserved, 16);
}

TEST(the_inline_groups_keep_their_layout)
{
	EXPECT_SIZE(struct lodge_regs, 640);
	EXPECT_AT(struct lodge_regs, general, 0);
	EXPECT_AT(struct lodge_regs, segments, 144);
	EXPECT_AT(struct lodge_regs, control, 304);
	EXPECT_AT(struct lodge_regs, debug, 368);
	EXPECT_AT(struct lodge_regs, msrs, 416);
	EXPECT_AT(struct lodge_regs, events, 608);
}

TEST(the_local_apic_keeps_its_layout)
{
	EXPECT_SIZE(struct lodge_lapic, 1080);
	EXPECT_AT(struct lodge_lapic, regs, 0);
	EXPECT_AT(struct lodge_lapic, tsc_deadline, 1024);
	EXPECT_AT(struct lodge_lapic, timer_ns, LODGE_LAPIC_FIRST_SIZE);
	EXPECT_AT(struct lodge_lapic, eoi, 1040);
	EXPECT_AT(struct lodge_lapic, errors, 1072);
	EXPECT_AT(struct lodge_lapic, ldr, 1076);
}

TEST(state_keeps_its_layout)
{
	EXPECT_SIZE(struct lodge_state, 672);
	EXPECT_AT(struct lodge_state, groups, 0);
	EXPECT_AT(struct lodge_state, xsave, 8);
	EXPECT_AT(struct lodge_state, xsave_size, 16);
	EXPECT_AT(struct lodge_state, lapic_size, 20);
	EXPECT_AT(struct lodge_state, lapic, 24);
	EXPECT_AT(struct lodge_state, regs, 32);
}

TEST(info_keeps_its_layout)
{
	EXPECT_SIZE(struct lodge_info, 224);
	EXPECT_AT(struct lodge_info, abi_version, 0);
	EXPECT_AT(struct lodge_info, status, 4);
	EXPECT_AT(struct lodge_info, backend, 8);
	EXPECT_AT(struct lodge_info, message, 24);
	EXPECT_AT(struct lodge_info, groups, 152);
	EXPECT_AT(struct lodge_info, max_vcpus, 160);
	EXPECT_AT(struct lodge_info, max_slots, 164);
	EXPECT_AT(struct lodge_info, run_size, 168);
	EXPECT_AT(struct lodge_info, phys_bits, 172);
	EXPECT_AT(struct lodge_info, tsc_khz, 176);
	EXPECT_AT(struct lodge_info, xsave_size, 180);
	EXPECT_AT(struct lodge_info, flags, 184);
	EXPECT_AT(struct lodge_info, reserved, 192);
}

TEST(arguments_of_the_vm_calls_keep_their_layout)
{
	EXPECT_SIZE(struct lodge_vm_create, 72);
	EXPECT_AT(struct lodge_vm_create, flags, 0);
	EXPECT_AT(struct lodge_vm_create, name, 8);

	EXPECT_SIZE(struct lodge_memory, 32);
	EXPECT_AT(struct lodge_memory, slot, 0);
	EXPECT_AT(struct lodge_memory, flags, 4);
	EXPECT_AT(struct lodge_memory, gpa, 8);
	EXPECT_AT(struct lodge_memory, size, 16);
	EXPECT_AT(struct lodge_memory, hva, 24);

	EXPECT_SIZE(struct lodge_dirty_log, 16);
	EXPECT_AT(struct lodge_dirty_log, slot, 0);
	EXPECT_AT(struct lodge_dirty_log, flags, 4);
	EXPECT_AT(struct lodge_dirty_log, baseline, 8);

	EXPECT_SIZE(struct lodge_reset, 16);
	EXPECT_AT(struct lodge_reset, flags, 0);
	EXPECT_AT(struct lodge_reset, pages, 8);

	EXPECT_SIZE(struct lodge_dirty, 40);
	EXPECT_AT(struct lodge_dirty, slot, 0);
	EXPECT_AT(struct lodge_dirty, flags, 4);
	EXPECT_AT(struct lodge_dirty, first, 8);
	EXPECT_AT(struct lodge_dirty, pages, 16);
	EXPECT_AT(struct lodge_dirty, bitmap, 24);
	EXPECT_AT(struct lodge_dirty, dirty, 32);

	EXPECT_SIZE(struct lodge_vcpu_create, 8);
	EXPECT_AT(struct lodge_vcpu_create, id, 0);
	EXPECT_AT(struct lodge_vcpu_create, flags, 4);

	EXPECT_SIZE(struct lodge_msi, 16);
	EXPECT_AT(struct lodge_msi, address, 0);
	EXPECT_AT(struct lodge_msi, data, 8);
	EXPECT_AT(struct lodge_msi, flags, 12);

	EXPECT_SIZE(struct lodge_ioeventfd, 32);
	EXPECT_AT(struct lodge_ioeventfd, address, 0);
	EXPECT_AT(struct lodge_ioeventfd, match, 8);
	EXPECT_AT(struct lodge_ioeventfd, size, 16);
	EXPECT_AT(struct lodge_ioeventfd, fd, 20);
	EXPECT_AT(struct lodge_ioeventfd, flags, 24);
	EXPECT_AT(struct lodge_ioeventfd, reserved, 28);

	EXPECT_SIZE(struct lodge_irqfd, 32);
	EXPECT_AT(struct lodge_irqfd, address, 0);
	EXPECT_AT(struct lodge_irqfd, data, 8);
	EXPECT_AT(struct lodge_irqfd, fd, 12);
	EXPECT_AT(struct lodge_irqfd, resample, 16);
	EXPECT_AT(struct lodge_irqfd, flags, 20);
	EXPECT_AT(struct lodge_irqfd, reserved, 24);

	EXPECT_SIZE(struct lodge_clock, 24);
	EXPECT_AT(struct lodge_clock, ns, 0);
	EXPECT_AT(struct lodge_clock, host_tsc, 8);
	EXPECT_AT(struct lodge_clock, flags, 16);

	EXPECT_SIZE(struct lodge_tsc_rate, 8);
	EXPECT_AT(struct lodge_tsc_rate, khz, 0);
	EXPECT_AT(struct lodge_tsc_rate, flags, 4);
}

TEST(arguments_of_the_vcpu_calls_keep_their_layout)
{
	EXPECT_SIZE(struct lodge_cpuid_entry, 32);
	EXPECT_AT(struct lodge_cpuid_entry, leaf, 0);
	EXPECT_AT(struct lodge_cpuid_entry, subleaf, 4);
	EXPECT_AT(struct lodge_cpuid_entry, flags, 8);
	EXPECT_AT(struct lodge_cpuid_entry, eax, 12);
	EXPECT_AT(struct lodge_cpuid_entry, ebx, 16);
	EXPECT_AT(struct lodge_cpuid_entry, ecx, 20);
	EXPECT_AT(struct lodge_cpuid_entry, edx, 24);
	EXPECT_AT(struct lodge_cpuid_entry, reserved, 28);

	EXPECT_SIZE(struct lodge_cpuid, 16);
	EXPECT_AT(struct lodge_cpuid, count, 0);
	EXPECT_AT(struct lodge_cpuid, flags, 4);
	EXPECT_AT(struct lodge_cpuid, entries, 8);

	EXPECT_SIZE(struct lodge_msr_entry, 16);
	EXPECT_AT(struct lodge_msr_entry, index, 0);
	EXPECT_AT(struct lodge_msr_entry, reserved, 4);
	EXPECT_AT(struct lodge_msr_entry, value, 8);

	EXPECT_SIZE(struct lodge_msr_list, 16);
	EXPECT_AT(struct lodge_msr_list, count, 0);
	EXPECT_AT(struct lodge_msr_list, flags, 4);
	EXPECT_AT(struct lodge_msr_list, entries, 8);

	EXPECT_SIZE(struct lodge_extint, 8);
	EXPECT_AT(struct lodge_extint, vector, 0);
	EXPECT_AT(struct lodge_extint, flags, 4);
}

TEST(exits_to_a_device_keep_their_layout)
{
	EXPECT_SIZE(struct lodge_exit_io, 8);
	EXPECT_AT(struct lodge_exit_io, port, 0);
	EXPECT_AT(struct lodge_exit_io, size, 2);
	EXPECT_AT(struct lodge_exit_io, in, 3);
	EXPECT_AT(struct lodge_exit_io, count, 4);

	EXPECT_SIZE(struct lodge_exit_mmio, 32);
	EXPECT_AT(struct lodge_exit_mmio, gpa, 0);
	EXPECT_AT(struct lodge_exit_mmio, size, 8);
	EXPECT_AT(struct lodge_exit_mmio, write, 12);
	EXPECT_AT(struct lodge_exit_mmio, reserved, 13);
	EXPECT_AT(struct lodge_exit_mmio, data, 16);

	EXPECT_SIZE(struct lodge_exit_eoi, 4);
	EXPECT_AT(struct lodge_exit_eoi, vector, 0);
}

TEST(exits_that_end_a_guest_keep_their_layout)
{
	EXPECT_SIZE(struct lodge_exit_fail_entry, 16);
	EXPECT_AT(struct lodge_exit_fail_entry, code, 0);
	EXPECT_AT(struct lodge_exit_fail_entry, count, 8);
	EXPECT_AT(struct lodge_exit_fail_entry, reserved, 12);

	EXPECT_SIZE(struct lodge_rule, 96);
	EXPECT_AT(struct lodge_rule, id, 0);
	EXPECT_AT(struct lodge_rule, reserved, 4);
	EXPECT_AT(struct lodge_rule, value, 8);
	EXPECT_AT(struct lodge_rule, field, 16);
	EXPECT_AT(struct lodge_rule, text, 32);

	EXPECT_SIZE(struct lodge_exit_emulate, 24);
	EXPECT_AT(struct lodge_exit_emulate, gpa, 0);
	EXPECT_AT(struct lodge_exit_emulate, length, 8);
	EXPECT_AT(struct lodge_exit_emulate, bytes, 9);

	EXPECT_SIZE(struct lodge_exit_task_switch, 8);
	EXPECT_AT(struct lodge_exit_task_switch, selector, 0);
	EXPECT_AT(struct lodge_exit_task_switch, reserved, 2);
	EXPECT_AT(struct lodge_exit_task_switch, cause, 4);

	EXPECT_SIZE(struct lodge_exit_memory, 24);
	EXPECT_AT(struct lodge_exit_memory, gpa, 0);
	EXPECT_AT(struct lodge_exit_memory, hva, 8);
	EXPECT_AT(struct lodge_exit_memory, error, 16);
	EXPECT_AT(struct lodge_exit_memory, write, 20);

	EXPECT_SIZE(struct lodge_exit_unknown, 24);
	EXPECT_AT(struct lodge_exit_unknown, code, 0);
	EXPECT_AT(struct lodge_exit_unknown, info, 8);
}

TEST(the_run_page_keeps_its_layout)
{
	EXPECT_SIZE(struct lodge_run, LODGE_RUN_SIZE);
	EXPECT_AT(struct lodge_run, load, 0);
	EXPECT_AT(struct lodge_run, save, 8);
	EXPECT_AT(struct lodge_run, immediate_exit, 16);
	EXPECT_AT(struct lodge_run, request_window, 17);
	EXPECT_AT(struct lodge_run, reserved, 18);
	EXPECT_AT(struct lodge_run, reason, 24);
	EXPECT_AT(struct lodge_run, window_open, 28);
	EXPECT_AT(struct lodge_run, reserved2, 29);
	EXPECT_AT(struct lodge_run, exit, 32);
	EXPECT_AT(struct lodge_run, regs, 288);
	EXPECT_AT(struct lodge_run, reserved3, 928);
	EXPECT_AT(struct lodge_run, data, LODGE_RUN_DATA_OFFSET);
}

/* The number holds the structure's size: it must not follow the word size. */
TEST(calls_keep_their_numbers)
{
	EXPECT_EQ(0x80e0b700U, LODGE_GET_INFO);
	EXPECT_EQ(0x4048b701U, LODGE_CREATE_VM);
	EXPECT_EQ(0x4020b710U, LODGE_SET_MEMORY);
	EXPECT_EQ(0x4008b711U, LODGE_CREATE_VCPU);
	EXPECT_EQ(0x4010b712U, LODGE_SEND_MSI);
	EXPECT_EQ(0xc018b713U, LODGE_GET_CLOCK);
	EXPECT_EQ(0x4018b714U, LODGE_SET_CLOCK);
	EXPECT_EQ(0x4020b715U, LODGE_SET_IOEVENTFD);
	EXPECT_EQ(0x4020b716U, LODGE_SET_IRQFD);
	EXPECT_EQ(0x4010b717U, LODGE_SET_DIRTY_LOG);
	EXPECT_EQ(0xc028b718U, LODGE_GET_DIRTY);
	EXPECT_EQ(0x0000b719U, LODGE_HOLD);
	EXPECT_EQ(0x0000b71aU, LODGE_RELEASE);
	EXPECT_EQ(0xc010b71bU, LODGE_RESET);
	EXPECT_EQ(0x4008b71cU, LODGE_SET_TSC_RATE);
	EXPECT_EQ(0x0000b720U, LODGE_RUN);
	EXPECT_EQ(0xc2a0b721U, LODGE_GET_STATE);
	EXPECT_EQ(0x42a0b722U, LODGE_SET_STATE);
	EXPECT_EQ(0xc010b723U, LODGE_GET_CPUID);
	EXPECT_EQ(0x4010b724U, LODGE_SET_CPUID);
	EXPECT_EQ(0x4008b725U, LODGE_EXTINT);
	EXPECT_EQ(0x0000b726U, LODGE_NMI);
	EXPECT_EQ(0xc010b727U, LODGE_GET_MSR_LIST);
	EXPECT_EQ(0x4010b728U, LODGE_SET_MSR_LIST);
}

TEST_HARNESS_MAIN
