// SPDX-License-Identifier: GPL-2.0
/*
 * A file system device.
 *
 * virtiofsd is a child that ends when its connection is closed, however this process ends.
 * It confines itself to the directory.
 *
 * What virtiofsd knows of the guest's files is not part of the device's state: a machine
 * whose guest uses them can be held and go on, but not be loaded from a record.
 */
#include "virtio/fs.h"

#include <errno.h>
#include <limits.h>
#include <linux/virtio_fs.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "virtio/helper.h"
#include "virtio/remote.h"
#include "virtio/share.h"
#include "virtio/vhost_user.h"

/* Mass storage, "other". */
#define PCI_CLASS_STORAGE 0x018000

/* One for requests that cannot wait, and one for all others. */
#define QUEUES 2
#define QUEUE_SIZE 128

#define MAX_WORDS 16

/* No user has this number. */
#define MAX_USER (UINT32_MAX - 1)

/**
 * struct fs - a device
 * @vhost: the device
 * @user: its back end
 * @config: what the driver reads; the tag is part of the state by the options
 * @daemon: virtiofsd, where there is one
 */
struct fs {
	struct vhost vhost;
	struct vhost_user *user;
	struct virtio_fs_config config;
	struct child daemon;
};

enum {
	OPTION_DIR,
	OPTION_TAG,
	OPTION_RO,
	OPTION_CACHE,
	OPTION_UID,
	OPTION_SUBMOUNTS,
};

/**
 * struct words - a command line
 * @words: its words, with NULL at the end
 * @count: entries of @words
 * @text: the words that are made up
 * @made: entries of @text
 */
struct words {
	const char *words[MAX_WORDS];
	size_t count;
	char text[4][PATH_MAX + 32];
	size_t made;
};

static void add(struct words *words, const char *word)
{
	words->words[words->count++] = word;
}

/* Adds a word that is made of two. */
static void add_pair(struct words *words, const char *name, const char *value)
{
	char *text = words->text[words->made++];

	snprintf(text, sizeof(words->text[0]), "%s%s", name, value);
	add(words, text);
}

static const char *const caches[] = { "auto", "always", "none", NULL };

/* QEMU's own, up to QEMU 7. */
static void add_qemu_words(struct words *words, const struct share *share,
			   const char *cache, bool submounts)
{
	(void)share;
	add(words, "-f");
	add(words, "--fd=" HELPER_FD_WORD);
	add(words, "-o");
	add(words, "source=" SHARE_PATH);
	add(words, "-o");
	add(words, "sandbox=namespace,log_level=err");
	if (submounts) {
		add(words, "-o");
		add(words, "announce_submounts");
	}
	add(words, "-o");
	add_pair(words, "cache=", cache);
}

/* The later one of its own project. */
static void add_later_words(struct words *words, const struct share *share,
			    const char *cache, bool submounts)
{
	add(words, "--fd=" HELPER_FD_WORD);
	add_pair(words, "--shared-dir=", share->path);
	add(words, "--sandbox=namespace");
	if (submounts)
		add(words, "--announce-submounts");
	add(words, "--log-level=error");
	add_pair(words, "--cache=", cache);
	if (share->read_only)
		add(words, "--readonly");
}

/**
 * struct program - a virtiofsd
 * @path: where it is
 * @add_words: append its arguments
 * @prepare: before it starts
 */
struct program {
	const char *path;
	void (*add_words)(struct words *words, const struct share *share,
			  const char *cache, bool submounts);
	int (*prepare)(void *opaque);
};

static const struct program programs[] = {
	{ .path = "/usr/lib/qemu/virtiofsd",
	  .add_words = add_qemu_words,
	  .prepare = share_enter },
	{ .path = "/usr/libexec/virtiofsd", .add_words = add_later_words },
};

static const struct program *find_program(void)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (!access(programs[i].path, X_OK))
			return &programs[i];
	return NULL;
}

static int say_why(struct device_error *error, int err, enum child_step step,
		   const char *path)
{
	if (step == CHILD_STEP_PREPARE)
		device_fail(
			error, err, path, NULL,
			err == -EPERM || err == -ENOSPC ?
				"run as root, or let users make namespaces "
				"(sysctl kernel.unprivileged_userns_clone=1)" :
				NULL);
	else
		device_fail(error, err, "virtiofsd", NULL, NULL);
	return err;
}

/* Return: a socket connected to virtiofsd; or -errno, with @error. */
static int start_program(struct fs *fs, const struct device_value *values,
			 struct device_error *error)
{
	const struct program *program = find_program();
	const char *path = values[OPTION_DIR].text;
	struct words words = { .count = 0 };
	struct child_config config = { .words = words.words };
	enum child_step step;
	struct share share;
	int socket;

	if (!program) {
		device_fail(error, -ENOENT, "virtiofsd", "is not installed",
			    "apt install qemu-system-common, or virtiofsd from "
			    "Debian 13 on");
		return -ENOENT;
	}
	share_init(&share, path, values[OPTION_RO].number,
		   values[OPTION_UID].number);
	add(&words, program->path);
	program->add_words(&words, &share, caches[values[OPTION_CACHE].number],
			   values[OPTION_SUBMOUNTS].number);
	config.prepare = program->prepare;
	config.opaque = &share;
	socket = helper_start(&fs->daemon, &config, &step);
	if (socket >= 0)
		return socket;
	fs->daemon.pid = 0;
	return say_why(error, socket, step, path);
}

static int check_directory(const char *path, struct device_error *error)
{
	struct stat status;
	int err = stat(path, &status) ? -errno : 0;

	if (!err && !S_ISDIR(status.st_mode))
		err = -ENOTDIR;
	if (err)
		device_fail(error, err, path, NULL, NULL);
	return err;
}

static int set_tag(struct fs *fs, const char *tag, struct device_error *error)
{
	const size_t length = strlen(tag);

	if (length > sizeof(fs->config.tag)) {
		device_fail(error, -EINVAL, tag, "is too long for a tag",
			    "it can have 36 bytes");
		return -EINVAL;
	}
	memcpy(fs->config.tag, tag, length);
	fs->config.num_request_queues = QUEUES - 1;
	return 0;
}

static int open_back(struct fs *fs, const struct board *board,
		     const struct device_value *values,
		     struct device_error *error)
{
	int socket, err;

	if (!remote_check_memory(board->ram, error))
		return -errno;
	socket = start_program(fs, values, error);
	if (socket < 0)
		return socket;
	err = vhost_user_open(&fs->user, board->loop, socket);
	if (err)
		device_fail(error, err, "virtiofsd",
			    err == -ECONNRESET ? "has ended" :
						 "does not answer",
			    "it may have said why above");
	return err;
}

static const struct virtio_kind kind = {
	.name = "virtio-fs",
	.id = VIRTIO_ID_FS,
	.class = PCI_CLASS_STORAGE,
	.start = vhost_start,
	.stop = vhost_stop,
	.kick = vhost_kick,
};

static int plug(struct fs *fs, const struct board *board)
{
	struct virtio_device *device = &fs->vhost.pci.device;
	int err = vhost_user_attach(fs->user, &fs->vhost);

	if (err)
		return err;
	device->kind = &kind;
	device->opaque = &fs->vhost;
	device->nr_queues = QUEUES;
	device->queue_size = QUEUE_SIZE;
	device->config = &fs->config;
	device->config_size =
		offsetof(struct virtio_fs_config, num_request_queues) +
		sizeof(fs->config.num_request_queues);
	return vhost_init(&fs->vhost, board,
			  vhost_user_features(fs->user) & VHOST_QUEUE_FEATURES);
}

static void fs_free(void *opaque)
{
	struct fs *fs = opaque;

	/* Without a back end it was not made. */
	if (fs->vhost.pci.device.kind)
		vhost_fini(&fs->vhost);
	helper_end(&fs->daemon, true);
	vhost_user_close(fs->user);
	free(fs);
}

static void *fs_make(const struct board *board,
		     const struct device_value *values,
		     struct device_error *error)
{
	struct fs *fs = calloc(1, sizeof(*fs));
	int err;

	if (!fs)
		return NULL;
	err = check_directory(values[OPTION_DIR].text, error);
	if (!err)
		err = set_tag(fs, values[OPTION_TAG].text, error);
	if (!err)
		err = open_back(fs, board, values, error);
	if (!err)
		err = plug(fs, board);
	if (err) {
		fs_free(fs);
		errno = -err;
		return NULL;
	}
	return fs;
}

/* The session with virtiofsd is not in the record. */
static bool fs_is_sound(const void *opaque)
{
	const struct fs *fs = opaque;

	return !(fs->vhost.pci.device.state.status &
		 VIRTIO_CONFIG_S_DRIVER_OK) &&
	       virtio_pci_is_sound(fs);
}

static const char *fs_unsaved(const void *opaque)
{
	const struct fs *fs = opaque;

	return fs->vhost.pci.device.state.status & VIRTIO_CONFIG_S_DRIVER_OK ?
		       "virtiofsd knows the files that the guest uses, and "
		       "nobody else; unmount them in the guest, and unload "
		       "virtiofs" :
		       NULL;
}

static const struct device_option options[] = {
	[OPTION_DIR] = { .name = "dir",
			 .about = "the host's directory",
			 .type = DEVICE_TEXT,
			 .required = true,
			 .host = true,
			 .is_path = true,
			 .word = "DIRECTORY" },
	[OPTION_TAG] = { .name = "tag",
			 .about = "its name for the guest: mount -t virtiofs "
				  "TAG /mnt",
			 .type = DEVICE_TEXT,
			 .text = "share0",
			 .word = "TAG" },
	[OPTION_RO] = { .name = "ro",
			.about = "nothing below it can be changed",
			.type = DEVICE_BOOL,
			.host = true },
	[OPTION_CACHE] = { .name = "cache",
			   .about =
				   "how long the guest may believe what it has "
				   "seen: about a second, always, or not at "
				   "all",
			   .type = DEVICE_CHOICE,
			   .host = true,
			   .choices = caches },
	[OPTION_UID] = { .name = "uid",
			 .about = "of a user other than root: the guest's user "
				  "that stands for him",
			 .type = DEVICE_NUMBER,
			 .host = true,
			 .max = MAX_USER },
	[OPTION_SUBMOUNTS] = { .name = "submounts",
			       .about = "the guest sees where other file "
					"systems of the host begin below it; "
					"overlayfs takes no such directory",
			       .type = DEVICE_BOOL,
			       .host = true,
			       .value = 1 },
	{},
};

static const struct record_field fs_fields[] = { VIRTIO_PCI_FIELDS(
	struct vhost) };

const struct device_kind virtio_fs_device = {
	.name = "virtio-fs",
	.about = "a directory of the host's, by virtiofsd; --share adds it",
	.many = true,
	.shares_ram = true,
	.options = options,
	.make = fs_make,
	.free = fs_free,
	.reset = vhost_reset,
	.hold = vhost_hold,
	.release = vhost_release,
	DEVICE_STATE(struct fs, fs_fields),
	.is_sound = fs_is_sound,
	.unsaved = fs_unsaved,
	.loaded = virtio_pci_loaded,
};
