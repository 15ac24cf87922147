// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the processor's CPUID.
 */
#include "cmd/processor.h"

#include <cpuid.h>
#include <string.h>

/* CPUID 0x80000001, ECX (AMD APM vol. 3, appendix E.4.2). */
#define CPUID_SVM (1U << 2)
/* CPUID 1, ECX (Intel SDM vol. 2, CPUID). */
#define CPUID_VMX (1U << 5)

void processor_read(struct processor *processor)
{
	unsigned int eax, ebx, ecx, edx;

	memset(processor, 0, sizeof(*processor));
	if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx))
		return;
	memcpy(processor->vendor, &ebx, 4);
	memcpy(processor->vendor + 4, &edx, 4);
	memcpy(processor->vendor + 8, &ecx, 4);
	if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx))
		processor->svm = ecx & CPUID_SVM;
	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		processor->vmx = ecx & CPUID_VMX;
}
