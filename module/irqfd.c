// SPDX-License-Identifier: GPL-2.0
/*
 * Eventfds that send a VM's interrupt messages: see irqfd.h.
 *
 * Lock order: vm->lock -> an eventfd's own lock, under which irqfd_wake() is called ->
 * irqfds.lock, irqfd->lock -> the local APICs.  Nobody signals an eventfd under
 * irqfds.lock.
 *
 * An irqfd ends by a call, with the VM, or as its eventfd is closed; whoever takes it
 * off the list frees it: in the last case by a work of the VM's, since nobody may sleep
 * there.  The VM waits for that, so an irqfd needs no reference to it.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>
#include <asm/apicdef.h>

#include "apic.h"
#include "compat.h"
#include "irqfd.h"
#include "user.h"
#include "vcpu.h"
#include "vm.h"

/**
 * struct irqfd - an eventfd that sends a message
 * @node: in irqfds.list, or in irqfds.closed
 * @hash: in irqfds.by_eventfd, while it is in irqfds.list
 * @level: in irqfds.levels, if there is @resample
 * @vm: whose it is
 * @eventfd: what sends
 * @resample: what is told of the interrupt's end; or NULL
 * @lock: guards @msi
 * @msi: the message
 * @vector: its vector
 * @head: where @wait waits: of @eventfd
 * @wait: calls irqfd_wake()
 * @table: puts @wait there
 */
struct irqfd {
	struct list_head node;
	struct hlist_node hash;
	struct list_head level;
	struct lodge_vm *vm;
	struct eventfd_ctx *eventfd;
	struct eventfd_ctx *resample;
	spinlock_t lock;
	struct lodge_msi msi;
	u8 vector;
	wait_queue_head_t *head;
	wait_queue_entry_t wait;
	poll_table table;
};

/* Kernel memory that is counted for one. */
#define IRQFD_MEMORY (sizeof(struct irqfd) + 2 * LODGE_EVENTFD_BYTES)

/* Any context.  Under the lock: who has changed the message waits for the former one. */
static void irqfd_send(struct irqfd *irqfd)
{
	unsigned long flags;

	spin_lock_irqsave(&irqfd->lock, flags);
	/* Nobody can be told that no vCPU takes it. */
	lodge_irq_msi(&irqfd->vm->apics, &irqfd->msi);
	spin_unlock_irqrestore(&irqfd->lock, flags);
}

/* Under irqfd->lock, or before anybody knows it. */
static void irqfd_set_message(struct irqfd *irqfd, const struct lodge_msi *msi)
{
	irqfd->msi = *msi;
	WRITE_ONCE(irqfd->vector, msi->data & APIC_VECTOR_MASK);
}

/* Under irqfds.lock.  The caller frees it. */
static void irqfd_take_off(struct irqfd *irqfd)
{
	list_del_init(&irqfd->node);
	hash_del(&irqfd->hash);
	if (irqfd->resample)
		list_del_rcu(&irqfd->level);
}

static void irqfd_free(struct irqfd *irqfd)
{
	struct lodge_vm *vm = irqfd->vm;

	if (irqfd->resample)
		eventfd_ctx_put(irqfd->resample);
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
	lodge_user_put_kernel(vm->user, IRQFD_MEMORY);
	atomic_dec(&vm->irqfds.nr);
}

/* From then on irqfd_wake() is neither called nor under way. */
static void irqfd_unhook(struct irqfd *irqfd)
{
	u64 count;

	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
}

static void irqfd_end(struct irqfd *irqfd)
{
	irqfd_unhook(irqfd);
	if (irqfd->resample)
		synchronize_srcu_expedited(&irqfd->vm->slots_srcu);
	irqfd_free(irqfd);
}

/* One wait for all of them. */
static void irqfd_end_closed(struct work_struct *work)
{
	struct lodge_irqfds *all = container_of(work, struct lodge_irqfds, end);
	struct lodge_vm *vm = container_of(all, struct lodge_vm, irqfds);
	struct irqfd *irqfd, *next;
	LIST_HEAD(closed);

	spin_lock_irq(&all->lock);
	list_splice_init(&all->closed, &closed);
	spin_unlock_irq(&all->lock);
	list_for_each_entry(irqfd, &closed, node)
		irqfd_unhook(irqfd);
	synchronize_srcu_expedited(&vm->slots_srcu);
	list_for_each_entry_safe(irqfd, next, &closed, node) {
		irqfd_free(irqfd);
		cond_resched();
	}
}

void lodge_irqfd_init(struct lodge_irqfds *all)
{
	spin_lock_init(&all->lock);
	INIT_LIST_HEAD(&all->list);
	hash_init(all->by_eventfd);
	INIT_LIST_HEAD(&all->closed);
	INIT_LIST_HEAD(&all->levels);
	INIT_WORK(&all->end, irqfd_end_closed);
}

/* The eventfd has been signalled, or is closed.  Under its lock; any context. */
static int irqfd_wake(wait_queue_entry_t *wait, unsigned int mode, int sync,
		      void *key)
{
	struct irqfd *irqfd = container_of(wait, struct irqfd, wait);
	struct lodge_irqfds *all = &irqfd->vm->irqfds;
	__poll_t events = key_to_poll(key);
	unsigned long flags;
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(irqfd->eventfd, &count);
		irqfd_send(irqfd);
	}
	if (events & EPOLLHUP) {
		spin_lock_irqsave(&all->lock, flags);
		if (!list_empty(&irqfd->node)) {
			irqfd_take_off(irqfd);
			list_add(&irqfd->node, &all->closed);
			queue_work(system_unbound_wq, &all->end);
		}
		spin_unlock_irqrestore(&all->lock, flags);
	}
	return 0;
}

static void irqfd_queue_wait(struct file *file, wait_queue_head_t *head,
			     poll_table *table)
{
	struct irqfd *irqfd = container_of(table, struct irqfd, table);

	irqfd->head = head;
	add_wait_queue(head, &irqfd->wait);
}

/* Takes what came before.  Return: true if anything did. */
static bool irqfd_drain(struct irqfd *irqfd)
{
	u64 count;

	spin_lock_irq(&irqfd->head->lock);
	eventfd_ctx_do_read(irqfd->eventfd, &count);
	spin_unlock_irq(&irqfd->head->lock);
	return count;
}

/* @file keeps the eventfd from being closed until the irqfd is complete. */
static void irqfd_publish(struct irqfd *irqfd, struct file *file)
{
	struct lodge_irqfds *all = &irqfd->vm->irqfds;

	atomic_inc(&all->nr);
	spin_lock_irq(&all->lock);
	list_add(&irqfd->node, &all->list);
	hash_add(all->by_eventfd, &irqfd->hash, (unsigned long)irqfd->eventfd);
	if (irqfd->resample)
		list_add_rcu(&irqfd->level, &all->levels);
	spin_unlock_irq(&all->lock);
	if (vfs_poll(file, &irqfd->table) & EPOLLIN && irqfd_drain(irqfd))
		irqfd_send(irqfd);
}

static struct irqfd *irqfd_new(struct lodge_vm *vm, const struct lodge_msi *msi)
{
	int error = lodge_user_get_kernel(vm->user, IRQFD_MEMORY);
	struct irqfd *irqfd;

	if (error)
		return ERR_PTR(error);
	irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	if (!irqfd) {
		lodge_user_put_kernel(vm->user, IRQFD_MEMORY);
		return ERR_PTR(-ENOMEM);
	}
	irqfd->vm = vm;
	irqfd_set_message(irqfd, msi);
	INIT_LIST_HEAD(&irqfd->node);
	spin_lock_init(&irqfd->lock);
	init_waitqueue_func_entry(&irqfd->wait, irqfd_wake);
	init_poll_funcptr(&irqfd->table, irqfd_queue_wait);
	return irqfd;
}

/* Takes both references, if it succeeds. */
static int irqfd_add(struct lodge_vm *vm, const struct lodge_msi *msi,
		     struct file *file, struct eventfd_ctx *eventfd,
		     struct eventfd_ctx *resample)
{
	struct irqfd *irqfd;

	if (atomic_read(&vm->irqfds.nr) >= LODGE_MAX_IRQFDS)
		return -ENOSPC;
	irqfd = irqfd_new(vm, msi);
	if (IS_ERR(irqfd))
		return PTR_ERR(irqfd);
	irqfd->eventfd = eventfd;
	irqfd->resample = resample;
	irqfd_publish(irqfd, file);
	return 0;
}

/* Under irqfds.lock. */
static struct irqfd *irqfd_find(struct lodge_irqfds *all,
				const struct eventfd_ctx *eventfd)
{
	struct irqfd *irqfd;

	hash_for_each_possible(all->by_eventfd, irqfd, hash,
			       (unsigned long)eventfd)
		if (irqfd->eventfd == eventfd)
			return irqfd;
	return NULL;
}

/*
 * Gives an irqfd that is there another message.
 *
 * Return: 0; -EINVAL it is of the other kind; -ENOENT there is none.
 */
static int irqfd_change(struct lodge_vm *vm, const struct lodge_msi *msi,
			const struct eventfd_ctx *eventfd,
			const struct eventfd_ctx *resample)
{
	struct lodge_irqfds *all = &vm->irqfds;
	struct irqfd *irqfd;
	int error = -ENOENT;

	spin_lock_irq(&all->lock);
	irqfd = irqfd_find(all, eventfd);
	if (irqfd)
		error = irqfd->resample == resample ? 0 : -EINVAL;
	if (!error) {
		spin_lock(&irqfd->lock);
		irqfd_set_message(irqfd, msi);
		spin_unlock(&irqfd->lock);
	}
	spin_unlock_irq(&all->lock);
	return error;
}

/* On return the eventfd sends nothing any more. */
static int irqfd_remove(struct lodge_vm *vm, const struct eventfd_ctx *eventfd)
{
	struct lodge_irqfds *all = &vm->irqfds;
	struct irqfd *irqfd;

	spin_lock_irq(&all->lock);
	irqfd = irqfd_find(all, eventfd);
	if (irqfd)
		irqfd_take_off(irqfd);
	spin_unlock_irq(&all->lock);
	if (!irqfd)
		return -ENOENT;
	irqfd_end(irqfd);
	return 0;
}

/* Return: the first one, which is off the list, or NULL. */
static struct irqfd *irqfd_pop(struct lodge_irqfds *all)
{
	struct irqfd *irqfd;

	spin_lock_irq(&all->lock);
	irqfd = list_first_entry_or_null(&all->list, struct irqfd, node);
	if (irqfd)
		irqfd_take_off(irqfd);
	spin_unlock_irq(&all->lock);
	return irqfd;
}

void lodge_irqfd_fini(struct lodge_vm *vm)
{
	struct irqfd *irqfd;

	/* No vCPU is left that might read the list of levels. */
	while ((irqfd = irqfd_pop(&vm->irqfds))) {
		irqfd_unhook(irqfd);
		irqfd_free(irqfd);
		cond_resched();
	}
	/* Those whose eventfds were closed: from here on none comes to them. */
	flush_work(&vm->irqfds.end);
}

/* Return: true if the interrupt that this APIC has ended can be of this irqfd. */
static bool irqfd_is_for(struct irqfd *irqfd, const struct lodge_apic *apic)
{
	struct lodge_msi msi;

	spin_lock_irq(&irqfd->lock);
	msi = irqfd->msi;
	spin_unlock_irq(&irqfd->lock);
	return lodge_irq_msi_is_for(&msi, apic);
}

/*
 * The same vector at another vCPU may be another interrupt, and one that user space has
 * sent.  A real IOAPIC, too, is told the vector alone: to tell too many is harmless.
 */
bool lodge_irqfd_ended(struct lodge_vcpu *vcpu, u8 vector)
{
	struct lodge_vm *vm = vcpu->vm;
	struct irqfd *irqfd;
	bool told = false;
	int index;

	if (list_empty(&vm->irqfds.levels))
		return false;
	index = srcu_read_lock(&vm->slots_srcu);
	list_for_each_entry_srcu(irqfd, &vm->irqfds.levels, level,
				 srcu_read_lock_held(&vm->slots_srcu)) {
		if (READ_ONCE(irqfd->vector) != vector)
			continue;
		lodge_eventfd_signal(irqfd->resample);
		told = told || irqfd_is_for(irqfd, vcpu->apic);
		/* There may be thousands, with many who wait for each. */
		cond_resched();
	}
	srcu_read_unlock(&vm->slots_srcu, index);
	return told;
}

static bool set_is_valid(const struct lodge_irqfd *set,
			 const struct lodge_msi *msi)
{
	const bool level = set->flags & LODGE_IRQFD_LEVEL;

	if (set->flags & ~(LODGE_IRQFD_LEVEL | LODGE_IRQFD_REMOVE))
		return false;
	if (set->reserved || (!level && set->resample))
		return false;
	if (set->flags & LODGE_IRQFD_REMOVE)
		return true;
	if (!lodge_irq_msi_valid(msi) || lodge_irq_msi_is_level(msi) != level)
		return false;
	/* No guest ends an NMI or INIT. */
	return !level || (msi->data & APIC_MODE_MASK) <= APIC_DM_LOWEST;
}

static int irqfd_set(struct lodge_vm *vm, const struct lodge_msi *msi,
		     const struct lodge_irqfd *set, struct file *file,
		     struct eventfd_ctx *eventfd)
{
	struct eventfd_ctx *resample = NULL;
	int error;

	if (set->flags & LODGE_IRQFD_LEVEL)
		resample = eventfd_ctx_fdget(set->resample);
	if (IS_ERR(resample))
		return PTR_ERR(resample);
	error = irqfd_change(vm, msi, eventfd, resample);
	if (error == -ENOENT) {
		error = irqfd_add(vm, msi, file, eventfd, resample);
		if (!error)
			return 0;
	} else if (!error) {
		eventfd_ctx_put(eventfd);
	}
	if (resample)
		eventfd_ctx_put(resample);
	return error;
}

long lodge_irqfd_set(struct lodge_vm *vm, const struct lodge_irqfd *set)
{
	const struct lodge_msi msi = {
		.address = set->address,
		.data = set->data,
	};
	struct eventfd_ctx *eventfd;
	struct file *file;
	int error;

	if (!set_is_valid(set, &msi))
		return -EINVAL;
	file = eventfd_fget(set->fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	eventfd = eventfd_ctx_fileget(file);
	if (set->flags & LODGE_IRQFD_REMOVE) {
		error = irqfd_remove(vm, eventfd);
		eventfd_ctx_put(eventfd);
	} else {
		error = irqfd_set(vm, &msi, set, file, eventfd);
		if (error)
			eventfd_ctx_put(eventfd);
	}
	fput(file);
	return error;
}
