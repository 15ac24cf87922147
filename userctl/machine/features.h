/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Features of processors by their names, as /proc/cpuinfo spells them.
 */
#ifndef LODGE_MACHINE_FEATURES_H
#define LODGE_MACHINE_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/cpu_state.h"

#define FEATURE_NAME_SIZE 40

/* The registers of CPUID that have features. */
#define FEATURES_WORDS 15

/**
 * struct feature_set - features that have names
 * @words: their bits, register by register
 */
struct feature_set {
	uint32_t words[FEATURES_WORDS];
};

/**
 * features_lack() - find a feature that one CPUID has and another one lacks
 * @own: the CPUID that may lack it
 * @wanted: the CPUID that may have it
 * @name: out: the first one that is lacking; one without a name is told by its leaf,
 *	register and bit; and of guest physical addresses, the width
 *
 * Return: true if there is one.
 */
bool features_lack(const struct cpu_state *own, const struct cpu_state *wanted,
		   char name[static FEATURE_NAME_SIZE]);

/**
 * features_add() - add a feature to a set
 * @name: its name; it need not end with a zero
 * @length: bytes of it
 *
 * Return: false: no feature has this name.
 */
bool features_add(struct feature_set *set, const char *name, size_t length);

/**
 * features_next() - list the features of a set
 * @at: 0 at first, and then what the call before has set it to
 *
 * Return: the name of the next one, or NULL: there are no more.
 */
const char *features_next(const struct feature_set *set, unsigned int *at);

/**
 * features_of() - get the features of a CPUID that have names
 */
void features_of(struct feature_set *set, const struct cpu_state *state);

/**
 * features_miss() - find a feature of a set that a CPUID lacks
 *
 * Return: the name of the first one, or NULL: there is none.
 */
const char *features_miss(const struct feature_set *set,
			  const struct cpu_state *state);

/**
 * features_keep() - leave a CPUID no features but those of a set
 * @state: its leaves change: also those of XSAVE's components (Intel SDM vol. 1, section
 *	13.2) and the number of subleaves of leaf 7
 *
 * Features of the set that it lacks stay lacking.  Features without a name go, too.
 */
void features_keep(struct cpu_state *state, const struct feature_set *set);

#endif
