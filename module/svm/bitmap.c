// SPDX-License-Identifier: GPL-2.0
/*
 * The permission maps: a guest reaches those MSRs without an exit that VMLOAD and
 * VMRUN switch, with the second map SPEC_CTRL too, and no port.
 *
 * The maps are the same for every VM and never change (AMD APM vol. 2, sections
 * 15.10 and 15.11).
 */
#include <linux/gfp.h>
#include <asm/msr-index.h>

#include "svm/svm.h"

#define SVM_MSR_MAP_ORDER 1
#define SVM_IO_MAP_ORDER 2
#define SVM_MSRS_PER_RANGE 8192

/* The second one is that of guests that own SPEC_CTRL. */
static unsigned long *svm_msr_maps[2];
static unsigned long *svm_io_map;

static const u32 svm_direct_msrs[] = {
	MSR_STAR,
	MSR_LSTAR,
	MSR_CSTAR,
	MSR_SYSCALL_MASK,
	MSR_KERNEL_GS_BASE,
	MSR_FS_BASE,
	MSR_GS_BASE,
	MSR_IA32_SYSENTER_CS,
	MSR_IA32_SYSENTER_ESP,
	MSR_IA32_SYSENTER_EIP,
};

/* Two bits an MSR, read and write, in ranges of 8192 MSRs. */
static unsigned long svm_msr_bit(u32 index)
{
	unsigned long range = 0;

	if (index >= 0xc0010000)
		range = 2;
	else if (index >= 0xc0000000)
		range = 1;
	return 2 * (range * SVM_MSRS_PER_RANGE + index % SVM_MSRS_PER_RANGE);
}

static void svm_bitmap_open(unsigned long *map, u32 index)
{
	__clear_bit(svm_msr_bit(index), map);
	__clear_bit(svm_msr_bit(index) + 1, map);
}

static unsigned long *svm_bitmap_new_msr_map(void)
{
	unsigned long *map =
		(void *)__get_free_pages(GFP_KERNEL, SVM_MSR_MAP_ORDER);
	unsigned int i;

	if (!map)
		return NULL;
	memset(map, 0xff, PAGE_SIZE << SVM_MSR_MAP_ORDER);
	for (i = 0; i < ARRAY_SIZE(svm_direct_msrs); i++)
		svm_bitmap_open(map, svm_direct_msrs[i]);
	return map;
}

int svm_bitmap_init(void)
{
	svm_msr_maps[false] = svm_bitmap_new_msr_map();
	svm_msr_maps[true] = svm_bitmap_new_msr_map();
	svm_io_map = (void *)__get_free_pages(GFP_KERNEL, SVM_IO_MAP_ORDER);
	if (!svm_msr_maps[false] || !svm_msr_maps[true] || !svm_io_map) {
		svm_bitmap_exit();
		return -ENOMEM;
	}

	memset(svm_io_map, 0xff, PAGE_SIZE << SVM_IO_MAP_ORDER);
	svm_bitmap_open(svm_msr_maps[true], MSR_IA32_SPEC_CTRL);
	return 0;
}

void svm_bitmap_exit(void)
{
	free_pages((unsigned long)svm_msr_maps[false], SVM_MSR_MAP_ORDER);
	free_pages((unsigned long)svm_msr_maps[true], SVM_MSR_MAP_ORDER);
	free_pages((unsigned long)svm_io_map, SVM_IO_MAP_ORDER);
	svm_msr_maps[false] = NULL;
	svm_msr_maps[true] = NULL;
	svm_io_map = NULL;
}

u64 svm_bitmap_msr(bool spec_ctrl)
{
	return __pa(svm_msr_maps[spec_ctrl]);
}

u64 svm_bitmap_io(void)
{
	return __pa(svm_io_map);
}
