/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A minimal VM that proves that this host can run one.
 */
#ifndef LODGE_CMD_TRIAL_H
#define LODGE_CMD_TRIAL_H

/**
 * trial_run() - let a vCPU execute one instruction
 * @lodge: from lodge_open()
 * @step: out: on failure, the step that failed
 *
 * Return: 0 or -errno; -EPROTO the guest did not exit as expected.
 */
int trial_run(int lodge, const char **step);

#endif
