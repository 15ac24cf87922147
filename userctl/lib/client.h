/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls of <lodge.h> as functions: for the controller, for tests and for other
 * programs that use /dev/lodge.
 *
 * Each function is one system call unless its description says otherwise.  It keeps
 * no state, may be called from any thread, prints nothing, and returns a negative
 * errno when it fails.  <lodge.h> lists the errors of each call.  Descriptors are
 * closed with close(), and on exec.
 */
#ifndef LODGE_LIB_CLIENT_H
#define LODGE_LIB_CLIENT_H

#include <stdint.h>

#include <lodge.h>

/**
 * lodge_open() - open /dev/lodge
 *
 * Return: a descriptor; -ENOENT the module is not loaded; -EACCES the caller has no
 * permission.
 */
int lodge_open(void);

/**
 * lodge_info() - ask whether the host can run VMs, and for its limits
 * @lodge: from lodge_open()
 * @info: the answer; complete even if no VM can run here
 */
int lodge_info(int lodge, struct lodge_info *info);

/**
 * lodge_vm_create() - make a VM without memory and vCPUs
 * @lodge: from lodge_open(); may be closed afterwards
 *
 * Return: the VM's descriptor or -errno.
 */
int lodge_vm_create(int lodge);

/**
 * lodge_vm_create_named() - make a VM that lists and messages call by a name
 * @lodge: from lodge_open()
 * @name: its name, or NULL: one is made up
 *
 * Return: its descriptor; -EINVAL the name is no name, or too long; -EEXIST this user
 * has a VM of this name; -errno.
 */
int lodge_vm_create_named(int lodge, const char *name);

/**
 * lodge_memory_set() - let the guest see a piece of the caller's memory
 * @vm: from lodge_vm_create()
 * @slot: number of the slot; one that is in use is replaced
 * @flags: LODGE_MEM_*
 * @gpa: first guest physical address, page-aligned
 * @size: bytes, page-aligned
 * @memory: page-aligned; must stay mapped until the slot or the VM is gone
 *
 * Return: 0 or -errno; -EINVAL also for a @size of 0.
 */
int lodge_memory_set(int vm, uint32_t slot, uint32_t flags, uint64_t gpa,
		     uint64_t size, void *memory);

/**
 * lodge_memory_delete() - take a slot's memory away from the guest
 *
 * Return: 0 or -errno.
 */
int lodge_memory_delete(int vm, uint32_t slot);

/**
 * lodge_dirty_log_begin() - keep a log of the pages of a slot that are written to
 * @vm: from lodge_vm_create()
 * @slot: number of a slot that is set
 * @baseline: as large as the slot, page-aligned: what lodge_vm_reset() puts back; must
 *	stay mapped as long as the log is kept; or NULL
 *
 * Return: 0 or -errno.
 */
int lodge_dirty_log_begin(int vm, uint32_t slot, const void *baseline);

/**
 * lodge_dirty_log_end() - keep none any more
 *
 * Return: 0 or -errno.
 */
int lodge_dirty_log_end(int vm, uint32_t slot);

/**
 * lodge_dirty_get() - take pages out of a slot's dirty log
 * @first: first page to look at; a multiple of 64
 * @pages: how many
 * @bitmap: a bit for each, of which those of the pages found are set; others stay as
 *	they are
 * @dirty: set to the number of pages found; may be NULL
 *
 * Return: 0 or -errno.
 */
int lodge_dirty_get(int vm, uint32_t slot, uint64_t first, uint64_t pages,
		    uint64_t *bitmap, uint64_t *dirty);

/**
 * lodge_vm_hold() - stop all vCPUs: lodge_run() fails with -EAGAIN
 *
 * Return: 0 or -errno; -EINTR.
 */
int lodge_vm_hold(int vm);

/**
 * lodge_vm_release() - take one lodge_vm_hold() back
 *
 * Return: 0 or -errno; -EINVAL there is none.
 */
int lodge_vm_release(int vm);

/**
 * lodge_vm_reset() - put the pages in the logs of slots with a baseline back to it
 * @pages: set to the number of pages that were put back; may be NULL
 *
 * Return: 0 or -errno; -ENOENT there is no such slot.
 */
int lodge_vm_reset(int vm, uint64_t *pages);

/**
 * lodge_vcpu_create() - make a vCPU and map its run page: two system calls
 * @vm: from lodge_vm_create()
 * @id: its number, which is its initial APIC ID
 * @run: set to the run page
 *
 * Return: the vCPU's descriptor, to be closed by lodge_vcpu_close(), or -errno.
 */
int lodge_vcpu_create(int vm, uint32_t id, struct lodge_run **run);

/**
 * lodge_vcpu_close() - unmap the run page and close the vCPU
 * @vcpu: from lodge_vcpu_create()
 * @run: its run page
 */
void lodge_vcpu_close(int vcpu, struct lodge_run *run);

/**
 * lodge_run() - let a vCPU execute until something needs its user
 * @vcpu: from lodge_vcpu_create(); its run page says why the call returned
 *
 * Return: 0; -EINTR after a signal or with immediate_exit set; -EAGAIN while
 * lodge_vm_hold() is in force; -errno.
 */
int lodge_run(int vcpu);

/**
 * lodge_state_get() - read the register groups named in @state
 * @vcpu: from lodge_vcpu_create()
 * @state: in: groups, and the addresses for XSAVE and LAPIC; out: the inline groups
 *
 * Return: 0 or -errno.
 */
int lodge_state_get(int vcpu, struct lodge_state *state);

/**
 * lodge_state_set() - write the register groups named in @state
 *
 * Return: 0 or -errno, and then nothing has changed.
 */
int lodge_state_set(int vcpu, const struct lodge_state *state);

/**
 * lodge_cpuid_get() - read a vCPU's CPUID leaves
 * @vcpu: from lodge_vcpu_create()
 * @entries: array to fill; LODGE_MAX_CPUID are enough
 * @count: in: entries that fit; out: entries that there are
 *
 * Return: 0; -ENOSPC when @entries is too small; -errno.
 */
int lodge_cpuid_get(int vcpu, struct lodge_cpuid_entry *entries,
		    uint32_t *count);

/**
 * lodge_cpuid_set() - replace a vCPU's CPUID leaves before its first run
 *
 * Return: 0 or -errno.
 */
int lodge_cpuid_set(int vcpu, const struct lodge_cpuid_entry *entries,
		    uint32_t count);

/**
 * lodge_msr_list() - read all MSRs of a vCPU that are in no register group
 * @vcpu: from lodge_vcpu_create()
 * @entries: array to fill; LODGE_MAX_MSRS are enough
 * @count: in: entries that fit; out: entries that there are
 *
 * Return: 0; -ENOSPC when @entries is too small; -errno.
 */
int lodge_msr_list(int vcpu, struct lodge_msr_entry *entries, uint32_t *count);

/**
 * lodge_msr_get() - read some MSRs of lodge_msr_list()
 * @entries: in: their numbers; out: their values
 *
 * Return: 0 or -errno.
 */
int lodge_msr_get(int vcpu, struct lodge_msr_entry *entries, uint32_t count);

/**
 * lodge_msr_set() - write MSRs of lodge_msr_list(), when the vCPU's CPUID is set
 *
 * Return: 0 or -errno, and then nothing has changed.
 */
int lodge_msr_set(int vcpu, const struct lodge_msr_entry *entries,
		  uint32_t count);

/**
 * lodge_extint() - deliver an external interrupt, as a PIC does
 * @vcpu: from lodge_vcpu_create()
 * @vector: vector from the PIC's acknowledge cycle
 *
 * Return: 0; -EBUSY while an earlier one waits; -errno.
 */
int lodge_extint(int vcpu, uint8_t vector);

/**
 * lodge_nmi() - deliver a non-maskable interrupt
 *
 * Return: 0 or -errno.
 */
int lodge_nmi(int vcpu);

/**
 * lodge_msi_send() - send a message-signalled interrupt
 * @vm: from lodge_vm_create()
 * @address: message address, 0xfeexxxxx
 * @data: message data
 *
 * Return: 0; -ENXIO when no vCPU takes it; -errno.
 */
int lodge_msi_send(int vm, uint64_t address, uint32_t data);

/**
 * lodge_vm_ioeventfd() - let a write of the guest's signal an eventfd, or no longer
 * @vm: from lodge_vm_create()
 * @bell: see <lodge.h>
 *
 * Return: 0 or -errno.
 */
int lodge_vm_ioeventfd(int vm, const struct lodge_ioeventfd *bell);

/**
 * lodge_vm_irqfd() - let an eventfd send a message, or another one, or no longer
 * @vm: from lodge_vm_create()
 * @irqfd: see <lodge.h>
 *
 * Return: 0 or -errno.
 */
int lodge_vm_irqfd(int vm, const struct lodge_irqfd *irqfd);

/**
 * lodge_clock_get() - read the VM's clock
 *
 * Return: 0 or -errno.
 */
int lodge_clock_get(int vm, struct lodge_clock *clock);

/**
 * lodge_clock_set() - set the VM's clock
 * @vm: from lodge_vm_create()
 * @ns: nanoseconds
 * @host_tsc: the host's time stamp counter at the moment for which @ns holds; 0: now
 *
 * Return: 0 or -errno; -EINVAL @host_tsc is in the future.
 */
int lodge_clock_set(int vm, uint64_t ns, uint64_t host_tsc);

/**
 * lodge_tsc_rate_set() - give the guest's time stamp counters another rate
 * @vm: from lodge_vm_create(), of which no vCPU has run
 * @khz: the rate
 *
 * Return: 0 or -errno; -EINVAL the rate is out of reach, -EBUSY a vCPU has run, -ENOTTY
 * the module is too old.
 */
int lodge_tsc_rate_set(int vm, uint32_t khz);

#endif
