// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's FPU state, loaded by each entry and saved by each exit: see fpu.h.
 *
 * From kernel_fpu_begin_mask() to kernel_fpu_end() the registers are ours; the
 * thread's own state is in its memory then and comes back on its way to user mode.
 *
 * Intel SDM vol. 1, chapter 13; AMD APM vol. 2, sections 11.5 and 11.6.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>

#include "compat.h"
#include "fpu.h"
#include "state.h"
#include "vcpu.h"

/* FCW and MXCSR in the initial configuration. */
#define FPU_FCW_INIT 0x37f
/* Of processors that do not say which bits of MXCSR they have. */
#define FPU_MXCSR_OLD 0xffbf

/* Tiles are for no guest, and PKRU is switched by itself. */
#define FPU_NOT_SWITCHED (XFEATURE_MASK_XTILE | XFEATURE_MASK_PKRU)

static u64 fpu_features(const struct lodge_vcpu *vcpu)
{
	return vcpu->features.xcr0 | XFEATURE_MASK_FPSSE;
}

/* Each that the host has: one that the guest has not got is initial in it. */
static u64 fpu_switched(void)
{
	return lodge_host_xcr0 & ~(u64)FPU_NOT_SWITCHED;
}

static bool fpu_has_xsave(void)
{
	return lodge_host_xcr0;
}

static void fpu_save(struct xregs_state *area)
{
	u64 features = fpu_switched();

	if (fpu_has_xsave())
		asm volatile("xsave64 %0"
			     : "+m"(*area)
			     : "a"((u32)features), "d"((u32)(features >> 32))
			     : "memory");
	else
		asm volatile("fxsave64 %0" : "=m"(area->i387));
}

/*
 * Older AMD processors leave the pointers of the last x87 instruction alone unless
 * an exception is pending: whatever is loaded next must not show the host's.
 */
static void fpu_forget_pointers(const struct xregs_state *area)
{
	if (static_cpu_has_bug(X86_BUG_FXSAVE_LEAK))
		asm volatile("fnclex\n\t"
			     "emms\n\t"
			     "fildl %0"
			     :
			     : "m"(area->i387.mxcsr));
}

static void fpu_restore(const struct xregs_state *area)
{
	u64 features = fpu_switched();

	fpu_forget_pointers(area);
	if (fpu_has_xsave())
		asm volatile("xrstor64 %0"
			     :
			     : "m"(*area), "a"((u32)features),
			       "d"((u32)(features >> 32))
			     : "memory");
	else
		asm volatile("fxrstor64 %0" : : "m"(area->i387));
}

/* In an area without anything in it the initial configuration of all. */
static void fpu_reset(struct xregs_state *area)
{
	area->i387.cwd = FPU_FCW_INIT;
	area->i387.mxcsr = MXCSR_DEFAULT;
}

/* Slabs of a power of two are aligned to it: XSAVE wants 64 bytes. */
int lodge_fpu_init(struct lodge_vcpu *vcpu)
{
	struct lodge_fpu *fpu = &vcpu->fpu;

	fpu->size = lodge_state_xsave_size();
	fpu->area = kvzalloc(roundup_pow_of_two(fpu->size), GFP_KERNEL_ACCOUNT);
	if (!fpu->area)
		return -ENOMEM;
	asm volatile("fxsave64 %0" : "=m"(fpu->area->i387));
	fpu->mxcsr = fpu->area->i387.mxcsr_mask;
	if (!fpu->mxcsr)
		fpu->mxcsr = FPU_MXCSR_OLD;
	memset(&fpu->area->i387, 0, sizeof(fpu->area->i387));
	fpu_reset(fpu->area);
	return 0;
}

void lodge_fpu_fini(struct lodge_vcpu *vcpu)
{
	kvfree(vcpu->fpu.area);
	vcpu->fpu.area = NULL;
}

u32 lodge_fpu_size(const struct lodge_vcpu *vcpu)
{
	return vcpu->fpu.size;
}

/* Find a component in the standard form.  Return: its size, 0: it is not there. */
static u32 fpu_component(unsigned int number, u32 *offset)
{
	u32 size, ecx, edx;

	cpuid_count(0xd, number, &size, offset, &ecx, &edx);
	return size;
}

/* XSAVE leaves alone what is in its initial configuration. */
static void fpu_get_legacy(struct xregs_state *to,
			   const struct xregs_state *from, u64 features)
{
	fpu_reset(to);
	if (features & XFEATURE_MASK_FP) {
		memcpy(&to->i387, &from->i387,
		       offsetof(struct fxregs_state, mxcsr));
		memcpy(to->i387.st_space, from->i387.st_space,
		       sizeof(to->i387.st_space));
	}
	if (features & (XFEATURE_MASK_SSE | XFEATURE_MASK_YMM)) {
		to->i387.mxcsr = from->i387.mxcsr;
		to->i387.mxcsr_mask = from->i387.mxcsr_mask;
	}
	if (features & XFEATURE_MASK_SSE)
		memcpy(to->i387.xmm_space, from->i387.xmm_space,
		       sizeof(to->i387.xmm_space));
}

static void fpu_get_pkru(const struct lodge_vcpu *vcpu, struct xregs_state *to)
{
	u32 offset;

	if (!(fpu_features(vcpu) & XFEATURE_MASK_PKRU) ||
	    fpu_component(XFEATURE_PKRU, &offset) < sizeof(u32))
		return;
	*(u32 *)((u8 *)to + offset) = vcpu->pkru;
	to->header.xfeatures |= XFEATURE_MASK_PKRU;
}

void lodge_fpu_get(struct lodge_vcpu *vcpu, struct xregs_state *to)
{
	const struct xregs_state *from = vcpu->fpu.area;
	u64 features = XFEATURE_MASK_FPSSE;
	u32 offset, size;
	unsigned int i;

	if (fpu_has_xsave())
		features = from->header.xfeatures & fpu_features(vcpu);
	/* Zeros in XMM registers count as initial whatever MXCSR is. */
	if (from->i387.mxcsr != MXCSR_DEFAULT)
		features |= XFEATURE_MASK_SSE;
	fpu_get_legacy(to, from, features);
	to->header.xfeatures = features;
	for (i = XFEATURE_YMM; i < 63; i++) {
		if (!(features & BIT_ULL(i)))
			continue;
		size = fpu_component(i, &offset);
		memcpy((u8 *)to + offset, (const u8 *)from + offset, size);
	}
	fpu_get_pkru(vcpu, to);
}

/* Refuses all that XRSTOR would fault for; see the header's members, too. */
int lodge_fpu_set(struct lodge_vcpu *vcpu, const struct xregs_state *from)
{
	const u64 sse = XFEATURE_MASK_SSE | XFEATURE_MASK_YMM;
	struct xregs_state *to = vcpu->fpu.area;
	u64 features = from->header.xfeatures;
	bool has_mxcsr = features & sse || !fpu_has_xsave();
	u32 offset;

	if (features & ~fpu_features(vcpu))
		return -EINVAL;
	if (has_mxcsr && from->i387.mxcsr & ~vcpu->fpu.mxcsr)
		return -EINVAL;
	if (features & XFEATURE_MASK_PKRU &&
	    fpu_component(XFEATURE_PKRU, &offset) >= sizeof(u32))
		vcpu->pkru = *(const u32 *)((const u8 *)from + offset);
	memcpy(to, from, vcpu->fpu.size);
	/* XRSTOR reads it whatever the header says. */
	if (!has_mxcsr)
		to->i387.mxcsr = MXCSR_DEFAULT;
	to->header.xfeatures &= fpu_switched();
	return 0;
}

void lodge_fpu_begin(struct lodge_vcpu *vcpu)
{
}

void lodge_fpu_end(struct lodge_vcpu *vcpu)
{
}

void lodge_fpu_load(struct lodge_fpu *fpu)
{
	kernel_fpu_begin_mask(0);
	fpu_restore(fpu->area);
}

void lodge_fpu_save(struct lodge_fpu *fpu)
{
	fpu_save(fpu->area);
	kernel_fpu_end();
}

void lodge_fpu_lock(struct lodge_vcpu *vcpu)
{
	lodge_fpu_load(&vcpu->fpu);
}

void lodge_fpu_unlock(struct lodge_vcpu *vcpu)
{
	lodge_fpu_save(&vcpu->fpu);
}
