// SPDX-License-Identifier: GPL-2.0
/*
 * Multiboot modules.
 */
#include "boot/modules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096ULL

/* Splits @list into lines; the arrays have room for the worst case. */
static void modules_split(struct modules *modules, const char *list)
{
	char *to = modules->text;

	modules->module[modules->count++].line = 0;
	for (; *list; list++) {
		if (*list != ',') {
			*to++ = *list;
		} else if (list[1] == ',') {
			*to++ = *list++;
		} else {
			*to++ = '\0';
			modules->module[modules->count++].line =
				to - modules->text;
		}
	}
	*to++ = '\0';
	modules->text_size = to - modules->text;
}

static int modules_put(struct module *module, const struct image *image,
		       struct place *place, uint64_t min,
		       struct boot_error *error)
{
	uint64_t room = (image->size + PAGE - 1) & ~(PAGE - 1);
	uint64_t gpa;
	void *at;

	if (place_find(place, room, PAGE, min, RAM_HOLE_START, PLACE_LOWEST,
		       &gpa, &at))
		return boot_error_set(
			error, -ENOSPC,
			"%s: does not fit below %s (needs %s); --memory gives more",
			image->path, boot_size(ram_low(place->ram)).text,
			boot_size(room).text);
	memset((char *)at + image->size, 0, room - image->size);
	module->start = gpa;
	module->end = gpa + image->size;
	return image_load(image, 0, at, image->size, error);
}

/* Loads the file that a module's line begins with. */
static int modules_read(struct modules *modules, struct module *module,
			struct image_store *store, struct place *place,
			uint64_t min, struct boot_error *error)
{
	const char *line = modules->text + module->line;
	char *path = strndup(line, strcspn(line, " "));
	const struct image *image;
	int ret;

	if (!path)
		return boot_error_set(error, -ENOMEM, "out of memory");
	ret = image_get(store, path, &image, error);
	if (!ret)
		ret = modules_put(module, image, place, min, error);
	free(path);
	return ret;
}

int modules_load(struct modules *modules, const char *list,
		 struct image_store *store, struct place *place, uint64_t min,
		 struct boot_error *error)
{
	size_t length, most = 1;
	unsigned int i;
	int ret = 0;

	memset(modules, 0, sizeof(*modules));
	if (!list)
		return 0;
	length = strlen(list);
	for (i = 0; i < length; i++)
		most += list[i] == ',';
	modules->text = malloc(length + 1);
	modules->module = calloc(most, sizeof(*modules->module));
	if (!modules->text || !modules->module)
		return boot_error_set(error, -ENOMEM, "out of memory");

	modules_split(modules, list);
	for (i = 0; i < modules->count && !ret; i++) {
		ret = modules_read(modules, &modules->module[i], store, place,
				   min, error);
		min = modules->module[i].end;
	}
	return ret;
}

void modules_free(struct modules *modules)
{
	free(modules->text);
	free(modules->module);
}
