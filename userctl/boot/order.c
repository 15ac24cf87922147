// SPDX-License-Identifier: GPL-2.0
/*
 * SeaBIOS's file bootorder.
 */
#include "boot/order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool comes_before(const struct device_boot *one,
			 const struct device_boot *other)
{
	if (one->index != other->index)
		return one->index < other->index;
	return one->class < other->class;
}

void boot_order_sort(struct device_boot *list, size_t count)
{
	struct device_boot boot;
	size_t place;

	for (size_t i = 1; i < count; i++) {
		boot = list[i];
		for (place = i; place && comes_before(&boot, &list[place - 1]);
		     place--)
			list[place] = list[place - 1];
		list[place] = boot;
	}
}

char *boot_order_text(const struct device_boot *list, size_t count,
		      size_t *size)
{
	char *text = malloc(count * BOOT_PATH_SIZE + 1), *end = text;

	if (!text)
		return NULL;
	*end = '\0';
	for (size_t i = 0; i < count; i++) {
		if (i)
			*end++ = '\n';
		end = stpcpy(end, list[i].path);
	}
	*size = (size_t)(end - text) + 1;
	return text;
}
