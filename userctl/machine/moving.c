// SPDX-License-Identifier: GPL-2.0
/*
 * A machine that moves to another controller.
 */
#include "machine/moving.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "machine/dirty.h"
#include "machine/parts.h"
#include "machine/saved.h"

#define PAGE 4096ULL

/**
 * struct moving - a machine that moves
 * @machine: it
 * @left: the pages that are still to be moved
 * @state: its state
 * @images: how many files it starts from
 */
struct moving {
	struct machine *machine;
	struct page_log *left;
	struct record state;
	uint32_t images;
};

static uint64_t nr_pages(const struct ram *ram)
{
	return (ram_low(ram) + ram_high(ram)) / PAGE;
}

static int device_stays(char *why, const char *name, const char *reason)
{
	snprintf(why, MOVING_WHY_SIZE, "its device %s cannot move: %s", name,
		 reason);
	return -EOPNOTSUPP;
}

static int check_devices(const struct machine *machine, char *why)
{
	char name[DEVICE_NAME_SIZE];
	const char *reason = devices_unsaved(machine->devices, name);

	if (!reason)
		reason = devices_stay(machine->devices, name);
	return reason ? device_stays(why, name, reason) : 0;
}

static int check_images(const struct machine *machine, char *why)
{
	struct boot_error boot;
	int err;

	if (image_store_list(&machine->images, SAVED_MAX_IMAGES)) {
		snprintf(why, MOVING_WHY_SIZE,
			 "it was started from more than %d files, for which "
			 "the stream has no room; pack their content into "
			 "fewer",
			 SAVED_MAX_IMAGES);
		return -E2BIG;
	}
	err = image_store_check(&machine->images, &boot);
	if (err)
		snprintf(why, MOVING_WHY_SIZE, "%s", boot.text);
	return err;
}

static int check(struct machine *machine, char *why)
{
	int err;

	if (machine->checkpoint.memory) {
		snprintf(why, MOVING_WHY_SIZE,
			 "it has a checkpoint, which would stay behind; drop "
			 "it by `lodge checkpoint --drop`");
		return -EOPNOTSUPP;
	}
	err = check_devices(machine, why);
	return err ? err : check_images(machine, why);
}

static bool is_over(struct machine *machine)
{
	bool over;

	pthread_mutex_lock(&machine->lock);
	over = machine->over;
	pthread_mutex_unlock(&machine->lock);
	return over;
}

/* Return: 0; -ECANCELED it has ended; or -errno, and it ends. */
static int hold(struct machine *machine)
{
	int err = machine_pause(machine);

	/* Such a machine is of no use any more. */
	if (err)
		machine_end(machine);
	return err || !is_over(machine) ? err : -ECANCELED;
}

static int let_go(struct machine *machine)
{
	int err = machine_resume(machine);

	if (err)
		machine_end(machine);
	return err;
}

/* The logs begin before the first page is read. */
static int begin(struct moving *moving, char *why)
{
	struct machine *machine = moving->machine;
	int err = check(machine, why);

	if (!err)
		err = machine_save_state(machine, &moving->state);
	if (err)
		return err;
	machine->moving = true;
	err = ram_log_begin(machine->ram);
	if (!err)
		err = dirty_begin(machine->vm, machine->ram, NULL);
	if (err)
		return err;
	while (image_store_list(&machine->images, moving->images))
		moving->images++;
	page_log_add(moving->left, 0, nr_pages(machine->ram));
	return 0;
}

static struct moving *new_moving(struct machine *machine)
{
	struct moving *new = calloc(1, sizeof(*new));

	if (!new)
		return NULL;
	new->machine = machine;
	new->left = page_log_new(nr_pages(machine->ram));
	if (new->left)
		return new;
	free(new);
	return NULL;
}

int moving_begin(struct moving **moving, struct machine *machine,
		 char why[MOVING_WHY_SIZE])
{
	struct moving *new = new_moving(machine);
	int err = new ? hold(machine) : -ENOMEM;

	*why = '\0';
	if (err) {
		moving_end(new, true);
		return err;
	}
	err = begin(new, why);
	if (!err)
		err = let_go(machine);
	if (err)
		moving_end(new, false);
	else
		*moving = new;
	return err;
}

const struct record *moving_state(const struct moving *moving)
{
	return &moving->state;
}

struct page_log *moving_left(const struct moving *moving)
{
	return moving->left;
}

int moving_collect(struct moving *moving, uint64_t *pages)
{
	const struct machine *machine = moving->machine;

	return dirty_collect(machine->vm, machine->ram, moving->left, pages);
}

/* Return: how many pages the devices have written to. */
static uint64_t take_log(struct moving *moving)
{
	struct page_log *log = ram_log(moving->machine->ram);
	uint64_t first = 0, bits, count = 0;

	for (; page_log_take(log, &first, &bits); first += PAGE_LOG_WORD)
		for (; bits; bits &= bits - 1, count++) {
			const uint64_t page =
				first + (uint64_t)__builtin_ctzll(bits);

			page_log_add(moving->left, page, page + 1);
		}
	return count;
}

int moving_hold(struct moving *moving, uint64_t *pages)
{
	int err = hold(moving->machine);

	if (!err)
		err = moving_collect(moving, pages);
	if (!err)
		*pages += take_log(moving);
	return err;
}

int moving_stall(struct moving *moving, bool stall)
{
	const int vm = moving->machine->vm;

	return stall ? lodge_vm_hold(vm) : lodge_vm_release(vm);
}

int moving_go_on(struct moving *moving)
{
	return let_go(moving->machine);
}

/* What was sent of an image is of one state of it if that is still the same. */
int moving_settle(struct moving *moving, char why[MOVING_WHY_SIZE])
{
	int err;

	*why = '\0';
	moving->state.size = 0;
	err = check_devices(moving->machine, why);
	if (!err)
		err = check_images(moving->machine, why);
	if (!err)
		err = machine_save_state(moving->machine, &moving->state);
	return err || !is_over(moving->machine) ? err : -ECANCELED;
}

void moving_end(struct moving *moving, bool stay)
{
	struct machine *machine;

	if (!moving)
		return;
	machine = moving->machine;
	if (machine->moving) {
		hold(machine);
		dirty_end(machine->vm, machine->ram);
		ram_log_end(machine->ram);
	}
	machine->moving = false;
	if (!stay)
		let_go(machine);
	page_log_free(moving->left);
	free(moving->state.data);
	free(moving);
}

uint32_t moving_images(const struct moving *moving)
{
	return moving->images;
}

const char *moving_image(const struct moving *moving, uint32_t number,
			 uint64_t *size)
{
	const struct image *image =
		image_store_list(&moving->machine->images, number);

	*size = image->size;
	return image->path;
}

int moving_read(const struct moving *moving, uint32_t number, uint64_t at,
		void *to, size_t size)
{
	return image_read(image_store_list(&moving->machine->images, number),
			  at, to, size);
}

struct ram *moving_ram(struct machine *machine)
{
	return machine->ram;
}
