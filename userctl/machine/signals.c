// SPDX-License-Identifier: GPL-2.0
/*
 * Takes signals from outside, in a thread of its own.
 */
#include "machine/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "machine/terminal.h"

/* The signal that ends the thread. */
#define STOP_SIGNAL (SIGRTMIN + 1)

struct signals {
	void (*received)(void *opaque, int number);
	void *opaque;
	pthread_t thread;
	sigset_t taken;
	sigset_t before;
};

static void stop_process(void)
{
	bool was_raw = terminal_restore();

	raise(SIGSTOP);
	if (was_raw)
		terminal_raw();
}

static void *take(void *opaque)
{
	struct signals *signals = opaque;
	int number;

	while (!sigwait(&signals->taken, &number) && number != STOP_SIGNAL) {
		if (number == SIGTSTP)
			stop_process();
		else
			signals->received(signals->opaque, number);
	}
	return NULL;
}

bool signal_is_ignored(int number)
{
	struct sigaction action;

	return !sigaction(number, NULL, &action) &&
	       action.sa_handler == SIG_IGN;
}

int signals_start(struct signals **signals,
		  void (*received)(void *opaque, int number), void *opaque)
{
	static const int taken[] = { SIGINT,  SIGTERM, SIGHUP,	SIGQUIT,
				     SIGUSR1, SIGUSR2, SIGTSTP, SIGWINCH };
	struct signals *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return -ENOMEM;
	new->received = received;
	new->opaque = opaque;
	sigemptyset(&new->taken);
	sigaddset(&new->taken, STOP_SIGNAL);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (!signal_is_ignored(taken[i]))
			sigaddset(&new->taken, taken[i]);
	pthread_sigmask(SIG_BLOCK, &new->taken, &new->before);
	err = pthread_create(&new->thread, NULL, take, new);
	if (err) {
		pthread_sigmask(SIG_SETMASK, &new->before, NULL);
		free(new);
		return -err;
	}
	*signals = new;
	return 0;
}

void signals_stop(struct signals *signals)
{
	if (!signals)
		return;
	pthread_kill(signals->thread, STOP_SIGNAL);
	pthread_join(signals->thread, NULL);
	pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
	free(signals);
}
