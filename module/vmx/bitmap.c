// SPDX-License-Identifier: GPL-2.0
/*
 * The MSR bitmaps: a guest reaches those MSRs without an exit that each world
 * switch has in any case, with the second map SPEC_CTRL too.
 *
 * They are the same for every VM and never change (Intel SDM vol. 3, section
 * 25.6.9).  There is no I/O bitmap: every port exits.
 */
#include <linux/gfp.h>
#include <asm/msr-index.h>

#include "vmx/vmx.h"

/* Bits of the four parts: reads of low and high MSRs, then writes of them. */
#define VMX_MSRS_PER_RANGE 8192
#define VMX_MSR_HIGH 0xc0000000
#define VMX_MSR_WRITES (2 * VMX_MSRS_PER_RANGE)

/* The second one is that of guests that own SPEC_CTRL. */
static unsigned long *vmx_msr_maps[2];

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

static void vmx_bitmap_open(unsigned long *map, u32 index)
{
	__clear_bit(vmx_msr_bit(index), map);
	__clear_bit(vmx_msr_bit(index) + VMX_MSR_WRITES, map);
}

static unsigned long *vmx_bitmap_new(void)
{
	unsigned long *map = (void *)__get_free_page(GFP_KERNEL);
	unsigned int i;

	if (!map)
		return NULL;
	memset(map, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(vmx_direct_msrs); i++)
		vmx_bitmap_open(map, vmx_direct_msrs[i]);
	return map;
}

int vmx_bitmap_init(void)
{
	vmx_msr_maps[false] = vmx_bitmap_new();
	vmx_msr_maps[true] = vmx_bitmap_new();
	if (!vmx_msr_maps[false] || !vmx_msr_maps[true]) {
		vmx_bitmap_exit();
		return -ENOMEM;
	}
	vmx_bitmap_open(vmx_msr_maps[true], MSR_IA32_SPEC_CTRL);
	return 0;
}

void vmx_bitmap_exit(void)
{
	free_page((unsigned long)vmx_msr_maps[false]);
	free_page((unsigned long)vmx_msr_maps[true]);
	vmx_msr_maps[false] = NULL;
	vmx_msr_maps[true] = NULL;
}

u64 vmx_bitmap_msr(bool spec_ctrl)
{
	return __pa(vmx_msr_maps[spec_ctrl]);
}
