/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The agent in a guest: runs commands for the controller.
 */
#ifndef LODGE_GUEST_AGENT_H
#define LODGE_GUEST_AGENT_H

/**
 * struct agent_hooks - what the agent asks of its process
 * @end_others: called when the command has ended whose end is the guest's: end all other
 *	processes
 * @settle: called before its end is told: bring files to their disks
 * @ask_others: called as the guest is to power off: ask all other processes to end
 */
struct agent_hooks {
	void (*ask_others)(void);
	void (*end_others)(void);
	void (*settle)(void);
};

/**
 * agent_serve() - run commands until the controller goes, or has the guest power off
 * @fd: leads to the controller, not blocking
 *
 * SIGCHLD is blocked from here on.  All children of the process are waited for, also
 * those that others have left to it.
 *
 * Return: 0 the controller has gone, or the guest is to power off; -errno.
 */
int agent_serve(int fd, const struct agent_hooks *hooks);

#endif
