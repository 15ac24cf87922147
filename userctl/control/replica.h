/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keeps another controller ready to go on with a machine that stays here.
 */
#ifndef LODGE_CONTROL_REPLICA_H
#define LODGE_CONTROL_REPLICA_H

#include "control/mover_parts.h"

/**
 * replica_run() - send increments until the machine ends, the other side does, or it is
 * cancelled
 * @mover: the other side has taken the offer
 *
 * The machine is held only while its pages are copied in this process: it never waits for
 * the other side.
 *
 * Return: -errno; the machine runs unless it has ended.
 */
int replica_run(struct mover *mover);

#endif
