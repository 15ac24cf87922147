/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the processor says of itself.
 */
#ifndef LODGE_CMD_PROCESSOR_H
#define LODGE_CMD_PROCESSOR_H

#include <stdbool.h>

/**
 * struct processor - as CPUID has it
 * @vendor: empty: it has no CPUID
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
