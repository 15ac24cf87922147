/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a Linux guest and the program that counts, bench/devices, say to each other.
 *
 * The guest asks first, by a line REQUESTS_READY.  Each line that it then reads is a number
 * of requests, and what kind of them: `NUMBER KIND`, or `NUMBER KIND CARD` for a network
 * card.  It answers by REQUESTS_DONE when all have been made, one after the other, or by
 * another line that begins with REQUESTS_MARK, and says what is wrong.  At its input's end
 * it ends.
 */
#ifndef BENCH_REQUESTS_H
#define BENCH_REQUESTS_H

#define REQUESTS_MARK '@'
#define REQUESTS_READY "@ready"
#define REQUESTS_DONE "@done"

/* Reads of the disk, past the guest's page cache. */
#define REQUESTS_RANDOM "random"
#define REQUESTS_SEQUENTIAL "sequential"
#define RANDOM_SIZE 4096
#define SEQUENTIAL_SIZE (128 << 10)

/* A datagram to the host and back. */
#define REQUESTS_ROUND "round"
#define ROUND_SIZE 64

/* By the number of the card: the host's address in the guest's network; and its port. */
#define PEER_ADDRESS "10.77.%u.1"
#define PEER_PORT 7001

#endif
