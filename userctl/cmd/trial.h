/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The smallest VM that proves that this host can run one.
 */
#ifndef LODGE_CMD_TRIAL_H
#define LODGE_CMD_TRIAL_H

/**
 * trial_run() - let a vCPU execute one instruction
 * @lodge: from lodge_open()
 * @step: out: on failure, what was being done
 *
 * Return: 0 or -errno; -EPROTO when the guest did not do what it should.
 */
int trial_run(int lodge, const char **step);

#endif
