/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads the processor's CPUID.
 */
#ifndef LODGE_CMD_PROCESSOR_H
#define LODGE_CMD_PROCESSOR_H

#include <stdbool.h>

/**
 * struct processor - the processor of this host
 * @vendor: from CPUID; empty if there is no CPUID
 * @svm: it has AMD-V
 * @vmx: it has VT-x
 */
struct processor {
	char vendor[13];
	bool svm;
	bool vmx;
};

void processor_read(struct processor *processor);

#endif
