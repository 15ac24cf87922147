// SPDX-License-Identifier: GPL-2.0
/*
 * The other end of a network card, as its options name it.
 */
#include "virtio/net_link.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "net/passt.h"
#include "net/stream.h"
#include "net/tap.h"

/* Reads the list of forwarded ports. */
static int set_forwards(struct passt_config *config, const char *text,
			struct device_error *error)
{
	while (text && *text) {
		const size_t size = strcspn(text, "+");

		if (config->nr_forwards == PASST_MAX_FORWARDS ||
		    forward_parse(text, size,
				  &config->forwards[config->nr_forwards++])) {
			device_fail(error, -EINVAL, text,
				    "are not forwarded ports",
				    "write tcp:2222-:22, several with + "
				    "between them");
			return -EINVAL;
		}
		text += size;
		text += *text == '+';
	}
	return 0;
}

static struct link *open_user(struct loop *loop, const struct link_card *card,
			      const struct device_value *values,
			      struct device_error *error)
{
	struct passt_config config = {};
	struct link *link;

	if (set_forwards(&config, values[NET_HOSTFWD].text, error))
		return NULL;
	link = passt_new(loop, &config, card);
	if (!link && errno == ENOENT)
		device_fail(error, -ENOENT, "passt", "is not installed",
			    "install it (apt install passt), or use type=tap");
	return link;
}

/* Return: what the user can do about it, or NULL. */
static const char *remedy_of_tap(int err, bool several)
{
	if (err == EPERM)
		return "make it yours: ip tuntap add NAME mode tap user $USER";
	if (err == EINVAL && several)
		return "make it for several queues: ip tuntap add NAME mode "
		       "tap multi_queue user $USER";
	if (err == EBUSY)
		return "end the machine that has it, or use another one";
	return NULL;
}

static struct link *open_tap(struct loop *loop, const struct link_card *card,
			     const struct device_value *values,
			     struct device_error *error)
{
	const char *name = values[NET_IFNAME].text;
	const bool several = values[NET_QUEUES].number > 1;
	struct link *link;

	if (!name || !tap_is_name(name))
		return device_fail(error, -EINVAL, "ifname",
				   "must name the interface",
				   "as in type=tap,ifname=tap0");
	link = tap_new(loop, name, several, card);
	if (!link)
		device_fail(error, -errno, name,
			    errno == EINVAL && several ?
				    "is no interface for several queues" :
				    NULL,
			    remedy_of_tap(errno, several));
	return link;
}

static struct link *open_fd(struct loop *loop, const struct link_card *card,
			    int fd, struct device_error *error)
{
	socklen_t size = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) ||
	    type != SOCK_STREAM)
		return device_fail(error, -EBADF, "fd", "is no stream socket",
				   "as in type=fd,fd=3, of one that is "
				   "connected");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return stream_new(loop, fd, card, NULL, NULL);
}

int net_link_check(const struct device_value *values,
		   struct device_error *error)
{
	const struct device_value *vhost = &values[NET_VHOST];

	if (values[NET_TYPE].number == NET_TYPE_TAP)
		return 0;
	if (values[NET_QUEUES].number > 1) {
		device_fail(error, -EINVAL, "queues",
			    "go with type=tap alone: the others have one "
			    "stream of frames",
			    "leave it out, or use type=tap,queues=N");
		return -EINVAL;
	}
	if (vhost->given && vhost->number) {
		device_fail(error, -EINVAL, "vhost",
			    "goes with type=tap alone: the kernel knows no "
			    "other link",
			    "leave it out, or use type=tap,vhost=on");
		return -EINVAL;
	}
	return 0;
}

struct link *net_link_open(struct loop *loop, const struct link_card *card,
			   const struct device_value *values,
			   struct device_error *error)
{
	switch (values[NET_TYPE].number) {
	case NET_TYPE_TAP:
		return open_tap(loop, card, values, error);
	case NET_TYPE_FD:
		return open_fd(loop, card, values[NET_FD].number, error);
	default:
		return open_user(loop, card, values, error);
	}
}
