/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Actions of tests on the host, as root in one of their own: load and remove
 * modules, read and write the kernel's files, take processors offline, suspend.
 */
#ifndef LODGE_LIB_HOST_H
#define LODGE_LIB_HOST_H

#include <pthread.h>
#include <stdbool.h>

/**
 * module_insert() - load a module from a file
 *
 * Return: 0 or -errno; -EEXIST when it is loaded already.
 */
int module_insert(const char *file, const char *parameters);

/**
 * module_remove() - unload a module
 *
 * Return: 0 or -errno; -EWOULDBLOCK when it is in use.
 */
int module_remove(const char *name);

/**
 * host_read() - the number in a file of the kernel's
 *
 * Return: the number, which is not negative, or -errno.
 */
long host_read(const char *path);

/**
 * host_write() - write to a file of the kernel's
 *
 * Return: 0 or -errno.
 */
int host_write(const char *path, const char *value);

/* The directory of the host's control groups, after host_group(). */
#define HOST_GROUPS "/tmp/lodge-groups"

/**
 * host_group() - make the control group HOST_GROUPS/@name, whose memory is counted
 *
 * Return: 0, also when there is one, or -errno; -ENOENT where the host counts no
 * group's memory.
 */
int host_group(const char *name);

/**
 * lodge_insert() - load Lodge, from where LODGE_MODULE says it is, as it was
 */
int lodge_insert(void);

/**
 * lodge_is_without() - whether Lodge has been told to do without a feature of VT-x
 * @feature: as its parameter vmx_without names it
 */
bool lodge_is_without(const char *feature);

/**
 * lodge_users() - the number of open files of Lodge
 *
 * Return: the number or -errno; -ENOENT when it is not loaded.
 */
int lodge_users(void);

/**
 * cpu_set_online() - take a processor offline, or back
 * @cpu: its number; the first one stays
 *
 * Return: 0 or -errno; -ENOENT when there is no such processor.
 */
int cpu_set_online(int cpu, bool online);

/**
 * cpu_first() - the first processor that the caller may run on
 *
 * Not every host has its guests on its very first one: see selftests/host/svm.
 */
int cpu_first(void);

/**
 * cpu_pin() - let a thread run on one processor only
 *
 * Return: 0 or -errno.
 */
int cpu_pin(pthread_t thread, int cpu);

/**
 * cpus_set_online() - all processors but the host's first and cpu_first()
 *
 * Return: 0 or -errno.
 */
int cpus_set_online(bool online);

/**
 * host_suspend() - suspend the host up to the point where only the firmware's
 * part is missing, and resume it a second later
 *
 * Return: 0 or -errno.
 */
int host_suspend(void);

/**
 * descriptors_open() - the number of descriptors that this process has open
 */
int descriptors_open(void);

#endif
