/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All VMs in Prometheus' text format, version 0.0.4.
 */
#ifndef LODGE_VIEW_METRICS_H
#define LODGE_VIEW_METRICS_H

#include <stdio.h>

#include "view/sample.h"

/**
 * metrics_write() - write a sample
 * @file: output
 * @sample: the VMs, or NULL if the module does not answer
 */
void metrics_write(FILE *file, const struct sample *sample);

#endif
