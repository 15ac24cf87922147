// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID as a vCPU's guest has it: see guest_cpuid.h.
 */
#include "guest_cpuid.h"

#include "lib/client.h"

uint32_t vcpu_cpuid(int vcpu, uint32_t leaf, uint32_t subleaf, unsigned int reg)
{
	struct lodge_cpuid_entry entry[LODGE_MAX_CPUID];
	uint32_t i, count = LODGE_MAX_CPUID;

	if (lodge_cpuid_get(vcpu, entry, &count))
		return 0;
	for (i = 0; i < count; i++)
		if (entry[i].leaf == leaf &&
		    (!(entry[i].flags & LODGE_CPUID_SUBLEAF) ||
		     entry[i].subleaf == subleaf))
			return (&entry[i].eax)[reg];
	return 0;
}
