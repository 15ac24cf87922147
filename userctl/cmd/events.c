// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge events`: tells what has happened to VMs.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/family.h"
#include "cmd/json.h"
#include "lib/user.h"
#include "view/word.h"

#define NS_PER_S 1000000000ULL

/**
 * struct events_options - the command line
 * @json: write JSON, a line an event
 * @follow: wait for more
 */
struct events_options {
	bool json;
	bool follow;
};

static void tell_time(const struct netlink_news *news)
{
	time_t seconds = news->time / NS_PER_S;
	char text[32] = "?";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%F %T", &tm);
	printf("%s", text);
}

static void tell(const struct netlink_news *news)
{
	char user[64];

	tell_time(news);
	printf("  %-12s", word_of_news(news->kind));
	if (*news->name)
		printf("  %s", news->name);
	if (netlink_has(news, LODGE_NEWS_VM))
		printf("  VM %" PRIu32, news->vm);
	if (netlink_has(news, LODGE_NEWS_UID)) {
		user_format(user, sizeof(user), news->uid);
		printf("  user %s", user);
	}
	if (netlink_has(news, LODGE_NEWS_VCPU))
		printf("  vCPU %" PRIu32, news->vcpu);
	if (*news->text)
		printf("  %s", news->text);
	putchar('\n');
}

static void tell_json(const struct netlink_news *news)
{
	struct json json;

	json_start(&json, stdout);
	json_open(&json, NULL, '{');
	json_number(&json, "seq", news->seq);
	json_number(&json, "time", news->time);
	json_text(&json, "event", word_of_news(news->kind));
	if (netlink_has(news, LODGE_NEWS_VM))
		json_number(&json, "vm", news->vm);
	if (netlink_has(news, LODGE_NEWS_NAME))
		json_text(&json, "name", news->name);
	if (netlink_has(news, LODGE_NEWS_UID))
		json_number(&json, "uid", news->uid);
	if (netlink_has(news, LODGE_NEWS_VCPU))
		json_number(&json, "vcpu", news->vcpu);
	if (netlink_has(news, LODGE_NEWS_REASON))
		json_text(&json, "reason", word_of_reason(news->reason));
	if (netlink_has(news, LODGE_NEWS_LIMIT))
		json_text(&json, "limit",
			  word_of_limit(news->limit - LODGE_LIMIT_VMS));
	if (netlink_has(news, LODGE_NEWS_SCOPE))
		json_text(&json, "scope", word_of_scope(news->scope));
	if (netlink_has(news, LODGE_NEWS_TEXT))
		json_text(&json, "text", news->text);
	if (news->lost)
		json_number(&json, "lost", news->lost);
	json_close(&json, '}');
	json_finish(&json);
}

/*
 * Tells all events from *next on, and sets it behind them.  An event is remembered for
 * some time only.  Return: 0 or -errno.
 */
static int tell_all(struct netlink *netlink,
		    const struct events_options *options, uint64_t *next)
{
	struct netlink_news *news;
	size_t count;
	int err = netlink_news_list(netlink, *next, &news, &count);

	for (size_t i = 0; i < count; i++) {
		if (news[i].lost)
			fprintf(stderr,
				"lodge: %" PRIu64
				" events are no longer remembered\n",
				news[i].lost);
		if (options->json)
			tell_json(&news[i]);
		else
			tell(&news[i]);
		*next = news[i].seq + 1;
	}
	free(news);
	if (!err && fflush(stdout))
		err = -errno;
	return err;
}

/* Tells events until one cannot be told.  Return: -errno. */
static int follow(struct netlink *netlink, const struct events_options *options)
{
	struct pollfd events = { .events = POLLIN };
	uint64_t next = 0;
	int err = 0;

	/* First, so that none is missed between the list and the wait. */
	events.fd = netlink_listen(netlink);
	if (events.fd < 0)
		return events.fd;
	while (!err) {
		err = tell_all(netlink, options, &next);
		if (!err && poll(&events, 1, -1) < 0 && errno != EINTR)
			err = -errno;
		if (!err)
			netlink_drain(netlink);
	}
	return err;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct events_options *options = state->input;

	switch (key) {
	case 'j':
		options->json = true;
		return 0;
	case 'f':
		options->follow = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: it takes no arguments", argument);
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

int events_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "follow", 'f', NULL, 0, "Wait for more events", 0 },
		{ "json", 'j', NULL, 0, "Write a line of JSON for each event",
		  0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.doc = "Tell what has happened to virtual machines, oldest "
		       "event first."
		       "\v"
		       "VMs that were made, are gone, or were killed, vCPUs "
		       "that cannot go on, limits that have refused something, "
		       "and the processors' virtualization, switched on and "
		       "off.  The module remembers 1024 events; for a new "
		       "one the user who has most of them loses the oldest.  "
		       "Where one thing happens again and again, not each "
		       "time is an event: in five seconds a user's limits "
		       "refuse 10 times, a VM's vCPUs stop 20 times.  "
		       "Everybody sees those of their own VMs, root of the "
		       "host all.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge events\n"
		       "  lodge events --follow --json\n"
		       "\n"
		       "Exit codes: 0 done; 64 the command line is wrong; 69 "
		       "the module is not loaded, or was unloaded; " FAMILY_EXIT_CODES
		       ".",
	};
	struct events_options options = { 0 };
	struct netlink *netlink;
	uint64_t next = 0;
	int code, err;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	code = family_open(&netlink);
	if (code)
		return code;
	err = options.follow ? follow(netlink, &options) :
			       tell_all(netlink, &options, &next);
	/* If nobody reads, that is told at the end. */
	if (err && !ferror(stdout))
		code = family_complain(netlink, "listing events", err);
	netlink_close(netlink);
	return code;
}
