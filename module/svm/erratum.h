/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Errata of AMD's processors that a guest could use against its host.
 */
#ifndef LODGE_SVM_ERRATUM_H
#define LODGE_SVM_ERRATUM_H

#include "pure.h"

/*
 * Bank 0: valid, uncorrected, enabled, with an address, the context corrupt; the L1
 * data TLB.  Whether there had been another before it (bit 62) does not matter.
 */
#define SVM_MULTIMATCH_STATUS 0xb600000000010015ULL
#define SVM_MULTIMATCH_OVERFLOW BIT_ULL(62)

/**
 * svm_is_multimatch() - true if MC0_STATUS tells of two entries of the TLB for one
 * address
 *
 * Revision Guide for AMD Family 10h Processors (41322), erratum 383: software that
 * changes its page tables can bring that about, a guest too.
 */
static inline bool svm_is_multimatch(u64 status)
{
	return (status & ~SVM_MULTIMATCH_OVERFLOW) == SVM_MULTIMATCH_STATUS;
}

/**
 * svm_erratum_cpu_enable() - have this CPU tell of them by a machine check
 */
void svm_erratum_cpu_enable(void);

/**
 * svm_erratum_take() - true if a machine check that came in a guest is of the guest's
 * own making
 *
 * It then is done with, and the next entry of any guest flushes the TLB.
 */
bool svm_erratum_take(void);

#endif
