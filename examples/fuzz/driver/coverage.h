/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a driver in a guest needs to be run by `lodge fuzz`: see "Fuzzing" in lodge(1).
 *
 * A program of the guest's says where a run begins and that it is done (../harness.h); this
 * part of the kernel tells the fuzzer of the driver's edges, and of what the kernel dies of.
 */
#ifndef LODGE_EXAMPLES_FUZZ_COVERAGE_H
#define LODGE_EXAMPLES_FUZZ_COVERAGE_H

/**
 * coverage_start() - count the edges of what is compiled with -fsanitize-coverage=trace-pc
 *
 * From now on an oops or a panic of this kernel is a crash.
 *
 * Return: 0; -ENODEV there is no fuzzer; -ENOMEM.
 */
int coverage_start(void);

/**
 * coverage_stop() - undo coverage_start()
 */
void coverage_stop(void);

/* The compiler calls it on each edge. */
void __sanitizer_cov_trace_pc(void);

#endif
