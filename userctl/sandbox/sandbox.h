/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sandbox: what this process gives up before a guest's first instruction.
 *
 * A guest that takes the process over finds no privilege, no file but the open ones, no
 * network and few system calls.  All that the machine needs later is opened before.
 */
#ifndef LODGE_SANDBOX_SANDBOX_H
#define LODGE_SANDBOX_SANDBOX_H

#include <sys/types.h>

/**
 * enum sandbox_kind - kinds of threads
 * @SANDBOX_OWNER: the machine's owner, and what it starts to take signals and keys
 * @SANDBOX_LOOP: the machine's thread, which runs the event loop; the owner starts it
 * @SANDBOX_VCPU: runs a vCPU, and devices as the guest accesses them; the owner starts it
 *	before it is confined itself
 * @SANDBOX_WORKER: reads and writes disks; any of them starts it
 */
enum sandbox_kind {
	SANDBOX_OWNER,
	SANDBOX_LOOP,
	SANDBOX_VCPU,
	SANDBOX_WORKER,
};

#define SANDBOX_KINDS (SANDBOX_WORKER + 1)

/**
 * enum sandbox_part - parts of the sandbox, as bits
 * @SANDBOX_NO_NEW_PRIVS: no program that is executed gains privileges
 * @SANDBOX_NO_CAPABILITIES: no capability, and none to be had
 * @SANDBOX_USER: a user namespace of its own
 * @SANDBOX_MOUNT: a mount namespace of its own
 * @SANDBOX_ROOT: an empty root directory in it
 * @SANDBOX_NETWORK: a network namespace of its own
 * @SANDBOX_IPC: an IPC namespace of its own
 * @SANDBOX_FILTER: a filter of system calls for each kind of thread
 */
enum sandbox_part {
	SANDBOX_NO_NEW_PRIVS = 1 << 0,
	SANDBOX_NO_CAPABILITIES = 1 << 1,
	SANDBOX_USER = 1 << 2,
	SANDBOX_MOUNT = 1 << 3,
	SANDBOX_ROOT = 1 << 4,
	SANDBOX_NETWORK = 1 << 5,
	SANDBOX_IPC = 1 << 6,
	SANDBOX_FILTER = 1 << 7,
};

#define SANDBOX_ALL ((1 << 8) - 1)

/**
 * sandbox_enter() - confine this process, which has one thread and opens no file later,
 * but for its system calls: they are sandbox_thread()'s
 * @report: descriptor for the message of a process that is ended for a system call
 *
 * What the host does not allow is left out; that is no failure.
 *
 * Return: bits of what the process is confined by, of enum sandbox_part, with those of
 * filters that its threads will have; -errno, and it must not go on.
 */
int sandbox_enter(int report);

/**
 * sandbox_root_id() - get the user ID that stands for root here
 *
 * In a user namespace of its own, a process of another user sees root as nobody.
 */
uid_t sandbox_root_id(void);

/**
 * sandbox_thread() - confine this thread as its kind is, for itself and for all that it
 * starts from then on
 *
 * Outside the sandbox it does nothing.  It does not fail: a thread that cannot be
 * confined ends the process.
 */
void sandbox_thread(enum sandbox_kind kind);

/**
 * sandbox_probe() - tell what the host allows, in a process that is confined for that
 *
 * Return: bits of enum sandbox_part; -errno.
 */
int sandbox_probe(void);

#endif
