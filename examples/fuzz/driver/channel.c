// SPDX-License-Identifier: GPL-2.0
/*
 * A driver with a fault, which `lodge fuzz` finds: what is written to /dev/lodge-channel are
 * commands of a letter, and one sequence of them has it use memory that it has given back.
 *
 *	o	open the channel
 *	k	keep it: data is taken also while it is closed
 *	d	put a letter into it
 *	c	close it
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "coverage.h"

#define ROOM 64
#define MOST 4096

/**
 * struct channel - what the commands act on
 * @data: ROOM bytes while it is open, or NULL
 * @used: bytes of @data that were written
 * @is_kept: by the command
 */
struct channel {
	u8 *data;
	unsigned int used;
	bool is_kept;
};

/* Functions of their own, so that each is an edge that the fuzzer is told of. */
static noinline int channel_open(struct channel *channel)
{
	if (channel->data)
		return -EBUSY;
	channel->data = kzalloc(ROOM, GFP_KERNEL);
	channel->used = 0;
	return channel->data ? 0 : -ENOMEM;
}

static noinline int channel_keep(struct channel *channel)
{
	if (!channel->data)
		return -ENOTCONN;
	channel->is_kept = true;
	return 0;
}

/* The fault: a channel that is kept has no data when it is closed. */
static noinline int channel_put(struct channel *channel)
{
	if (!channel->data && !channel->is_kept)
		return -ENOTCONN;
	if (channel->used == ROOM)
		return -ENOSPC;
	channel->data[channel->used++] = 'd';
	return 0;
}

static noinline int channel_close(struct channel *channel)
{
	if (!channel->data)
		return -ENOTCONN;
	kfree(channel->data);
	channel->data = NULL;
	return 0;
}

/* What is no command, or is refused, changes nothing. */
static void carry_out(struct channel *channel, u8 command)
{
	switch (command) {
	case 'o':
		channel_open(channel);
		break;
	case 'k':
		channel_keep(channel);
		break;
	case 'd':
		channel_put(channel);
		break;
	case 'c':
		channel_close(channel);
		break;
	}
}

static ssize_t channel_write(struct file *file, const char __user *from,
			     size_t size, loff_t *offset)
{
	struct channel channel = {};
	u8 *commands;

	if (size > MOST)
		return -E2BIG;
	commands = memdup_user(from, size);
	if (IS_ERR(commands))
		return PTR_ERR(commands);
	for (size_t i = 0; i < size; i++)
		carry_out(&channel, commands[i]);
	kfree(channel.data);
	kfree(commands);
	return size;
}

static const struct file_operations channel_operations = {
	.owner = THIS_MODULE,
	.write = channel_write,
};

static struct miscdevice channel_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lodge-channel",
	.fops = &channel_operations,
};

static int __init channel_init(void)
{
	int err = coverage_start();

	if (err)
		return err;
	err = misc_register(&channel_device);
	if (err)
		coverage_stop();
	return err;
}

static void __exit channel_exit(void)
{
	misc_deregister(&channel_device);
	coverage_stop();
}

module_init(channel_init);
module_exit(channel_exit);
MODULE_DESCRIPTION("A driver with a fault, for lodge fuzz");
MODULE_LICENSE("GPL");
