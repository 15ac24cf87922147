// SPDX-License-Identifier: GPL-2.0
/*
 * Eventfds that send a VM's interrupt messages: see irqfd.h.
 *
 * Lock order: vm->lock -> an eventfd's own lock, under which irqfd_wake() is called ->
 * irqfds.lock, irqfd->lock -> the local APICs.  Nobody signals an eventfd under
 * irqfds.lock.
 *
 * An irqfd ends by a call, with the VM, or as its eventfd is closed; whoever takes it
 * off the list frees it: in the last case by a work, since nobody may sleep there.  The
 * VM waits for all of them, so an irqfd needs no reference to it.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>
#include <asm/apicdef.h>

#include "apic.h"
#include "compat.h"
#include "irqfd.h"
#include "user.h"
#include "vm.h"

/**
 * struct irqfd - an eventfd that sends a message
 * @node: in irqfds.list
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
 * @end: frees it, after its eventfd was closed
 */
struct irqfd {
	struct list_head node;
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
	struct work_struct end;
};

static struct workqueue_struct *irqfd_queue;

int lodge_irqfd_start(void)
{
	irqfd_queue = alloc_workqueue("lodge-irqfd", WQ_UNBOUND, 0);
	return irqfd_queue ? 0 : -ENOMEM;
}

void lodge_irqfd_stop(void)
{
	destroy_workqueue(irqfd_queue);
}

void lodge_irqfd_init(struct lodge_irqfds *all)
{
	spin_lock_init(&all->lock);
	INIT_LIST_HEAD(&all->list);
	INIT_LIST_HEAD(&all->levels);
}

/* Any context. */
static void irqfd_send(struct irqfd *irqfd)
{
	struct lodge_msi msi;
	unsigned long flags;

	spin_lock_irqsave(&irqfd->lock, flags);
	msi = irqfd->msi;
	spin_unlock_irqrestore(&irqfd->lock, flags);
	/* Nobody can be told that no vCPU takes it. */
	lodge_irq_msi(&irqfd->vm->apics, &msi);
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
	lodge_user_put_kernel(vm->user, sizeof(*irqfd));
	/* Now the VM may go. */
	if (atomic_dec_and_test(&vm->irqfds.nr))
		wake_up_var(&vm->irqfds.nr);
}

static void irqfd_end(struct irqfd *irqfd)
{
	u64 count;

	/* From then on irqfd_wake() is neither called nor under way. */
	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
	if (irqfd->resample)
		synchronize_srcu_expedited(&irqfd->vm->slots_srcu);
	irqfd_free(irqfd);
}

static void irqfd_end_closed(struct work_struct *work)
{
	irqfd_end(container_of(work, struct irqfd, end));
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
			queue_work(irqfd_queue, &irqfd->end);
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
	if (irqfd->resample)
		list_add_rcu(&irqfd->level, &all->levels);
	spin_unlock_irq(&all->lock);
	if (vfs_poll(file, &irqfd->table) & EPOLLIN && irqfd_drain(irqfd))
		irqfd_send(irqfd);
}

static struct irqfd *irqfd_new(struct lodge_vm *vm, const struct lodge_msi *msi)
{
	int error = lodge_user_get_kernel(vm->user, sizeof(struct irqfd));
	struct irqfd *irqfd;

	if (error)
		return ERR_PTR(error);
	irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	if (!irqfd) {
		lodge_user_put_kernel(vm->user, sizeof(*irqfd));
		return ERR_PTR(-ENOMEM);
	}
	irqfd->vm = vm;
	irqfd_set_message(irqfd, msi);
	INIT_LIST_HEAD(&irqfd->node);
	spin_lock_init(&irqfd->lock);
	init_waitqueue_func_entry(&irqfd->wait, irqfd_wake);
	init_poll_funcptr(&irqfd->table, irqfd_queue_wait);
	INIT_WORK(&irqfd->end, irqfd_end_closed);
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

	list_for_each_entry(irqfd, &all->list, node)
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
	if (irqfd) {
		error = irqfd->resample == resample ? 0 : -EINVAL;
		spin_lock(&irqfd->lock);
		if (!error)
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

	while ((irqfd = irqfd_pop(&vm->irqfds))) {
		irqfd_end(irqfd);
		cond_resched();
	}
	/* Those whose eventfds were closed. */
	wait_var_event(&vm->irqfds.nr, !atomic_read(&vm->irqfds.nr));
}

bool lodge_irqfd_ended(struct lodge_vm *vm, u8 vector)
{
	struct irqfd *irqfd;
	bool told = false;
	int index;

	index = srcu_read_lock(&vm->slots_srcu);
	list_for_each_entry_srcu(irqfd, &vm->irqfds.levels, level,
				 srcu_read_lock_held(&vm->slots_srcu)) {
		if (READ_ONCE(irqfd->vector) != vector)
			continue;
		lodge_eventfd_signal(irqfd->resample);
		told = true;
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
	return lodge_irq_msi_valid(msi) && lodge_irq_msi_is_level(msi) == level;
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
