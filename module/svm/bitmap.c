// SPDX-License-Identifier: GPL-2.0
/*
 * The permission maps: which MSRs a guest reaches without an exit (those that
 * VMLOAD and VMRUN switch), and that it reaches no port at all.
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

static unsigned long *svm_msr_map;
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

int svm_bitmap_init(void)
{
	unsigned int i;

	svm_msr_map = (void *)__get_free_pages(GFP_KERNEL, SVM_MSR_MAP_ORDER);
	svm_io_map = (void *)__get_free_pages(GFP_KERNEL, SVM_IO_MAP_ORDER);
	if (!svm_msr_map || !svm_io_map) {
		svm_bitmap_exit();
		return -ENOMEM;
	}

	memset(svm_io_map, 0xff, PAGE_SIZE << SVM_IO_MAP_ORDER);
	memset(svm_msr_map, 0xff, PAGE_SIZE << SVM_MSR_MAP_ORDER);
	for (i = 0; i < ARRAY_SIZE(svm_direct_msrs); i++) {
		__clear_bit(svm_msr_bit(svm_direct_msrs[i]), svm_msr_map);
		__clear_bit(svm_msr_bit(svm_direct_msrs[i]) + 1, svm_msr_map);
	}
	return 0;
}

void svm_bitmap_exit(void)
{
	free_pages((unsigned long)svm_msr_map, SVM_MSR_MAP_ORDER);
	free_pages((unsigned long)svm_io_map, SVM_IO_MAP_ORDER);
	svm_msr_map = NULL;
	svm_io_map = NULL;
}

u64 svm_bitmap_msr(void)
{
	return __pa(svm_msr_map);
}

u64 svm_bitmap_io(void)
{
	return __pa(svm_io_map);
}
