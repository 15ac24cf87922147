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

/* A datagram to the host and back; blocks of a TCP stream to the host, and from it. */
#define REQUESTS_ROUND "round"
#define REQUESTS_SEND "send"
#define REQUESTS_RECEIVE "receive"
#define ROUND_SIZE 64
#define STREAM_SIZE (64 << 10)

/* By the number of the card: the host's address in each guest's network, and its ports. */
#define PEER_ADDRESS "10.77.%u.1"
#define PEER_ROUND_PORT 7001
#define PEER_STREAM_PORT 7002
/* What a lost frame costs: an error, and nobody who waits for ever. */
#define PEER_SECONDS 2

/**
 * struct peer_order - what the first bytes of a stream tell the host
 * @send: blocks that the host is to send; it reads to the end of what comes first
 */
struct peer_order {
	unsigned int send;
};

#endif
