// SPDX-License-Identifier: GPL-2.0
/*
 * A machine's checkpoint: its state in memory, and the way back to it.
 *
 * The vCPUs and the devices are put back from a record of them; the RAM is put back page
 * by page, as its baseline has it.  A guest that asks for either does so in
 * the middle of an access, which is completed first: so it goes on behind it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "board/loop.h"
#include "machine/parts.h"

void machine_drop_checkpoint(struct machine *machine)
{
	struct machine_checkpoint *checkpoint = &machine->checkpoint;

	/* Requests in flight go to where overlays keep what there was. */
	if (checkpoint->state.data && !devices_hold(machine->devices))
		devices_unkeep(machine->devices);
	baseline_free(checkpoint->memory);
	free(checkpoint->state.data);
	checkpoint->memory = NULL;
	checkpoint->state = (struct record){ 0 };
	pthread_mutex_lock(&machine->lock);
	checkpoint->passes = (struct machine_passes){ 0 };
	pthread_mutex_unlock(&machine->lock);
}

/* The devices have written what they had in flight before memory is looked at. */
static int make(struct machine *machine, struct device_error *error)
{
	struct machine_checkpoint *checkpoint = &machine->checkpoint;
	int err = machine->moving ? -EBUSY : devices_hold(machine->devices);

	if (err)
		return err;
	err = devices_keep(machine->devices, error);
	if (err) {
		devices_unkeep(machine->devices);
		return err;
	}
	*error = (struct device_error){ 0 };
	checkpoint->state.size = 0;
	machine->held.asleep = machine->asleep;
	err = held_save(&machine->held, &checkpoint->state);
	if (err)
		return err;
	return checkpoint->memory ? baseline_renew(checkpoint->memory) :
				    baseline_new(&checkpoint->memory,
						 machine->vm, machine->ram);
}

int machine_checkpoint(struct machine *machine, struct device_error *error)
{
	int err;

	*error = (struct device_error){ 0 };
	err = make(machine, error);
	if (err) {
		machine_drop_checkpoint(machine);
		return err;
	}
	pthread_mutex_lock(&machine->lock);
	machine->checkpoint.passes = (struct machine_passes){ .pass = 1 };
	pthread_mutex_unlock(&machine->lock);
	return 0;
}

/* Lock held. */
static void undo_end(struct machine *machine)
{
	eventfd_t count;

	eventfd_read(machine->ended, &count);
	machine->over = false;
	machine->end = (struct machine_end){
		.lost_output = machine->end.lost_output,
	};
}

/*
 * What the guest has done is undone, and so is its end; but not what has come from outside,
 * although that was later.
 *
 * Return: 0 or -ECANCELED.
 */
static int revive(struct machine *machine)
{
	int err = 0;

	pthread_mutex_lock(&machine->lock);
	if (machine->dismissed) {
		machine->end.fate = machine->outer_fate;
		machine->end.code = machine->outer_code;
		err = -ECANCELED;
	} else if (machine->over) {
		undo_end(machine);
	}
	pthread_mutex_unlock(&machine->lock);
	return err;
}

int machine_rewind(struct machine *machine)
{
	struct machine_checkpoint *checkpoint = &machine->checkpoint;
	uint64_t pages = 0;
	int err;

	if (!checkpoint->memory)
		return -ENOENT;
	err = revive(machine);
	if (!err)
		err = devices_hold(machine->devices);
	if (err)
		return err;
	devices_reset(machine->devices);
	interrupts_reset(machine->interrupts);
	machine_awake(machine);
	err = baseline_restore(checkpoint->memory, &pages);
	if (!err)
		err = held_put_back(&machine->held, &checkpoint->state);
	if (err)
		return err;
	pthread_mutex_lock(&machine->lock);
	machine->asleep = machine->held.asleep;
	/* Zero is for no checkpoint, and one for a new one. */
	if (!++checkpoint->passes.pass)
		checkpoint->passes.pass = 2;
	checkpoint->passes.pages = pages;
	pthread_mutex_unlock(&machine->lock);
	return 0;
}

struct machine_passes machine_passes(struct machine *machine)
{
	struct machine_passes passes;

	pthread_mutex_lock(&machine->lock);
	passes = machine->checkpoint.passes;
	pthread_mutex_unlock(&machine->lock);
	return passes;
}

/* A guest whose checkpoint cannot be made sees that there is none. */
int machine_grant(struct machine *machine, enum machine_wish wish)
{
	struct device_error why;
	int err = 0;

	switch (wish) {
	case MACHINE_WISH_NONE:
		return 0;
	case MACHINE_WISH_CHECKPOINT:
		machine_checkpoint(machine, &why);
		break;
	case MACHINE_WISH_REWIND:
		err = machine_rewind(machine);
		break;
	}
	if (err && err != -ENOENT)
		return err;
	err = held_give(&machine->held);
	return err ? err : devices_release(machine->devices);
}

/*
 * The vCPU that asks, and all others, go on when the wish is granted.  One that has asked
 * to be put back must not go on from there.
 */
static void wish(struct machine *machine, enum machine_wish wish)
{
	if (machine->wish != MACHINE_WISH_REWIND)
		machine->wish = wish;
	loop_stop(machine->loop);
}

void machine_wish_checkpoint(void *opaque)
{
	struct machine *machine = opaque;

	pthread_mutex_lock(&machine->lock);
	wish(machine, MACHINE_WISH_CHECKPOINT);
	pthread_mutex_unlock(&machine->lock);
	machine_stop_vcpus(machine);
}

void machine_wish_rewind(void *opaque, uint32_t value)
{
	struct machine *machine = opaque;
	bool any;

	pthread_mutex_lock(&machine->lock);
	any = machine->checkpoint.passes.pass;
	if (any) {
		machine->checkpoint.passes.value = value;
		wish(machine, MACHINE_WISH_REWIND);
	}
	pthread_mutex_unlock(&machine->lock);
	if (any)
		machine_stop_vcpus(machine);
}

uint32_t machine_pass(void *opaque)
{
	return machine_passes(opaque).pass;
}
