// SPDX-License-Identifier: GPL-2.0
/*
 * What an entry flushes, that the guest may not read what others have left in
 * the caches and buffers of the processor: L1TF and MMIO Stale Data.
 *
 * Linux, Documentation/admin-guide/hw-vuln: l1tf.rst,
 * processor_mmio_stale_data.rst.
 */
#include <linux/kvm_host.h>
#include <linux/sched.h>
#include <linux/sched/smt.h>
#include <asm/cpufeature.h>
#include <asm/hardirq.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>

#include "compat.h"
#include "guard.h"
#include "vm.h"
#include "vmx/vmx.h"

static struct lodge_guard_host vmx_flush_host;
bool vmx_flush_wanted;
bool vmx_flush_always;
/* Read to displace the cache, where there is no command for that. */
static void *vmx_flush_buffer;

static enum lodge_guard_l1d vmx_flush_l1d_mode(void)
{
	u64 capabilities = 0;

	if (!boot_cpu_has_bug(X86_BUG_L1TF))
		return LODGE_GUARD_L1D_NEVER;
	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrq(MSR_IA32_ARCH_CAPABILITIES, capabilities);
	if (capabilities & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH)
		return LODGE_GUARD_L1D_NEVER;
	switch (l1tf_mitigation) {
	case L1TF_MITIGATION_OFF:
		return LODGE_GUARD_L1D_NEVER;
	case L1TF_MITIGATION_FULL:
	case L1TF_MITIGATION_FULL_FORCE:
		return LODGE_GUARD_L1D_ALWAYS;
	default:
		/* Only kernels with KVM note that an interrupt has used the cache. */
		return IS_ENABLED(CONFIG_KVM_INTEL) ?
			       LODGE_GUARD_L1D_WHEN_USED :
			       LODGE_GUARD_L1D_ALWAYS;
	}
}

int vmx_flush_setup(void)
{
	unsigned int i;

	vmx_flush_host.l1d = vmx_flush_l1d_mode();
	vmx_flush_host.stale_data = lodge_host_has_stale_data();
	vmx_flush_always = vmx_flush_host.l1d == LODGE_GUARD_L1D_ALWAYS ||
			   vmx_flush_host.stale_data;
	vmx_flush_wanted = vmx_flush_always ||
			   vmx_flush_host.l1d == LODGE_GUARD_L1D_WHEN_USED;
	if (vmx_flush_host.l1d == LODGE_GUARD_L1D_NEVER ||
	    boot_cpu_has(X86_FEATURE_FLUSH_L1D))
		return 0;
	vmx_flush_buffer = (void *)__get_free_pages(GFP_KERNEL, VMX_L1D_ORDER);
	if (!vmx_flush_buffer)
		return -ENOMEM;
	/* A hypervisor below could merge equal pages: they would fill less of the cache. */
	for (i = 0; i < 1 << VMX_L1D_ORDER; i++)
		memset(vmx_flush_buffer + i * PAGE_SIZE, i + 1, PAGE_SIZE);
	return 0;
}

void vmx_flush_teardown(void)
{
	free_pages((unsigned long)vmx_flush_buffer, VMX_L1D_ORDER);
	vmx_flush_buffer = NULL;
}

/* The other thread of a core shares its cache, whatever an entry flushes. */
void vmx_flush_warn(void)
{
	if (vmx_flush_host.l1d == LODGE_GUARD_L1D_NEVER ||
	    l1tf_mitigation == L1TF_MITIGATION_FLUSH_NOWARN ||
	    !sched_smt_active())
		return;
	pr_info_once(
		"lodge: this processor has L1TF and SMT is on: a guest may read what the other thread of its core has in the L1 data cache\n");
}

/*
 * Whoever had the CPU meanwhile may have left data in the cache, an interrupt
 * too, and what the kernel did for the guest.
 */
static bool vmx_flush_take_used(struct lodge_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	unsigned long switches = current->nvcsw + current->nivcsw;

	if (likely(!vmx->used && !vcpu->host_worked &&
		   vmx->switches == switches && !kvm_get_cpu_l1tf_flush_l1d()))
		return false;
	vmx->used = false;
	vcpu->host_worked = false;
	vmx->switches = switches;
	kvm_clear_cpu_l1tf_flush_l1d();
	return true;
}

void vmx_flush(struct lodge_vcpu *vcpu)
{
	bool used = false;

	if (vmx_flush_host.l1d != LODGE_GUARD_L1D_NEVER)
		used = vmx_flush_take_used(vcpu);
	switch (lodge_guard_flush(&vmx_flush_host, used,
				  READ_ONCE(vcpu->vm->has_mmio))) {
	case LODGE_GUARD_L1D:
		if (vmx_flush_buffer)
			vmx_flush_l1d(vmx_flush_buffer);
		else
			wrmsrq(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
		break;
	case LODGE_GUARD_BUFFERS:
		x86_clear_cpu_buffers();
		break;
	case LODGE_GUARD_NOTHING:
		break;
	}
}
