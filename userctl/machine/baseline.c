// SPDX-License-Identifier: GPL-2.0
/*
 * The RAM's content at a checkpoint.
 */
#include "machine/baseline.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "board/zero.h"
#include "lib/client.h"
#include "machine/dirty.h"

#define PAGE 4096ULL

/**
 * struct baseline - the content, and the memory that it is of
 * @vm: the VM's descriptor
 * @ram: the RAM
 * @base: where its page 0 is
 * @copy: the content, page by page in the same order
 * @size: bytes of both
 */
struct baseline {
	int vm;
	struct ram *ram;
	uint8_t *base;
	uint8_t *copy;
	uint64_t size;
};

static uint8_t *page_of(uint8_t *memory, uint64_t page)
{
	return memory + page * PAGE;
}

/*
 * The copy has nothing yet: a page that is zero stays without memory.  A hole is looked
 * for behind such a page only: to make one page of each hole costs less than to ask before
 * each page.
 */
static void copy_all(struct baseline *baseline)
{
	const uint64_t pages = baseline->size / PAGE;
	uint64_t i = ram_skip_holes(baseline->ram, 0);

	while (i < pages) {
		const uint8_t *page = page_of(baseline->base, i);
		const bool zero = is_zero(page, PAGE);

		if (!zero)
			memcpy(page_of(baseline->copy, i), page, PAGE);
		i++;
		if (zero)
			i = ram_skip_holes(baseline->ram, i);
	}
}

/* A page that has become zero gives its memory back. */
static void copy_page(struct baseline *baseline, uint64_t number)
{
	const uint8_t *page = page_of(baseline->base, number);
	uint8_t *copy = page_of(baseline->copy, number);

	if (!is_zero(page, PAGE) || madvise(copy, PAGE, MADV_DONTNEED))
		memcpy(copy, page, PAGE);
}

/* To write to a page costs more than to see that it need not be. */
static bool restore_page(struct baseline *baseline, uint64_t number)
{
	const uint8_t *copy = page_of(baseline->copy, number);
	uint8_t *page = page_of(baseline->base, number);

	if (!memcmp(page, copy, PAGE))
		return false;
	memcpy(page, copy, PAGE);
	return true;
}

static int begin_logs(struct baseline *baseline)
{
	int err = ram_log_begin(baseline->ram);

	return err ? err :
		     dirty_begin(baseline->vm, baseline->ram, baseline->copy);
}

int baseline_new(struct baseline **baseline, int vm, struct ram *ram)
{
	struct baseline *new = calloc(1, sizeof(*new));
	struct ram_range ranges[RAM_MAX_RANGES];
	int err;

	if (!new)
		return -ENOMEM;
	new->vm = vm;
	new->ram = ram;
	ram_ranges(ram, ranges);
	new->base = ranges[0].address;
	new->size = ram_low(ram) + ram_high(ram);
	new->copy = mmap(NULL, new->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (new->copy == MAP_FAILED) {
		free(new);
		return -ENOMEM;
	}
	/* Before the copy, which takes long, and nothing is written to meanwhile. */
	err = begin_logs(new);
	if (err) {
		baseline_free(new);
		return err;
	}
	copy_all(new);
	*baseline = new;
	return 0;
}

void baseline_free(struct baseline *baseline)
{
	if (!baseline)
		return;
	dirty_end(baseline->vm, baseline->ram);
	ram_log_end(baseline->ram);
	munmap(baseline->copy, baseline->size);
	free(baseline);
}

int baseline_renew(struct baseline *baseline)
{
	uint64_t first = 0, bits;
	int err = dirty_collect(baseline->vm, baseline->ram,
				ram_log(baseline->ram), NULL);

	if (err)
		return err;
	for (; page_log_take(ram_log(baseline->ram), &first, &bits);
	     first += PAGE_LOG_WORD)
		for (; bits; bits &= bits - 1)
			copy_page(baseline,
				  first + (uint64_t)__builtin_ctzll(bits));
	return 0;
}

int baseline_restore(struct baseline *baseline, uint64_t *pages)
{
	uint64_t first = 0, bits;
	int err = lodge_vm_reset(baseline->vm, pages);

	if (err)
		return err;
	for (; page_log_take(ram_log(baseline->ram), &first, &bits);
	     first += PAGE_LOG_WORD)
		for (; bits; bits &= bits - 1)
			*pages += restore_page(
				baseline,
				first + (uint64_t)__builtin_ctzll(bits));
	return 0;
}
