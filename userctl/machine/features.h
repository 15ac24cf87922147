/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Features of processors by their names, as /proc/cpuinfo spells them.
 */
#ifndef LODGE_MACHINE_FEATURES_H
#define LODGE_MACHINE_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#include "machine/cpu_state.h"

#define FEATURE_NAME_SIZE 40

/**
 * features_lack() - find a feature that one CPUID has and another one lacks
 * @own: the CPUID that may lack it
 * @wanted: the CPUID that may have it
 * @name: out: the first one that is lacking; one without a name is told by its leaf,
 *	register and bit
 *
 * Return: true if there is one.
 */
bool features_lack(const struct cpu_state *own, const struct cpu_state *wanted,
		   char name[static FEATURE_NAME_SIZE]);

#endif
