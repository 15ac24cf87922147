// SPDX-License-Identifier: GPL-2.0
/*
 * Talks to the netlink family: see talk.h.
 */
#include "talk.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int talk_size(const struct nlattr *attribute)
{
	return attribute ? attribute->nla_len - NLA_HDRLEN : -1;
}

const void *talk_data(const struct nlattr *attribute)
{
	return (const char *)attribute + NLA_HDRLEN;
}

/* Return: false if the attributes do not fill the area. */
static bool parse(const void *area, size_t size,
		  const struct nlattr *attribute[TALK_ATTRIBUTES])
{
	memset(attribute, 0, TALK_ATTRIBUTES * sizeof(*attribute));
	while (size) {
		const struct nlattr *next = area;
		size_t step;

		if (size < NLA_HDRLEN || next->nla_len < NLA_HDRLEN ||
		    next->nla_len > size)
			return false;
		if ((next->nla_type & NLA_TYPE_MASK) < TALK_ATTRIBUTES)
			attribute[next->nla_type & NLA_TYPE_MASK] = next;
		step = NLA_ALIGN(next->nla_len);
		if (step > size)
			step = size;
		area = (const char *)area + step;
		size -= step;
	}
	return true;
}

static bool parse_behind(const struct nlmsghdr *header, size_t skip,
			 const struct nlattr *attribute[TALK_ATTRIBUTES])
{
	skip = NLMSG_ALIGN(NLMSG_HDRLEN + skip);
	return header->nlmsg_len >= skip &&
	       parse((const char *)header + skip, header->nlmsg_len - skip,
		     attribute);
}

uint32_t talk_u32(const struct talk_answer *answer, int type)
{
	const struct nlattr *attribute = answer->attribute[type];
	uint32_t value = 0;

	if (talk_size(attribute) == sizeof(value))
		memcpy(&value, talk_data(attribute), sizeof(value));
	return value;
}

uint64_t talk_u64(const struct talk_answer *answer, int type)
{
	const struct nlattr *attribute = answer->attribute[type];
	uint64_t value = 0;

	if (talk_size(attribute) == sizeof(value))
		memcpy(&value, talk_data(attribute), sizeof(value));
	return value;
}

const char *talk_string(const struct talk_answer *answer, int type)
{
	const struct nlattr *attribute = answer->attribute[type];
	int size = talk_size(attribute);

	if (size < 1 || memchr(talk_data(attribute), 0, size) !=
				(const char *)talk_data(attribute) + size - 1)
		return "";
	return talk_data(attribute);
}

void talk_begin(struct talk *talk, union talk_message *message, uint8_t command,
		uint16_t flags)
{
	memset(message, 0, sizeof(*message));
	message->header = (struct nlmsghdr){
		.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN,
		.nlmsg_type = talk->family,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags,
	};
	message->generic = (struct genlmsghdr){
		.cmd = command,
		.version = LODGE_GENL_VERSION,
	};
}

void talk_put(union talk_message *message, uint16_t type, const void *data,
	      size_t size)
{
	struct nlattr *attribute =
		(void *)(message->bytes +
			 NLMSG_ALIGN(message->header.nlmsg_len));

	attribute->nla_type = type;
	attribute->nla_len = NLA_HDRLEN + size;
	memcpy(attribute + 1, data, size);
	message->header.nlmsg_len = NLMSG_ALIGN(message->header.nlmsg_len) +
				    NLA_ALIGN(attribute->nla_len);
}

void talk_put_u32(union talk_message *message, uint16_t type, uint32_t value)
{
	talk_put(message, type, &value, sizeof(value));
}

void talk_put_u64(union talk_message *message, uint16_t type, uint64_t value)
{
	talk_put(message, type, &value, sizeof(value));
}

void talk_put_string(union talk_message *message, uint16_t type,
		     const char *text)
{
	talk_put(message, type, text, strlen(text) + 1);
}

int talk_send(struct talk *talk, union talk_message *message)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	message->header.nlmsg_seq = ++talk->sequence;
	talk->size = talk->used = 0;
	return sendto(talk->fd, message, message->header.nlmsg_len, 0,
		      (const struct sockaddr *)&kernel, sizeof(kernel)) < 0 ?
		       -errno :
		       0;
}

int talk_read(struct talk *talk, int flags)
{
	ssize_t size;

	talk->size = talk->used = 0;
	do {
		size = recv(talk->fd, talk->buffer, sizeof(talk->buffer),
			    flags);
	} while (size < 0 && errno == EINTR);
	if (size < 0)
		return -errno;
	talk->size = size;
	return 0;
}

const struct nlmsghdr *talk_next(struct talk *talk)
{
	const struct nlmsghdr *header =
		(const void *)(talk->buffer + talk->used);
	size_t left = talk->size - talk->used;

	if (left < NLMSG_HDRLEN || header->nlmsg_len < NLMSG_HDRLEN ||
	    header->nlmsg_len > left)
		return NULL;
	talk->used += NLMSG_ALIGN(header->nlmsg_len);
	if (talk->used > talk->size)
		talk->used = talk->size;
	return header;
}

bool talk_parse(const struct talk *talk, const struct nlmsghdr *header,
		struct talk_answer *answer)
{
	const struct genlmsghdr *generic = NLMSG_DATA(header);

	if (header->nlmsg_type != talk->family ||
	    header->nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN)
		return false;
	answer->header = header;
	answer->command = generic->cmd;
	return parse_behind(header, GENL_HDRLEN, answer->attribute);
}

/* The extended acknowledgement's attributes stand @skip bytes behind the head. */
static void take_acknowledgement(struct talk *talk,
				 const struct nlmsghdr *header, size_t skip)
{
	struct talk_answer answer = { .header = header };
	const struct nlattr *text;

	talk->text[0] = 0;
	talk->offset = talk->missing = 0;
	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    !parse_behind(header, skip, answer.attribute))
		return;
	text = answer.attribute[NLMSGERR_ATTR_MSG];
	if (text)
		strncat(talk->text, talk_data(text), sizeof(talk->text) - 1);
	talk->offset = talk_u32(&answer, NLMSGERR_ATTR_OFFS);
	talk->missing = talk_u32(&answer, NLMSGERR_ATTR_MISS_TYPE);
}

/* With NETLINK_CAP_ACK an acknowledgement has no more of the request than its head. */
static int take_error(struct talk *talk, const struct nlmsghdr *header)
{
	const struct nlmsgerr *error = NLMSG_DATA(header);

	if (header->nlmsg_len < NLMSG_HDRLEN + sizeof(*error))
		return -EPROTO;
	take_acknowledgement(talk, header, sizeof(*error));
	return error->error;
}

static int take_done(struct talk *talk, const struct nlmsghdr *header)
{
	const int *error = NLMSG_DATA(header);

	if (header->nlmsg_len < NLMSG_HDRLEN + sizeof(*error))
		return -EPROTO;
	take_acknowledgement(talk, header, sizeof(*error));
	return *error;
}

/* Return: true if this was the last message, and then *error is set. */
static bool take(struct talk *talk, const struct nlmsghdr *header,
		 talk_hear hear, void *context, int *error)
{
	struct talk_answer answer;

	/* News, or the rest of an answer that was not read. */
	if (header->nlmsg_seq != talk->sequence)
		return false;
	talk->interrupted |= !!(header->nlmsg_flags & NLM_F_DUMP_INTR);
	if (header->nlmsg_type == NLMSG_ERROR) {
		*error = take_error(talk, header);
		return true;
	}
	if (header->nlmsg_type == NLMSG_DONE) {
		*error = take_done(talk, header);
		return true;
	}
	*error = -EPROTO;
	if (hear && talk_parse(talk, header, &answer))
		*error = hear(context, &answer);
	return *error;
}

int talk_end(struct talk *talk, talk_hear hear, void *context)
{
	const struct nlmsghdr *header;
	int error;

	talk->interrupted = false;
	while (true) {
		while ((header = talk_next(talk)))
			if (take(talk, header, hear, context, &error))
				return error;
		error = talk_read(talk, 0);
		if (error)
			return error;
	}
}

int talk_do(struct talk *talk, union talk_message *message, talk_hear hear,
	    void *context)
{
	int error = talk_send(talk, message);

	return error ? error : talk_end(talk, hear, context);
}

/* The number of a family's group in the controller's list of them. */
static uint32_t find_group(const struct nlattr *groups, const char *name)
{
	const struct nlattr *attribute[TALK_ATTRIBUTES];
	struct talk_answer group;
	int i;

	if (!groups || !parse(talk_data(groups), talk_size(groups), attribute))
		return 0;
	for (i = 0; i < TALK_ATTRIBUTES; i++)
		if (attribute[i] &&
		    parse(talk_data(attribute[i]), talk_size(attribute[i]),
			  group.attribute) &&
		    !strcmp(talk_string(&group, CTRL_ATTR_MCAST_GRP_NAME),
			    name))
			return talk_u32(&group, CTRL_ATTR_MCAST_GRP_ID);
	return 0;
}

static int hear_family(void *context, const struct talk_answer *answer)
{
	const struct nlattr *id = answer->attribute[CTRL_ATTR_FAMILY_ID];
	struct talk *talk = context;

	if (talk_size(id) != sizeof(talk->family))
		return -EPROTO;
	memcpy(&talk->family, talk_data(id), sizeof(talk->family));
	talk->group = find_group(answer->attribute[CTRL_ATTR_MCAST_GROUPS],
				 LODGE_GENL_EVENTS);
	return 0;
}

static int find_family(struct talk *talk)
{
	union talk_message message;

	talk->family = GENL_ID_CTRL;
	talk_begin(talk, &message, CTRL_CMD_GETFAMILY, 0);
	talk_put_string(&message, CTRL_ATTR_FAMILY_NAME, LODGE_GENL_NAME);
	return talk_do(talk, &message, hear_family, talk);
}

int talk_open(struct talk *talk)
{
	const int on = 1;
	int error;

	memset(talk, 0, offsetof(struct talk, buffer));
	talk->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (talk->fd < 0)
		return -errno;
	if (setsockopt(talk->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on,
		       sizeof(on)) ||
	    setsockopt(talk->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)))
		error = -errno;
	else
		error = find_family(talk);
	if (error)
		talk_close(talk);
	return error;
}

void talk_close(struct talk *talk)
{
	close(talk->fd);
	talk->fd = -1;
}
