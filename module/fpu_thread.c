// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's FPU state, switched by the kernel: see fpu.h.
 */
#include <asm/fpu/api.h>

#include "fpu.h"
#include "vcpu.h"

int lodge_fpu_init(struct lodge_vcpu *vcpu)
{
	return fpu_alloc_guest_fpstate(&vcpu->fpu.guest) ? 0 : -ENOMEM;
}

void lodge_fpu_fini(struct lodge_vcpu *vcpu)
{
	if (vcpu->fpu.guest.fpstate)
		fpu_free_guest_fpstate(&vcpu->fpu.guest);
}

u32 lodge_fpu_size(const struct lodge_vcpu *vcpu)
{
	return vcpu->fpu.guest.uabi_size;
}

static u64 fpu_features(const struct lodge_vcpu *vcpu)
{
	return vcpu->features.xcr0 | XFEATURE_MASK_FPSSE;
}

void lodge_fpu_get(struct lodge_vcpu *vcpu, struct xregs_state *area)
{
	fpu_copy_guest_fpstate_to_uabi(&vcpu->fpu.guest, area,
				       vcpu->fpu.guest.uabi_size,
				       fpu_features(vcpu), vcpu->pkru);
}

int lodge_fpu_set(struct lodge_vcpu *vcpu, const struct xregs_state *area)
{
	return fpu_copy_uabi_to_guest_fpstate(&vcpu->fpu.guest, area,
					      fpu_features(vcpu), &vcpu->pkru) ?
		       -EINVAL :
		       0;
}

void lodge_fpu_begin(struct lodge_vcpu *vcpu)
{
	fpu_swap_kvm_fpstate(&vcpu->fpu.guest, true);
}

void lodge_fpu_end(struct lodge_vcpu *vcpu)
{
	fpu_swap_kvm_fpstate(&vcpu->fpu.guest, false);
}

void lodge_fpu_lock(struct lodge_vcpu *vcpu)
{
	fpregs_lock();
	lodge_fpu_load(&vcpu->fpu);
}

void lodge_fpu_unlock(struct lodge_vcpu *vcpu)
{
	fpregs_unlock();
}
