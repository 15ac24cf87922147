/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The layout of the virtual machine control block, the same on every kernel
 * (AMD APM vol. 2, appendix B).  Bits and exit codes are those of <asm/svm.h>;
 * its structures change from kernel to kernel and are not used.
 *
 * Pure: the entry rules and their tests build it in user space too.
 */
#ifndef LODGE_SVM_VMCB_H
#define LODGE_SVM_VMCB_H

#ifdef __KERNEL__
#include <linux/mm.h> /* <asm/svm.h> needs it and does not say so */
#endif
#include <asm/svm.h>

#include "pure.h"

/* Words of svm_vmcb_control.intercepts: bits 32 * n and up of INTERCEPT_*. */
#define SVM_INTERCEPT_WORDS 6

/* Of nested_ctl; <asm/svm.h> has had two names for it. */
#define SVM_NP_ENABLE BIT(0)

/**
 * struct svm_vmcb_control - the control area
 *
 * Members bear the names of <asm/svm.h>; nested_ctl is the manual's NP_ENABLE
 * word, virt_ext its LBR virtualization word.
 */
struct svm_vmcb_control {
	u32 intercepts[SVM_INTERCEPT_WORDS];
	u8 reserved_018[0x24];
	u16 pause_filter_thresh;
	u16 pause_filter_count;
	u64 iopm_base_pa;
	u64 msrpm_base_pa;
	u64 tsc_offset;
	u32 asid;
	u8 tlb_ctl;
	u8 reserved_05d[3];
	u32 int_ctl;
	u32 int_vector;
	u32 int_state;
	u32 reserved_06c;
	u64 exit_code;
	u64 exit_info_1;
	u64 exit_info_2;
	u32 exit_int_info;
	u32 exit_int_info_err;
	u64 nested_ctl;
	u64 avic_vapic_bar;
	u64 ghcb_gpa;
	u32 event_inj;
	u32 event_inj_err;
	u64 nested_cr3;
	u64 virt_ext;
	u32 clean;
	u32 reserved_0c4;
	u64 next_rip;
	u8 insn_len;
	u8 insn_bytes[15];
	u64 avic_backing_page;
	u64 reserved_0e8;
	u64 avic_logical_id;
	u64 avic_physical_id;
	u64 reserved_100;
	u64 vmsa_pa;
	u8 reserved_110[0x400 - 0x110];
};

/**
 * struct svm_vmcb_seg - a segment register
 * @selector: visible part
 * @attrib: the descriptor's attribute bits, closed up: the same bits as in
 *	struct lodge_segment
 * @limit: bytes
 * @base: linear address
 */
struct svm_vmcb_seg {
	u16 selector;
	u16 attrib;
	u32 limit;
	u64 base;
};

/**
 * struct svm_vmcb_save - the state-save area
 */
struct svm_vmcb_save {
	struct svm_vmcb_seg es;
	struct svm_vmcb_seg cs;
	struct svm_vmcb_seg ss;
	struct svm_vmcb_seg ds;
	struct svm_vmcb_seg fs;
	struct svm_vmcb_seg gs;
	struct svm_vmcb_seg gdtr;
	struct svm_vmcb_seg ldtr;
	struct svm_vmcb_seg idtr;
	struct svm_vmcb_seg tr;
	u8 reserved_0a0[0x2b];
	u8 cpl;
	u32 reserved_0cc;
	u64 efer;
	u8 reserved_0d8[0x70];
	u64 cr4;
	u64 cr3;
	u64 cr0;
	u64 dr7;
	u64 dr6;
	u64 rflags;
	u64 rip;
	u8 reserved_180[0x58];
	u64 rsp;
	u64 s_cet;
	u64 ssp;
	u64 isst_addr;
	u64 rax;
	u64 star;
	u64 lstar;
	u64 cstar;
	u64 sfmask;
	u64 kernel_gs_base;
	u64 sysenter_cs;
	u64 sysenter_esp;
	u64 sysenter_eip;
	u64 cr2;
	u8 reserved_248[0x20];
	u64 g_pat;
	u64 dbgctl;
	u64 br_from;
	u64 br_to;
	u64 last_excp_from;
	u64 last_excp_to;
	u8 reserved_298[0x48];
	u64 spec_ctrl;
	u8 reserved_2e8[0xc00 - 0x2e8];
};

/**
 * struct svm_vmcb - the page that VMRUN takes
 */
struct svm_vmcb {
	struct svm_vmcb_control control;
	struct svm_vmcb_save save;
};

#define SVM_CONTROL_AT(member, offset)                                       \
	static_assert(offsetof(struct svm_vmcb, control.member) == (offset), \
		      #member)
#define SVM_SAVE_AT(member, offset)                             \
	static_assert(offsetof(struct svm_vmcb, save.member) == \
			      0x400 + (offset),                 \
		      #member)

static_assert(sizeof(struct svm_vmcb) == 4096, "a VMCB is one page");

SVM_CONTROL_AT(intercepts, 0x000);
SVM_CONTROL_AT(pause_filter_thresh, 0x03c);
SVM_CONTROL_AT(pause_filter_count, 0x03e);
SVM_CONTROL_AT(iopm_base_pa, 0x040);
SVM_CONTROL_AT(msrpm_base_pa, 0x048);
SVM_CONTROL_AT(tsc_offset, 0x050);
SVM_CONTROL_AT(asid, 0x058);
SVM_CONTROL_AT(tlb_ctl, 0x05c);
SVM_CONTROL_AT(int_ctl, 0x060);
SVM_CONTROL_AT(int_vector, 0x064);
SVM_CONTROL_AT(int_state, 0x068);
SVM_CONTROL_AT(exit_code, 0x070);
SVM_CONTROL_AT(exit_info_1, 0x078);
SVM_CONTROL_AT(exit_info_2, 0x080);
SVM_CONTROL_AT(exit_int_info, 0x088);
SVM_CONTROL_AT(exit_int_info_err, 0x08c);
SVM_CONTROL_AT(nested_ctl, 0x090);
SVM_CONTROL_AT(avic_vapic_bar, 0x098);
SVM_CONTROL_AT(ghcb_gpa, 0x0a0);
SVM_CONTROL_AT(event_inj, 0x0a8);
SVM_CONTROL_AT(event_inj_err, 0x0ac);
SVM_CONTROL_AT(nested_cr3, 0x0b0);
SVM_CONTROL_AT(virt_ext, 0x0b8);
SVM_CONTROL_AT(clean, 0x0c0);
SVM_CONTROL_AT(next_rip, 0x0c8);
SVM_CONTROL_AT(insn_len, 0x0d0);
SVM_CONTROL_AT(insn_bytes, 0x0d1);
SVM_CONTROL_AT(avic_backing_page, 0x0e0);
SVM_CONTROL_AT(avic_logical_id, 0x0f0);
SVM_CONTROL_AT(avic_physical_id, 0x0f8);
SVM_CONTROL_AT(vmsa_pa, 0x108);

SVM_SAVE_AT(es, 0x000);
SVM_SAVE_AT(cs, 0x010);
SVM_SAVE_AT(ss, 0x020);
SVM_SAVE_AT(ds, 0x030);
SVM_SAVE_AT(fs, 0x040);
SVM_SAVE_AT(gs, 0x050);
SVM_SAVE_AT(gdtr, 0x060);
SVM_SAVE_AT(ldtr, 0x070);
SVM_SAVE_AT(idtr, 0x080);
SVM_SAVE_AT(tr, 0x090);
SVM_SAVE_AT(cpl, 0x0cb);
SVM_SAVE_AT(efer, 0x0d0);
SVM_SAVE_AT(cr4, 0x148);
SVM_SAVE_AT(cr3, 0x150);
SVM_SAVE_AT(cr0, 0x158);
SVM_SAVE_AT(dr7, 0x160);
SVM_SAVE_AT(dr6, 0x168);
SVM_SAVE_AT(rflags, 0x170);
SVM_SAVE_AT(rip, 0x178);
SVM_SAVE_AT(rsp, 0x1d8);
SVM_SAVE_AT(s_cet, 0x1e0);
SVM_SAVE_AT(ssp, 0x1e8);
SVM_SAVE_AT(isst_addr, 0x1f0);
SVM_SAVE_AT(rax, 0x1f8);
SVM_SAVE_AT(star, 0x200);
SVM_SAVE_AT(lstar, 0x208);
SVM_SAVE_AT(cstar, 0x210);
SVM_SAVE_AT(sfmask, 0x218);
SVM_SAVE_AT(kernel_gs_base, 0x220);
SVM_SAVE_AT(sysenter_cs, 0x228);
SVM_SAVE_AT(sysenter_esp, 0x230);
SVM_SAVE_AT(sysenter_eip, 0x238);
SVM_SAVE_AT(cr2, 0x240);
SVM_SAVE_AT(g_pat, 0x268);
SVM_SAVE_AT(dbgctl, 0x270);
SVM_SAVE_AT(br_from, 0x278);
SVM_SAVE_AT(br_to, 0x280);
SVM_SAVE_AT(last_excp_from, 0x288);
SVM_SAVE_AT(last_excp_to, 0x290);
SVM_SAVE_AT(spec_ctrl, 0x2e0);

#undef SVM_CONTROL_AT
#undef SVM_SAVE_AT

#ifndef __KERNEL__
/* The entry rules take these from <asm/svm.h>. */
#define INTERCEPT_VMRUN 128

#define SVM_EVTINJ_VEC_MASK 0xff
#define SVM_EVTINJ_TYPE_SHIFT 8
#define SVM_EVTINJ_TYPE_MASK (7 << SVM_EVTINJ_TYPE_SHIFT)
#define SVM_EVTINJ_TYPE_INTR (0 << SVM_EVTINJ_TYPE_SHIFT)
#define SVM_EVTINJ_TYPE_NMI (2 << SVM_EVTINJ_TYPE_SHIFT)
#define SVM_EVTINJ_TYPE_EXEPT (3 << SVM_EVTINJ_TYPE_SHIFT)
#define SVM_EVTINJ_TYPE_SOFT (4 << SVM_EVTINJ_TYPE_SHIFT)
#define SVM_EVTINJ_VALID_ERR (1 << 11)
#define SVM_EVTINJ_VALID (1U << 31)

#define SVM_SELECTOR_L_MASK (1 << 9)
#define SVM_SELECTOR_DB_MASK (1 << 10)
#endif

#endif
