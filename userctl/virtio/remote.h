/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices of any type whose back end has all of them, the configuration of some, too, and
 * speaks the vhost-user protocol.
 */
#ifndef LODGE_VIRTIO_REMOTE_H
#define LODGE_VIRTIO_REMOTE_H

#include "sandbox/child.h"
#include "virtio/vhost_user.h"

/**
 * struct remote_type - a type of device
 * @name: for the command line
 * @kind: of the device; its calls are those of remote.c
 * @features: what the back end may offer beside VHOST_QUEUE_FEATURES
 * @config_size: bytes of the configuration
 * @queues_at: where in it the number of queues is, of 16 bits; 0: nowhere
 * @extra_queues: queues beside those that the user can ask for more of
 * @fill_config: say what the configuration is; NULL: the back end is asked
 */
struct remote_type {
	const char *name;
	struct virtio_kind kind;
	uint64_t features;
	size_t config_size;
	size_t queues_at;
	unsigned int extra_queues;
	void (*fill_config)(void *config, unsigned int queues);
};

/* A disk (virtio 1.2, section 5.2), and all types by their places, with NULL at the end. */
extern const struct remote_type remote_disk;
extern const struct remote_type *const remote_types[];

/**
 * struct remote - a device
 * @vhost: the device
 * @type: of it
 * @user: its back end
 * @daemon: the back end, if it is ours
 * @config: what the driver reads
 */
struct remote {
	struct vhost vhost;
	const struct remote_type *type;
	struct vhost_user *user;
	struct child daemon;
	uint8_t config[VHOST_USER_MAX_CONFIG];
};

/**
 * remote_new() - make a device and plug it in, held
 * @socket: connected to the back end; taken over in any case
 * @daemon: the back end, which ends with the device; NULL: it is not ours
 * @queues: number of queues, beside remote_type.extra_queues
 * @what: the back end, for messages
 * @error: out: on failure, the reason
 *
 * Return: the device, or NULL with errno set.
 */
struct remote *remote_new(const struct board *board,
			  const struct remote_type *type, int socket,
			  const struct child *daemon, unsigned int queues,
			  const char *what, struct device_error *error);

/**
 * remote_free() - for a struct device_kind
 */
void remote_free(void *opaque);

/**
 * remote_is_sound() - for a struct device_kind
 */
bool remote_is_sound(const void *opaque);

/* The state in the device's table of fields. */
#define REMOTE_FIELDS                    \
	VIRTIO_PCI_FIELDS(struct vhost), \
		RECORD_ANY(VIRTIO_OWN_TAG, struct remote, config)

/**
 * remote_check_memory() - look whether another process can map guest memory
 *
 * Return: true; false, with @error and errno set.
 */
bool remote_check_memory(const struct ram *ram, struct device_error *error);

#endif
