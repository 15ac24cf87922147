// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes what the controller makes of the answers of the netlink family: those of a
 * module of another version, and those that no kernel sends.  libnl is the real one; the
 * input is what it receives.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fuzz_check.h"
#include "lib/netlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FAMILY 33
#define MAX_DATAGRAM 4096
#define MAX_MESSAGES 8
#define MAX_ATTRIBUTES 8

static struct {
	const uint8_t *data;
	size_t left;
} input;

/* Of the last request. */
static uint32_t sequence, port;

static uint8_t next_byte(void)
{
	if (!input.left)
		return 0;
	input.left--;
	return *input.data++;
}

static uint32_t next_number(void)
{
	uint32_t value = next_byte();

	return value & 0x80 ? value << 24 | next_byte() : value;
}

/**
 * struct datagram - what is received at once
 */
struct datagram {
	uint8_t data[MAX_DATAGRAM];
	size_t size;
};

/* Return: where the next @size bytes are, zeroed; NULL: there is no room. */
static void *add(struct datagram *datagram, size_t size)
{
	void *at = datagram->data + datagram->size;

	if (datagram->size + NLMSG_ALIGN(size) > MAX_DATAGRAM)
		return NULL;
	memset(at, 0, NLMSG_ALIGN(size));
	datagram->size += NLMSG_ALIGN(size);
	return at;
}

/* Most attributes have a number and a size that there are. */
static void add_attribute(struct datagram *datagram)
{
	static const uint8_t sizes[] = { 4, 4,	8,  8,	8,   0,	  1,   3,
					 9, 16, 32, 64, 160, 184, 192, 255 };
	uint8_t type = next_byte();
	uint8_t size = sizes[next_byte() % sizeof(sizes)];
	struct nlattr *attribute = add(datagram, NLA_HDRLEN + size);
	uint8_t fill = next_byte();

	if (!attribute)
		return;
	attribute->nla_type = type < 0xf0 ? type % 24 : type * 257;
	attribute->nla_len = NLA_HDRLEN + size;
	memset((uint8_t *)attribute + NLA_HDRLEN, fill, size);
	if (size && fill & 1)
		((uint8_t *)attribute)[NLA_HDRLEN] = next_byte();
	if (fill == 0xff)
		attribute->nla_len = next_number();
}

static void add_attributes(struct datagram *datagram)
{
	for (int i = next_byte() % MAX_ATTRIBUTES; i; i--)
		add_attribute(datagram);
}

/* Most calls succeed. */
static int32_t next_error(void)
{
	return next_byte() < 0xc0 ? 0 : (int32_t)next_number();
}

/* What stands behind a header of that type. */
static void add_body(struct datagram *datagram, uint16_t type)
{
	int32_t *error;
	void *at;

	switch (type) {
	case NLMSG_DONE:
		if (next_byte() & 1)
			return;
		error = add(datagram, sizeof(*error));
		if (error)
			*error = next_error();
		break;
	case NLMSG_ERROR:
		error = add(datagram, sizeof(struct nlmsgerr));
		if (error)
			*error = next_error();
		if (next_byte() & 1 && (at = add(datagram, 16)))
			memset(at, next_byte(), 16);
		break;
	case FAMILY:
		if (next_byte() != 0xff)
			add(datagram, GENL_HDRLEN);
		break;
	}
	add_attributes(datagram);
}

static void add_message(struct datagram *datagram)
{
	static const uint16_t types[] = {
		FAMILY,	    FAMILY,	 FAMILY,     FAMILY,	    NLMSG_DONE,
		NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN, FAMILY + 1
	};
	uint16_t type = types[next_byte() % (sizeof(types) / sizeof(*types))];
	struct nlmsghdr *header = add(datagram, NLMSG_HDRLEN);
	uint8_t odd = next_byte();
	size_t begin = datagram->size;

	if (!header)
		return;
	header->nlmsg_type = type;
	header->nlmsg_flags = next_byte() | (odd & 3) << 8;
	header->nlmsg_seq = odd == 0xfe ? 0 : sequence;
	header->nlmsg_pid = port;
	add_body(datagram, type);
	header->nlmsg_len = NLMSG_HDRLEN + datagram->size - begin;
	if (odd == 0xff)
		header->nlmsg_len = next_number();
}

/*
 * libnl, as far as it asks the kernel.
 */

static int receive(struct nl_sock *socket, struct sockaddr_nl *address,
		   unsigned char **buffer, struct ucred **credentials)
{
	struct datagram datagram = { .size = 0 };

	if (!input.left)
		return -NLE_FAILURE;
	for (int i = 1 + next_byte() % MAX_MESSAGES; i; i--)
		add_message(&datagram);
	if (next_byte() == 0xff)
		datagram.data[next_number() % MAX_DATAGRAM] = next_byte();
	memset(address, 0, sizeof(*address));
	address->nl_family = AF_NETLINK;
	*buffer = malloc(datagram.size);
	memcpy(*buffer, datagram.data, datagram.size);
	return datagram.size;
}

int nl_send_auto(struct nl_sock *socket, struct nl_msg *message)
{
	nl_complete_msg(socket, message);
	sequence = nlmsg_hdr(message)->nlmsg_seq;
	port = nlmsg_hdr(message)->nlmsg_pid;
	return nlmsg_hdr(message)->nlmsg_len;
}

int nl_recvmsgs(struct nl_sock *socket, struct nl_cb *callbacks)
{
	int result;

	nl_cb_overwrite_recv(callbacks, receive);
	result = nl_recvmsgs_report(socket, callbacks);
	return result > 0 ? 0 : result;
}

int genl_connect(struct nl_sock *socket)
{
	return 0;
}

int genl_ctrl_resolve(struct nl_sock *socket, const char *name)
{
	return FAMILY;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	return 0;
}

/*
 * What the controller asks, and what must be true of each answer.
 */

#define is_text(member) (memchr(member, 0, sizeof(member)) != NULL)

static void check_vm(const struct netlink_vm *vm)
{
	require(is_text(vm->name));
	require(netlink_has(vm, LODGE_VM_ID) || !vm->id);
	require(!(vm->present >> (LODGE_VM_MAX + 1)));
}

static void check_news(const struct netlink_news *news)
{
	require(is_text(news->name));
	require(is_text(news->text));
	require(netlink_has(news, LODGE_NEWS_SEQ) || !news->seq);
}

static void check_stats(const struct netlink_stats *stats)
{
	require(!(stats->present >> (LODGE_STATS_MAX + 1)));
	require(netlink_has(stats, LODGE_STATS_QUICK) || !stats->quick);
	require(netlink_has(stats, LODGE_STATS_TSC_KHZ) || !stats->tsc_khz);
}

#define LIST(call, type, check)                     \
	do {                                        \
		struct type *list;                  \
		size_t count;                       \
                                                    \
		err = call;                         \
		require(!err || (!list && !count)); \
		for (size_t i = 0; i < count; i++)  \
			check(&list[i]);            \
		free(list);                         \
	} while (0)
#define nothing(entry) ((void)(entry))

static int ask_one(struct netlink *netlink, uint8_t byte)
{
	const struct netlink_which which = { .id = byte };
	const struct netlink_limit_change change = { .changed = byte };
	struct netlink_limit limit;
	struct netlink_vm vm;
	int err;

	switch (byte % 4) {
	case 0:
		err = netlink_vm_get(netlink, &which, &vm);
		if (!err)
			check_vm(&vm);
		return err;
	case 1:
		return netlink_vm_kill(netlink, &which);
	case 2:
		return netlink_limit_get(netlink, LODGE_SCOPE_TOTAL, 0, &limit);
	default:
		return netlink_limit_set(netlink, &change);
	}
}

static int ask(struct netlink *netlink, uint8_t byte)
{
	int err;

	switch (byte % 8) {
	case 0:
		LIST(netlink_vm_list(netlink, &list, &count), netlink_vm,
		     check_vm);
		break;
	case 1:
		LIST(netlink_vcpu_list(netlink, byte, &list, &count),
		     netlink_vcpu, nothing);
		break;
	case 2:
		LIST(netlink_stats_list(netlink, 0, &list, &count),
		     netlink_stats, check_stats);
		break;
	case 3:
		LIST(netlink_limit_list(netlink, &list, &count), netlink_limit,
		     nothing);
		break;
	case 4:
		LIST(netlink_news_list(netlink, byte, &list, &count),
		     netlink_news, check_news);
		break;
	default:
		err = ask_one(netlink, byte / 8);
		break;
	}
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netlink *netlink;
	int err;

	input.data = data;
	input.left = size;
	require(!netlink_open(&netlink));
	while (input.left) {
		err = ask(netlink, next_byte());
		/* The caller prints strerror(-err). */
		require(err <= 0 && err > -4096);
		require(strlen(netlink_message(netlink)) < 256);
	}
	netlink_close(netlink);
	return 0;
}
