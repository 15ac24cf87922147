// SPDX-License-Identifier: GPL-2.0
/*
 * The description of a command that is to run in a guest, as bytes.
 */
#include "guest/spec.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct head - what has a fixed size
 * @modes: c_iflag, c_oflag, c_cflag, c_lflag of the terminal
 * @keys: its c_cc
 */
struct head {
	uint32_t flags;
	uint32_t uid;
	uint32_t gid;
	uint32_t mask;
	uint16_t rows;
	uint16_t cols;
	uint32_t modes[4];
	uint8_t keys[NCCS];
	uint32_t nr_groups;
	uint32_t nr_args;
	uint32_t nr_vars;
};

/* Adds the bytes of a list's texts.  Return: their number. */
static size_t measure(char *const *list, uint32_t *count)
{
	size_t size = 0;

	for (*count = 0; list[*count]; (*count)++)
		size += strlen(list[*count]) + 1;
	return size;
}

static char *copy(char *at, const void *from, size_t size)
{
	if (size)
		memcpy(at, from, size);
	return at + size;
}

static char *copy_list(char *at, char *const *list)
{
	for (; *list; list++)
		at = copy(at, *list, strlen(*list) + 1);
	return at;
}

static struct head head_of(const struct spec *spec)
{
	struct head head = {
		.flags = spec->flags,
		.uid = spec->uid,
		.gid = spec->gid,
		.mask = spec->mask,
		.rows = spec->rows,
		.cols = spec->cols,
		.modes = { spec->modes.c_iflag, spec->modes.c_oflag,
			   spec->modes.c_cflag, spec->modes.c_lflag },
		.nr_groups = spec->nr_groups,
	};

	memcpy(head.keys, spec->modes.c_cc, sizeof(head.keys));
	return head;
}

int spec_write(const struct spec *spec, void **bytes, size_t *size)
{
	struct head head = head_of(spec);
	const size_t groups = spec->nr_groups * sizeof(*spec->groups);
	char *at;

	*size = sizeof(head) + groups + strlen(spec->directory) + 1 +
		measure(spec->argv, &head.nr_args) +
		measure(spec->envp, &head.nr_vars);
	if (*size > SPEC_MAX || spec->nr_groups > SPEC_MAX_GROUPS)
		return -E2BIG;
	at = *bytes = malloc(*size);
	if (!at)
		return -ENOMEM;
	at = copy(at, &head, sizeof(head));
	at = copy(at, spec->groups, groups);
	at = copy(at, spec->directory, strlen(spec->directory) + 1);
	at = copy_list(at, spec->argv);
	copy_list(at, spec->envp);
	return 0;
}

/* Takes a text.  Return: it, or NULL: there is none. */
static char *take_text(char **at, size_t *left)
{
	const size_t length = strnlen(*at, *left);
	char *text = *at;

	if (length == *left)
		return NULL;
	*at += length + 1;
	*left -= length + 1;
	return text;
}

/* Each text has a byte at least, so a number of them beyond @left is none. */
static int take_list(char ***list, uint32_t count, char **at, size_t *left)
{
	if (count > *left)
		return -EINVAL;
	*list = calloc(count + 1UL, sizeof(**list));
	if (!*list)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		(*list)[i] = take_text(at, left);
		if (!(*list)[i])
			return -EINVAL;
	}
	return 0;
}

static int take_groups(struct spec *spec, char **at, size_t *left)
{
	const size_t size = spec->nr_groups * sizeof(*spec->groups);

	if (spec->nr_groups > SPEC_MAX_GROUPS || size > *left)
		return -EINVAL;
	if (!size)
		return 0;
	spec->groups = malloc(size);
	if (!spec->groups)
		return -ENOMEM;
	memcpy(spec->groups, *at, size);
	*at += size;
	*left -= size;
	return 0;
}

static void take_head(struct spec *spec, const struct head *head)
{
	*spec = (struct spec){
		.flags = head->flags,
		.uid = head->uid,
		.gid = head->gid,
		.mask = head->mask,
		.rows = head->rows,
		.cols = head->cols,
		.modes = { .c_iflag = head->modes[0],
			   .c_oflag = head->modes[1],
			   .c_cflag = head->modes[2],
			   .c_lflag = head->modes[3] },
		.nr_groups = head->nr_groups,
	};
	memcpy(spec->modes.c_cc, head->keys, sizeof(head->keys));
}

/* A terminal is that of input and output; errors may be apart. */
static bool are_flags(uint32_t flags)
{
	const uint32_t both = SPEC_TERMINAL(0) | SPEC_TERMINAL(1);

	return !(flags & ~SPEC_FLAGS) &&
	       (!(flags & SPEC_TERMINALS) || (flags & both) == both);
}

int spec_read(struct spec *spec, void *bytes, size_t size)
{
	struct head head;
	char *at = bytes;
	int err;

	memset(spec, 0, sizeof(*spec));
	if (size < sizeof(head) || size > SPEC_MAX)
		return -EINVAL;
	memcpy(&head, at, sizeof(head));
	take_head(spec, &head);
	at += sizeof(head);
	size -= sizeof(head);
	err = take_groups(spec, &at, &size);
	if (!err && size)
		spec->directory = take_text(&at, &size);
	if (!err &&
	    (!spec->directory || !head.nr_args || !are_flags(head.flags)))
		err = -EINVAL;
	if (!err)
		err = take_list(&spec->argv, head.nr_args, &at, &size);
	if (!err)
		err = take_list(&spec->envp, head.nr_vars, &at, &size);
	if (!err && size)
		err = -EINVAL;
	if (err)
		spec_free(spec);
	return err;
}

void spec_free(struct spec *spec)
{
	free(spec->groups);
	free(spec->argv);
	free(spec->envp);
	memset(spec, 0, sizeof(*spec));
}
