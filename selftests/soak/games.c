// SPDX-License-Identifier: GPL-2.0
/*
 * What a host does to memory: see games.h.
 */
#include "games.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#define PAGE 0x1000
/* The offset in a page of what a copy changes. */
#define COPIED 0x800

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* Away, and back to where the process looks for it. */
static void move(uint8_t *from, size_t size)
{
	void *there = mremap(from, size, size,
			     MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);

	if (there != MAP_FAILED)
		mremap(there, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, from);
}

/* The child's writes do not reach the process, nor its the child. */
static void copy(uint8_t *from, size_t size)
{
	pid_t child = fork();

	if (!child) {
		for (size_t i = 0; i < size; i += PAGE)
			memset(from + i + COPIED, 0x99, 16);
		_exit(0);
	}
	if (child > 0)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
}

void games_play(struct chance *chance, void *from, size_t size)
{
	static const int advice[] = {
		MADV_PAGEOUT,  MADV_MERGEABLE, MADV_UNMERGEABLE,
		MADV_HUGEPAGE, MADV_COLLAPSE,
	};
	const uint32_t advices = sizeof(advice) / sizeof(advice[0]);
	uint32_t game = chance_below(chance, advices + 5);

	if (game < advices) {
		madvise(from, size, advice[game]);
		return;
	}
	switch (game - advices) {
	case 0:
		move(from, size);
		break;
	case 1:
		copy(from, size);
		break;
	case 2:
		mprotect(from, size, PROT_READ);
		mprotect(from, size, PROT_READ | PROT_WRITE);
		break;
	case 3:
		host_write("/proc/self/clear_refs",
			   chance_one_in(chance, 2) ? "1" : "4");
		break;
	default:
		host_write("/proc/sys/vm/compact_memory", "1");
	}
}

void games_merge(bool merge)
{
	host_write("/sys/kernel/mm/ksm/sleep_millisecs", "10");
	host_write("/sys/kernel/mm/ksm/run", merge ? "1" : "2");
}
