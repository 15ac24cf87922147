/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TAP interfaces that are none: what a card asks of its links, of which each pair of queues
 * has one.  Only one file of a program may include this header, because it defines
 * tap_new().
 */
#ifndef LODGE_UNIT_FAKE_TAPS_H
#define LODGE_UNIT_FAKE_TAPS_H

#include <errno.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <string.h>

#include "net/tap.h"

#define FAKE_TAPS 16
/* The descriptor of the first; the others follow. */
#define FAKE_TAP_FD 1000

/**
 * struct fake_tap - a link
 * @attached: it gets frames
 * @lent: somebody else takes them
 * @several: as asked for
 * @frames: those that were sent
 * @resumed: how often
 * @refuses: the error of an attach, or 0
 * @gone: the interface was removed
 */
struct fake_tap {
	struct link link;
	bool attached;
	bool lent;
	bool several;
	unsigned int frames;
	unsigned int resumed;
	int refuses;
	bool gone;
};

static struct fake_tap fake_taps[FAKE_TAPS];
static unsigned int fake_nr_taps;
/* Those that are not free again. */
static unsigned int fake_taps_left;

static int fake_tap_send(struct link *link, const struct iovec *iov,
			 unsigned int count)
{
	((struct fake_tap *)link)->frames++;
	return 0;
}

static void fake_tap_resume(struct link *link)
{
	((struct fake_tap *)link)->resumed++;
}

static void fake_tap_offload(struct link *link, bool checksum, bool tso4,
			     bool tso6)
{
}

static int fake_tap_attach(struct link *link, bool on)
{
	struct fake_tap *tap = (struct fake_tap *)link;

	if (on && tap->refuses)
		return tap->refuses;
	tap->attached = on;
	return 0;
}

static int fake_tap_lend(struct link *link, bool on)
{
	struct fake_tap *tap = (struct fake_tap *)link;

	tap->lent = on;
	return tap->gone ? -1 : FAKE_TAP_FD + (tap - fake_taps);
}

static void fake_tap_free(struct link *link)
{
	if (!--fake_taps_left)
		fake_nr_taps = 0;
}

static const struct link_kind fake_tap_kind = {
	.header = sizeof(struct virtio_net_hdr_v1),
	.send = fake_tap_send,
	.resume = fake_tap_resume,
	.offload = fake_tap_offload,
	.attach = fake_tap_attach,
	.lend = fake_tap_lend,
	.free = fake_tap_free,
};

struct link *tap_new(struct loop *loop, const char *name, bool several,
		     const struct link_card *card)
{
	struct fake_tap *tap = &fake_taps[fake_nr_taps];

	if (fake_nr_taps == FAKE_TAPS) {
		errno = E2BIG;
		return NULL;
	}
	fake_nr_taps++;
	fake_taps_left++;
	*tap = (struct fake_tap){
		.link = { .kind = &fake_tap_kind, .card = *card },
		.attached = true,
		.several = several,
	};
	return &tap->link;
}

/* The interface gives a link a frame of @size bytes.  Return: true if the card takes it. */
static inline bool fake_tap_gives(unsigned int number, size_t size)
{
	static const uint8_t frame[2048];
	const struct link_card *card = &fake_taps[number].link.card;
	bool taken;

	card->enter(card->opaque);
	taken = card->receive(card->opaque, frame, size);
	card->leave(card->opaque);
	return taken;
}

/* The interface is removed. */
static inline void fake_tap_ends(unsigned int number)
{
	const struct link_card *card = &fake_taps[number].link.card;

	fake_taps[number].gone = true;
	card->enter(card->opaque);
	card->down(card->opaque);
	card->leave(card->opaque);
}

#endif
