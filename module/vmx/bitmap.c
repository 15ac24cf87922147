// SPDX-License-Identifier: GPL-2.0
/*
 * The MSR bitmap: which MSRs a guest reaches without an exit (those that the
 * world switch has in any case).
 *
 * It is the same for every VM and never changes (Intel SDM vol. 3, section
 * 25.6.9).  There is no I/O bitmap: every port exits.
 */
#include <linux/gfp.h>
#include <asm/msr-index.h>

#include "vmx/vmx.h"

/* Bits of the four parts: reads of low and high MSRs, then writes of them. */
#define VMX_MSRS_PER_RANGE 8192
#define VMX_MSR_HIGH 0xc0000000
#define VMX_MSR_WRITES (2 * VMX_MSRS_PER_RANGE)

static unsigned long *vmx_msr_map;

static const u32 vmx_direct_msrs[] = {
	MSR_FS_BASE,	      MSR_GS_BASE,	     MSR_KERNEL_GS_BASE,
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
};

static unsigned long vmx_msr_bit(u32 index)
{
	if (index >= VMX_MSR_HIGH)
		return index - VMX_MSR_HIGH + VMX_MSRS_PER_RANGE;
	return index;
}

int vmx_bitmap_init(void)
{
	unsigned int i;

	vmx_msr_map = (void *)__get_free_page(GFP_KERNEL);
	if (!vmx_msr_map)
		return -ENOMEM;
	memset(vmx_msr_map, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(vmx_direct_msrs); i++) {
		unsigned long bit = vmx_msr_bit(vmx_direct_msrs[i]);

		__clear_bit(bit, vmx_msr_map);
		__clear_bit(bit + VMX_MSR_WRITES, vmx_msr_map);
	}
	return 0;
}

void vmx_bitmap_exit(void)
{
	free_page((unsigned long)vmx_msr_map);
	vmx_msr_map = NULL;
}

u64 vmx_bitmap_msr(void)
{
	return __pa(vmx_msr_map);
}
