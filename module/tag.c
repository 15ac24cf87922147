// SPDX-License-Identifier: GPL-2.0
/*
 * Tags of translations: see tag.h.
 */
#include "tag.h"

void lodge_tags_init(struct lodge_tags *tags, u32 last)
{
	tags->generation++;
	tags->last = last;
	tags->next = last + 1;
}

bool lodge_tag_new(struct lodge_tag *tag, struct lodge_tags *tags)
{
	bool flush = tags->next > tags->last;

	if (flush) {
		tags->generation++;
		tags->next = LODGE_TAG_FIRST;
	}
	tag->generation = tags->generation;
	tag->number = tags->next++;
	return flush;
}
