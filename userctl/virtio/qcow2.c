// SPDX-License-Identifier: GPL-2.0
/*
 * A disk whose file is a qcow2 image.
 *
 * qemu-storage-daemon is a child that is ended with the device, and by the kernel if this
 * process dies.  It locks the image as QEMU does.
 *
 * It confines itself by nothing, but reads what a guest and who has made the image have
 * written.  So it gets no network, unless the image may name files that are there, and no
 * means to gain privileges.
 */
#include "virtio/qcow2.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sandbox/namespaces.h"
#include "virtio/helper.h"
#include "virtio/remote.h"

#define PROGRAM "/usr/bin/qemu-storage-daemon"

enum {
	OPTION_FILE,
	OPTION_RO,
	OPTION_QUEUES,
	OPTION_BOOTINDEX,
	OPTION_BACKING,
};

#define MAGIC 0x514649fbU
/* Among the features without which an image cannot be read. */
#define EXTERNAL_DATA (1ULL << 2)

/*
 * How an image begins: docs/interop/qcow2.txt of QEMU.  All is big endian, and a header of
 * version 2 ends before @features.
 */
struct header {
	uint32_t magic;
	uint32_t version;
	uint64_t backing_offset;
	uint32_t backing_size;
	uint8_t other[52];
	uint64_t features;
} __attribute__((packed));

_Static_assert(offsetof(struct header, features) == 72, "the format's");

/* Return: true if some of the image's content is that of a file which it names. */
static bool refers(const struct header *header)
{
	return header->backing_offset ||
	       (be32toh(header->version) >= 3 &&
		be64toh(header->features) & EXTERNAL_DATA);
}

/*
 * Who has made the image may be another one than who runs it, and may have written the
 * name of any file there: that is then the guest's to read.
 *
 * Return: 0; -ENOEXEC: no such image; -EXDEV: it names a file; or -errno.
 */
static int look(const char *path)
{
	struct header header;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t size;
	int err;

	if (fd < 0)
		return -errno;
	size = read(fd, &header, sizeof(header));
	err = size < 0 ? -errno : 0;
	close(fd);
	if (err)
		return err;
	if (size != sizeof(header) || be32toh(header.magic) != MAGIC)
		return -ENOEXEC;
	return refers(&header) ? -EXDEV : 0;
}

static int confine(void *opaque)
{
	const bool *has_network = opaque;

	if (!*has_network)
		namespaces_leave_network();
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

/* Return: a connected socket or -errno. */
static int start_with(const char *file, const char *image, const char *export,
		      bool has_network, struct child *daemon,
		      enum child_step *step)
{
	const char *const words[] = { PROGRAM,	    "--blockdev", file,
				      "--blockdev", image,	  "--export",
				      export,	    NULL };
	const struct child_config config = { .words = words,
					     .prepare = confine,
					     .opaque = &has_network };

	return helper_start(daemon, &config, step);
}

static int start(const struct device_value *values, struct child *daemon,
		 enum child_step *step)
{
	const bool ro = values[OPTION_RO].number;
	const char *mode = ro ? "on" : "off";
	char *path = device_quote(values[OPTION_FILE].text);
	char *file = NULL, image[64], export[128];
	int err = -ENOMEM;

	snprintf(image, sizeof(image),
		 "driver=qcow2,node-name=disk,file=file,read-only=%s", mode);
	snprintf(export, sizeof(export),
		 "type=vhost-user-blk,id=disk,node-name=disk,addr.type=fd,"
		 "addr.str=" HELPER_FD_WORD ",writable=%s,num-queues=%u",
		 ro ? "off" : "on", (unsigned int)values[OPTION_QUEUES].number);
	if (path && asprintf(&file,
			     "driver=file,node-name=file,filename=%s,"
			     "read-only=%s",
			     path, mode) >= 0) {
		err = start_with(file, image, export,
				 values[OPTION_BACKING].number, daemon, step);
		free(file);
	}
	free(path);
	return err;
}

static void *make(const struct board *board, const struct device_value *values,
		  struct device_error *error)
{
	const char *path = values[OPTION_FILE].text;
	enum child_step step = CHILD_STEP_START;
	struct child daemon = {};
	int socket, err;

	if (!remote_check_memory(board->ram, error))
		return NULL;
	err = look(path);
	if (err == -ENOEXEC)
		return device_fail(error, err, path, "is no qcow2 image", NULL);
	if (err == -EXDEV && values[OPTION_BACKING].number)
		err = 0;
	if (err == -EXDEV)
		return device_fail(error, err, path,
				   "names another file for a part of its "
				   "content",
				   "qemu-img info tells which one; backing=on "
				   "lets the guest have that, too");
	if (err)
		return device_fail(error, err, path, NULL, NULL);
	socket = start(values, &daemon, &step);
	if (socket == -ENOENT && step == CHILD_STEP_EXEC)
		return device_fail(error, -ENOENT, PROGRAM, "is not installed",
				   "apt install qemu-system-common, or make a "
				   "raw image: qemu-img convert -O raw");
	if (socket < 0)
		return device_fail(error, socket, PROGRAM, NULL, NULL);
	return remote_new(board, &remote_disk, socket, &daemon,
			  (unsigned int)values[OPTION_QUEUES].number,
			  "qemu-storage-daemon", error);
}

static void qcow2_boot(const void *opaque, const struct device_value *values,
		       struct device_boot *boot)
{
	const struct remote *remote = opaque;

	virtio_pci_boot(&remote->vhost.pci, BOOT_DISK,
			&values[OPTION_BOOTINDEX], "scsi", "/disk@0,0", boot);
}

static const struct device_option options[] = {
	[OPTION_FILE] = { .name = "file",
			  .about = "an image in the format qcow2",
			  .type = DEVICE_TEXT,
			  .required = true,
			  .host = true,
			  .is_path = true,
			  .word = "FILE" },
	[OPTION_RO] = { .name = "ro",
			.about = "the guest cannot write it",
			.type = DEVICE_BOOL },
	[OPTION_QUEUES] = { .name = "queues",
			    .about = "number of queues",
			    .type = DEVICE_NUMBER,
			    .value = 1,
			    .min = 1,
			    .max = VIRTIO_MAX_QUEUES },
	[OPTION_BOOTINDEX] = DEVICE_BOOTINDEX,
	[OPTION_BACKING] = { .name = "backing",
			     .about = "the guest may have what is in the files "
				      "that the image names",
			     .type = DEVICE_BOOL,
			     .host = true },
	{},
};

static const struct record_field fields[] = { REMOTE_FIELDS };

const struct device_kind virtio_qcow2_device = {
	.name = "virtio-qcow2",
	.about = "a disk by qemu-storage-daemon; --disk FILE,format=qcow2 adds "
		 "it",
	.many = true,
	.shares_ram = true,
	.options = options,
	.make = make,
	.free = remote_free,
	.reset = vhost_reset,
	.hold = vhost_hold,
	.release = vhost_release,
	.boot = qcow2_boot,
	DEVICE_STATE(struct remote, fields),
	.is_sound = remote_is_sound,
	.loaded = virtio_pci_loaded,
};
