/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stream by which a machine moves, in files of memory: what is sent is appended to one,
 * and read from its beginning.
 */
#ifndef LODGE_UNIT_MOVE_FIXTURE_H
#define LODGE_UNIT_MOVE_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "move/pages.h"
#include "move/source.h"
#include "move/target.h"

#define MOVE_TEST_SIZE (1ULL << 20)
#define MOVE_TEST_PAGES (MOVE_TEST_SIZE / MOVE_PAGE)
#define MOVE_TEST_CONFIG "{\"kernel\": \"/image\"}"
#define MOVE_TEST_HOST \
	"{\"lodge\": \"1\", \"backend\": \"svm\", \"machine\": \"web\", \"time\": 1}"
#define MOVE_TEST_IMAGE "an image, which is larger than a piece of it"

static uint8_t move_test_state[] = "a state";

/* A link that sends to a file of its own, and reads from another one, or from none. */
static inline struct move_link move_test_link(int in)
{
	return (struct move_link){
		.in = in,
		.out = memfd_create("stream", MFD_CLOEXEC),
		.patience_ms = 60000,
	};
}

/* A link that reads what another one has sent, from its beginning. */
static inline struct move_link move_test_peer(const struct move_link *link)
{
	lseek(link->out, 0, SEEK_SET);
	return move_test_link(link->out);
}

static inline const char *move_test_path(void *opaque, uint32_t number,
					 uint64_t *size)
{
	(void)opaque;
	*size = number ? 1 : sizeof(MOVE_TEST_IMAGE);
	return number ? "/initrd" : "/image";
}

static inline int move_test_read(void *opaque, uint32_t number, uint64_t at,
				 void *to, size_t size)
{
	(void)opaque;
	memcpy(to, (number ? "i" : MOVE_TEST_IMAGE) + at, size);
	return 0;
}

/* What is written here is never answered: the link has the answer. */
static inline int move_test_offer(struct move_link *link, char *why)
{
	static const struct record state = { move_test_state,
					     sizeof(move_test_state) };
	const struct move_offer offer = {
		.pages = MOVE_TEST_PAGES,
		.config = MOVE_TEST_CONFIG,
		.host = MOVE_TEST_HOST,
		.state = &state,
		.images = 2,
		.image = move_test_path,
		.read = move_test_read,
	};

	return move_offer(link, &offer, why);
}

static inline uint8_t *move_test_page(const struct ram *ram, uint64_t page)
{
	return ram_at(ram, page * MOVE_PAGE, MOVE_PAGE);
}

/* Pages that cannot be packed, that can, and zeroes, by turns of uneven length. */
static inline void move_test_fill(const struct ram *ram)
{
	uint32_t random = 1;

	for (uint64_t page = 0; page < MOVE_TEST_PAGES; page++)
		for (size_t i = 0; i < MOVE_PAGE && page % 7 < 5; i++) {
			random = random * 1664525 + 1013904223;
			move_test_page(ram, page)[i] = page % 5 ? random >> 24 :
								  page;
		}
}

static inline int move_test_send(struct move_link *link, const struct ram *ram,
				 struct page_log *log)
{
	struct move_packer *packer = move_packer_new();
	uint64_t first = 0, bits;
	int err = packer ? 0 : -1;

	for (; !err && page_log_take(log, &first, &bits);
	     first += PAGE_LOG_WORD)
		err = move_send_pages(packer, link, ram, first, bits);
	move_packer_free(packer);
	return err;
}

#endif
