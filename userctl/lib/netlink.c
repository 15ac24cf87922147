// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family of <lodge_netlink.h> as functions that return -errno.
 */
#include "lib/netlink.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/netlink_format.h"

/* Attempts to read a list that does not change meanwhile. */
#define MAX_ATTEMPTS 8
/* The kernel has no error with a higher number. */
#define MAX_ERRNO 4095

/**
 * struct netlink - a connection to the family
 * @requests: socket of requests and their answers
 * @events: socket that has joined the group of events, or NULL
 * @family: number of the family
 * @message: what the module said of the last call
 */
struct netlink {
	struct nl_sock *requests;
	struct nl_sock *events;
	int family;
	char message[256];
};

/**
 * struct answer - what comes back for one request
 * @netlink: the connection
 * @format: form of the entries, or NULL if none is expected
 * @entries: array that grows
 * @count: entries that there are
 * @room: entries for which there is memory
 * @error: 0 or -errno, of the module or of this process
 * @changed: the list has changed while it was read
 * @done: nothing more comes
 */
struct answer {
	struct netlink *netlink;
	const struct netlink_format *format;
	void *entries;
	size_t count;
	size_t room;
	int error;
	bool changed;
	bool done;
};

/* Errors of libnl itself; those of the module are errno. */
static int errno_of(int error)
{
	switch (-error) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
		return -EPERM;
	case NLE_NOACCESS:
		return -EACCES;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	}
	return -EIO;
}

/* Return: the next entry, zeroed, or NULL. */
static void *add_entry(struct answer *answer)
{
	size_t size = answer->format->size;
	size_t room = answer->room ? answer->room * 2 : 16;
	void *entries;

	if (answer->count == answer->room) {
		entries = reallocarray(answer->entries, room, size);
		if (!entries)
			return NULL;
		answer->entries = entries;
		answer->room = room;
	}
	return memset((char *)answer->entries + answer->count++ * size, 0,
		      size);
}

static int on_entry(struct nl_msg *message, void *argument)
{
	struct nlattr *attributes[NETLINK_ATTRIBUTES];
	struct answer *answer = argument;
	void *entry;

	if (nlmsg_hdr(message)->nlmsg_flags & NLM_F_DUMP_INTR)
		answer->changed = true;
	/* The rest is read even after an error: the next answer must come first then. */
	if (answer->error || !answer->format)
		return NL_OK;
	entry = add_entry(answer);
	if (!entry) {
		answer->error = -ENOMEM;
		return NL_OK;
	}
	if (genlmsg_parse(nlmsg_hdr(message), 0, attributes,
			  NETLINK_ATTRIBUTES - 1, NULL)) {
		answer->error = -EPROTO;
		return NL_OK;
	}
	netlink_format_read(answer->format, attributes, entry);
	return NL_OK;
}

/* Keeps the explanation among the attributes behind an error. */
static void keep_message(struct netlink *netlink, struct nlmsghdr *header,
			 size_t offset)
{
	struct nlattr *attribute;

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	attribute = nlmsg_find_attr(header, offset, NLMSGERR_ATTR_MSG);
	if (attribute)
		nla_strlcpy(netlink->message, attribute,
			    sizeof(netlink->message));
}

/* Return: what the module has answered, or -EPROTO for what it cannot mean. */
static int answered_error(int error)
{
	return error <= 0 && error >= -MAX_ERRNO ? error : -EPROTO;
}

/* The end of a list: what follows the header is 0 or -errno. */
static int on_end(struct nl_msg *message, void *argument)
{
	struct nlmsghdr *header = nlmsg_hdr(message);
	struct answer *answer = argument;
	int error;

	if (header->nlmsg_flags & NLM_F_DUMP_INTR)
		answer->changed = true;
	if (nlmsg_datalen(header) >= (int)sizeof(int) && !answer->error) {
		memcpy(&error, nlmsg_data(header), sizeof(error));
		answer->error = answered_error(error);
		keep_message(answer->netlink, header, sizeof(int));
	}
	answer->done = true;
	return NL_STOP;
}

static int on_acknowledgement(struct nl_msg *message, void *argument)
{
	struct answer *answer = argument;

	answer->done = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *address, struct nlmsgerr *error,
		    void *argument)
{
	struct nlmsghdr *header =
		(struct nlmsghdr *)((char *)error - NLMSG_HDRLEN);
	struct answer *answer = argument;

	answer->error = answered_error(error->error);
	/* Otherwise the request stands before the attributes. */
	if (header->nlmsg_flags & NLM_F_CAPPED)
		keep_message(answer->netlink, header, sizeof(*error));
	answer->done = true;
	return NL_STOP;
}

/* Sends a request and reads all that comes back.  Return: 0 or -errno. */
static int call(struct netlink *netlink, struct nl_msg *message,
		struct answer *answer)
{
	struct nl_cb *callbacks = nl_cb_alloc(NL_CB_CUSTOM);
	int err;

	*netlink->message = '\0';
	answer->netlink = netlink;
	if (!callbacks)
		return -ENOMEM;
	nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, on_entry, answer);
	nl_cb_set(callbacks, NL_CB_FINISH, NL_CB_CUSTOM, on_end, answer);
	nl_cb_set(callbacks, NL_CB_ACK, NL_CB_CUSTOM, on_acknowledgement,
		  answer);
	nl_cb_err(callbacks, NL_CB_CUSTOM, on_error, answer);
	err = nl_send_auto(netlink->requests, message);
	while (err >= 0 && !answer->done)
		err = nl_recvmsgs(netlink->requests, callbacks);
	nl_cb_put(callbacks);
	if (answer->done)
		return answer->error;
	return errno_of(err);
}

/* Return: a request, or NULL. */
static struct nl_msg *new_request(struct netlink *netlink, uint8_t command,
				  int flags)
{
	struct nl_msg *message = nlmsg_alloc();

	if (message &&
	    genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, netlink->family, 0,
			flags, command, LODGE_GENL_VERSION))
		return message;
	nlmsg_free(message);
	return NULL;
}

/**
 * struct filter - the attribute by which a list is asked for
 * @attribute: its number, or 0 for the whole list
 * @size: size of its value
 * @value: its value
 */
struct filter {
	int attribute;
	size_t size;
	const void *value;
};

static const struct filter whole = { 0 };

/* Reads a list once.  Return: 0 or -errno, and then @answer has no entries. */
static int read_list(struct netlink *netlink, const struct filter *filter,
		     struct answer *answer)
{
	struct nl_msg *message =
		new_request(netlink, answer->format->command, NLM_F_DUMP);
	int err = -ENOMEM;

	if (message &&
	    (!filter->attribute ||
	     !nla_put(message, filter->attribute, filter->size, filter->value)))
		err = call(netlink, message, answer);
	nlmsg_free(message);
	if (!err)
		return 0;
	free(answer->entries);
	answer->entries = NULL;
	answer->count = 0;
	return err;
}

/* Return: 0 or -errno.  @entries is an array or NULL. */
static int list(struct netlink *netlink, const struct netlink_format *format,
		const struct filter *filter, void **entries, size_t *count)
{
	struct answer answer = { .format = format };
	int err = read_list(netlink, filter, &answer);

	for (int i = 1; i < MAX_ATTEMPTS && answer.changed && !err; i++) {
		free(answer.entries);
		answer = (struct answer){ .format = format };
		err = read_list(netlink, filter, &answer);
	}
	*entries = answer.entries;
	*count = answer.count;
	return err;
}

int netlink_vm_list(struct netlink *netlink, struct netlink_vm **vms,
		    size_t *count)
{
	void *entries;
	int err = list(netlink, &netlink_vm_format, &whole, &entries, count);

	*vms = entries;
	return err;
}

int netlink_vcpu_list(struct netlink *netlink, uint32_t vm,
		      struct netlink_vcpu **vcpus, size_t *count)
{
	const struct filter of_vm = { LODGE_VCPU_VM, sizeof(vm), &vm };
	void *entries;
	int err = list(netlink, &netlink_vcpu_format, vm ? &of_vm : &whole,
		       &entries, count);

	*vcpus = entries;
	return err;
}

int netlink_stats_list(struct netlink *netlink, uint32_t vm,
		       struct netlink_stats **stats, size_t *count)
{
	const struct filter of_vm = { LODGE_STATS_VM, sizeof(vm), &vm };
	void *entries;
	int err = list(netlink, &netlink_stats_format, vm ? &of_vm : &whole,
		       &entries, count);

	*stats = entries;
	return err;
}

int netlink_limit_list(struct netlink *netlink, struct netlink_limit **limits,
		       size_t *count)
{
	void *entries;
	int err = list(netlink, &netlink_limit_format, &whole, &entries, count);

	*limits = entries;
	return err;
}

int netlink_news_list(struct netlink *netlink, uint64_t from,
		      struct netlink_news **news, size_t *count)
{
	const struct filter since = { LODGE_NEWS_SEQ, sizeof(from), &from };
	void *entries;
	int err = list(netlink, &netlink_news_format, from ? &since : &whole,
		       &entries, count);

	*news = entries;
	return err;
}

/* Frees a request that lacks an attribute.  Return: @message, or NULL. */
static struct nl_msg *keep_complete(struct nl_msg *message, bool complete)
{
	if (complete)
		return message;
	nlmsg_free(message);
	return NULL;
}

/*
 * Sends @message, which it frees, and copies the one answer to @entry, unless @format
 * is NULL.  @message is NULL if there was no memory for it.
 */
static int get(struct netlink *netlink, struct nl_msg *message,
	       const struct netlink_format *format, void *entry)
{
	struct answer answer = { .format = format };
	int err = -ENOMEM;

	if (message)
		err = call(netlink, message, &answer);
	if (!err && format && !answer.count)
		err = -EPROTO;
	if (!err && format)
		memcpy(entry, answer.entries, format->size);
	free(answer.entries);
	nlmsg_free(message);
	return err;
}

/* Return: false if there is no memory for it. */
static bool put_which(struct nl_msg *message, const struct netlink_which *which)
{
	if (!which->name)
		return !nla_put_u32(message, LODGE_VM_ID, which->id);
	return !nla_put_string(message, LODGE_VM_NAME, which->name) &&
	       (!which->has_uid ||
		!nla_put_u32(message, LODGE_VM_UID, which->uid));
}

int netlink_vm_get(struct netlink *netlink, const struct netlink_which *which,
		   struct netlink_vm *vm)
{
	struct nl_msg *message = new_request(netlink, LODGE_CMD_VM_GET, 0);
	bool complete = message && put_which(message, which);

	message = keep_complete(message, complete);
	return get(netlink, message, &netlink_vm_format, vm);
}

int netlink_vm_kill(struct netlink *netlink, const struct netlink_which *which)
{
	struct nl_msg *message = new_request(netlink, LODGE_CMD_VM_KILL, 0);
	bool complete = message && put_which(message, which);

	message = keep_complete(message, complete);
	return get(netlink, message, NULL, NULL);
}

/* Return: false if there is no memory for it. */
static bool put_scope(struct nl_msg *message, uint32_t scope, uint32_t uid)
{
	return !nla_put_u32(message, LODGE_LIMIT_SCOPE, scope) &&
	       (scope != LODGE_SCOPE_USER ||
		!nla_put_u32(message, LODGE_LIMIT_UID, uid));
}

int netlink_limit_get(struct netlink *netlink, enum lodge_limit_scope scope,
		      uint32_t uid, struct netlink_limit *limit)
{
	struct nl_msg *message = new_request(netlink, LODGE_CMD_LIMIT_GET, 0);
	bool complete = message && put_scope(message, scope, uid);

	message = keep_complete(message, complete);
	return get(netlink, message, &netlink_limit_format, limit);
}

static bool put_change(struct nl_msg *message,
		       const struct netlink_limit_change *change)
{
	if (!put_scope(message, change->scope, change->uid))
		return false;
	if (change->inherit && nla_put_flag(message, LODGE_LIMIT_INHERIT))
		return false;
	for (int i = 0; i < NETLINK_LIMITS; i++)
		if (change->changed & 1U << i &&
		    nla_put_u64(message, LODGE_LIMIT_VMS + i,
				change->limits[i]))
			return false;
	return true;
}

int netlink_limit_set(struct netlink *netlink,
		      const struct netlink_limit_change *change)
{
	struct nl_msg *message = new_request(netlink, LODGE_CMD_LIMIT_SET, 0);
	bool complete = message && put_change(message, change);

	message = keep_complete(message, complete);
	return get(netlink, message, NULL, NULL);
}

/* Return: 0 or -errno. */
static int connect_requests(struct netlink *netlink)
{
	int on = 1;
	int fd, err;

	netlink->requests = nl_socket_alloc();
	if (!netlink->requests)
		return -ENOMEM;
	err = genl_connect(netlink->requests);
	if (err)
		return errno_of(err);
	fd = nl_socket_get_fd(netlink->requests);
	/* Without these, errors come without their explanation. */
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)))
		return -errno;
	netlink->family = genl_ctrl_resolve(netlink->requests, LODGE_GENL_NAME);
	return netlink->family < 0 ? errno_of(netlink->family) : 0;
}

int netlink_open(struct netlink **netlink)
{
	struct netlink *new = calloc(1, sizeof(*new));
	int err;

	*netlink = NULL;
	if (!new)
		return -ENOMEM;
	err = connect_requests(new);
	if (err) {
		netlink_close(new);
		return err;
	}
	*netlink = new;
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	if (!netlink)
		return;
	nl_socket_free(netlink->events);
	nl_socket_free(netlink->requests);
	free(netlink);
}

const char *netlink_message(const struct netlink *netlink)
{
	return netlink->message;
}

/* Joins a group of a family.  Return: 0 or an error of libnl. */
static int join(struct netlink *netlink, const char *family, const char *group)
{
	int number = genl_ctrl_resolve_grp(netlink->requests, family, group);

	return number < 0 ? number :
			    nl_socket_add_membership(netlink->events, number);
}

int netlink_listen(struct netlink *netlink)
{
	int err;

	netlink->events = nl_socket_alloc();
	if (!netlink->events)
		return -ENOMEM;
	err = genl_connect(netlink->events);
	if (!err)
		err = join(netlink, LODGE_GENL_NAME, LODGE_GENL_EVENTS);
	/* Tells of families that come and go; without it, no end would be seen. */
	if (!err)
		err = join(netlink, "nlctrl", "notify");
	if (!err)
		return nl_socket_get_fd(netlink->events);
	nl_socket_free(netlink->events);
	netlink->events = NULL;
	return errno_of(err);
}

void netlink_drain(struct netlink *netlink)
{
	int fd = nl_socket_get_fd(netlink->events);
	char byte;

	/* ENOBUFS, which is told once, stands for messages that were lost. */
	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0 ||
	       errno == ENOBUFS || errno == EINTR)
		;
}
