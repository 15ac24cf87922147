/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tags (AMD's ASIDs, Intel's VPIDs) that tell one vCPU's translations in a CPU's
 * TLB from those of others.
 *
 * Each CPU gives out its own, one by one.  When none is left it flushes its TLB and
 * begins a new generation, which makes all earlier tags stale.
 */
#ifndef LODGE_TAG_H
#define LODGE_TAG_H

#include "pure.h"

/* Tag 0 is the host's. */
#define LODGE_TAG_FIRST 1

/**
 * struct lodge_tags - the tags of a CPU; touched only on it, preemption off
 * @generation: never 0 once lodge_tags_init() has run
 * @next: next tag to give away
 * @last: highest tag
 */
struct lodge_tags {
	u64 generation;
	u32 next;
	u32 last;
};

/**
 * struct lodge_tag - a vCPU's tag on the CPU on which it last ran
 * @generation: of that CPU's tags when it was given; 0: there is no tag
 * @number: the tag, as the processor knows it
 */
struct lodge_tag {
	u64 generation;
	u32 number;
};

/**
 * lodge_tags_init() - make all of the CPU's tags stale
 * @last: highest tag that the processor knows
 *
 * The next lodge_tag_new() asks for a flush: what ran here before may have left
 * translations behind.
 */
void lodge_tags_init(struct lodge_tags *tags, u32 last);

/**
 * lodge_tag_new() - give a vCPU a tag that nothing in this CPU's TLB bears
 *
 * Return: true when all of the CPU's guest translations must be flushed before the
 * tag is used.
 */
bool lodge_tag_new(struct lodge_tag *tag, struct lodge_tags *tags);

/**
 * lodge_tag_drop() - the vCPU runs on another CPU from now on
 */
static inline void lodge_tag_drop(struct lodge_tag *tag)
{
	tag->generation = 0;
}

/**
 * lodge_tag_is_stale() - true if the vCPU needs a new tag on this CPU
 */
static inline bool lodge_tag_is_stale(const struct lodge_tag *tag,
				      const struct lodge_tags *tags)
{
	return tag->generation != tags->generation;
}

#endif
