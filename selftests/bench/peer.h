/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's side of the network that bench/devices counts: it sends datagrams back, and
 * takes or gives streams (see linux/requests.h).
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

/**
 * peer_start() - start the threads that serve the guests, for good
 *
 * Return: 0 or -errno.
 */
int peer_start(void);

/**
 * peer_connect() - give the host its address on a TAP interface that is there
 * @name: the interface
 * @card: number of the guest's network card
 *
 * Return: 0 or -errno.
 */
int peer_connect(const char *name, unsigned int card);

#endif
