/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CPUID as a vCPU's guest has it.
 */
#ifndef LODGE_LIB_GUEST_CPUID_H
#define LODGE_LIB_GUEST_CPUID_H

#include <stdint.h>

/**
 * vcpu_cpuid() - one register of a leaf
 * @vcpu: descriptor of the vCPU
 * @reg: 0 EAX, 1 EBX, 2 ECX, 3 EDX
 *
 * Return: its value; 0 where there is no such leaf.
 */
uint32_t vcpu_cpuid(int vcpu, uint32_t leaf, uint32_t subleaf,
		    unsigned int reg);

#endif
