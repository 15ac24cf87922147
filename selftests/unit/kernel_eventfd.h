/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the kernel that module/ioeventfd.c and module/irqfd.c use, for user space:
 * lists, locks, and eventfds with those who wait for them.  Included after kernel.h.
 *
 * There is one thread.  What another one would do happens where kernel_shared() is
 * called: see interleave.h.
 */
#ifndef LODGE_UNIT_KERNEL_EVENTFD_H
#define LODGE_UNIT_KERNEL_EVENTFD_H

#include <errno.h>
#include <poll.h>
#include <stddef.h>

#define EPOLLIN POLLIN
#define EPOLLHUP POLLHUP
#define APIC_VECTOR_MASK 0xff
#define APIC_MODE_MASK 0x700
#define APIC_DM_LOWEST 0x100
#define LODGE_EVENTFD_BYTES 128
#define IS_ENABLED(option) 0

#define ERR_PTR(error) ((void *)(long)(error))
#define PTR_ERR(pointer) ((long)(pointer))
#define IS_ERR(pointer) ((unsigned long)(pointer) >= -4095UL)
#define is_power_of_2(n) ((n) && !((n) & ((n)-1)))
#define container_of(pointer, type, member) \
	((type *)((char *)(pointer)-offsetof(type, member)))

/* ---------------------------------------------------------------------- lists */

#define LIST_HEAD(name) struct list_head name = { &(name), &(name) }
#define INIT_LIST_HEAD(head) ((head)->next = (head)->prev = (head))
#define list_empty(head) ((head)->next == (head))
#define list_is_singular(head) \
	(!list_empty(head) && (head)->next == (head)->prev)
#define list_entry(pointer, type, member) container_of(pointer, type, member)
#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? NULL : list_entry((head)->next, type, member))
#define list_for_each_entry(entry, head, member)                           \
	for (entry = list_entry((head)->next, __typeof__(*entry), member); \
	     &entry->member != (head);                                     \
	     entry = list_entry(entry->member.next, __typeof__(*entry),    \
				member))
#define list_for_each_entry_srcu(entry, head, member, held) \
	list_for_each_entry(entry, head, member)
#define list_for_each_entry_safe(entry, after, head, member)               \
	for (entry = list_entry((head)->next, __typeof__(*entry), member), \
	    after = list_entry(entry->member.next, __typeof__(*entry),     \
			       member);                                    \
	     &entry->member != (head);                                     \
	     entry = after, after = list_entry(after->member.next,         \
					       __typeof__(*entry), member))
#define list_add_rcu list_add
#define list_del_rcu list_del

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	entry->next = head->next;
	entry->prev = head;
	head->next->prev = entry;
	head->next = entry;
}

static inline void list_del(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
}

static inline void list_del_init(struct list_head *entry)
{
	list_del(entry);
	INIT_LIST_HEAD(entry);
}

static inline void list_splice_init(struct list_head *list,
				    struct list_head *head)
{
	while (!list_empty(list)) {
		struct list_head *entry = list->prev;

		list_del(entry);
		list_add(entry, head);
	}
}

/* ---------------------------------------------------------------- hash tables */

/* How many entries were looked at. */
extern unsigned int kernel_hash_steps;

/* Multiplication by the golden ratio, as the kernel has it. */
#define kernel_hash(table, key)                \
	(((u64)(key)*0x61c8864680b583ebULL) >> \
	 (64 - __builtin_ctzl(sizeof(table) / sizeof(*(table)))))

#define hash_init(table) memset(table, 0, sizeof(table))
#define hash_add(table, node, key) \
	hlist_add_head(node, &(table)[kernel_hash(table, key)])
#define hash_for_each_possible(table, entry, member, key)                   \
	for (struct hlist_node *_node =                                     \
		     (table)[kernel_hash(table, key)].first;                \
	     _node &&                                                       \
	     (kernel_hash_steps++,                                          \
	      (entry) = container_of(_node, __typeof__(*(entry)), member)); \
	     _node = _node->next)

static inline void hlist_add_head(struct hlist_node *node,
				  struct hlist_head *head)
{
	node->next = head->first;
	node->where = &head->first;
	if (node->next)
		node->next->where = &node->next;
	head->first = node;
}

static inline void hash_del(struct hlist_node *node)
{
	*node->where = node->next;
	if (node->next)
		node->next->where = node->where;
}

/* ---------------------------------------------------------------------- locks */

/* How many spinlocks are held: nobody waits or frees a list's reader meanwhile. */
extern int kernel_locks;

static inline void kernel_require(bool condition)
{
	if (!condition)
		abort();
}

static inline void spin_lock(spinlock_t *lock)
{
	kernel_require(!*lock);
	*lock = 1;
	kernel_locks++;
}

static inline void spin_unlock(spinlock_t *lock)
{
	kernel_require(*lock);
	*lock = 0;
	kernel_locks--;
}

/* Before a lock is taken, and after it is given back, others have their turn. */
static inline void spin_lock_irq(spinlock_t *lock)
{
	kernel_shared();
	spin_lock(lock);
}

static inline void spin_unlock_irq(spinlock_t *lock)
{
	spin_unlock(lock);
	kernel_shared();
}

#define spin_lock_init(lock) (*(lock) = 0)
#define spin_lock_irqsave(lock, flags) ((flags) = 0, spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), spin_unlock(lock))
#define srcu_read_lock_held(srcu) ((srcu)->readers > 0)

static inline void atomic_inc(atomic_t *value)
{
	value->counter++;
}

/* ------------------------------------------------------------------ waits, works */

typedef unsigned int __poll_t;
typedef struct kernel_wait wait_queue_entry_t;

struct kernel_wait {
	struct list_head node;
	int (*func)(wait_queue_entry_t *wait, unsigned int mode, int sync,
		    void *key);
};

typedef struct {
	spinlock_t lock;
	struct list_head waits;
} wait_queue_head_t;

struct file;
typedef struct kernel_poll poll_table;

struct kernel_poll {
	void (*queue)(struct file *file, wait_queue_head_t *head,
		      poll_table *table);
};

#define key_to_poll(key) ((__poll_t)(unsigned long)(key))
#define init_waitqueue_func_entry(wait, function) ((wait)->func = (function))
#define init_poll_funcptr(table, function) ((table)->queue = (function))

static inline void add_wait_queue(wait_queue_head_t *head,
				  wait_queue_entry_t *wait)
{
	list_add(&wait->node, &head->waits);
}

/* A work waits until kernel_work() is called: by who waits for it, or by a test. */
void kernel_queue_work(struct work_struct *work);
void kernel_work(void);

#define INIT_WORK(work, function) ((work)->call = (function))
#define queue_work(queue, work) kernel_queue_work(work)
#define flush_work(work) kernel_work()

/* -------------------------------------------------------------------- eventfds */

struct eventfd_ctx {
	int users;
	u64 count;
	wait_queue_head_t head;
};

struct file {
	int users;
	struct eventfd_ctx *eventfd;
};

struct file *eventfd_fget(int fd);
struct eventfd_ctx *eventfd_ctx_fileget(struct file *file);
struct eventfd_ctx *eventfd_ctx_fdget(int fd);
void eventfd_ctx_put(struct eventfd_ctx *eventfd);
void fput(struct file *file);
void eventfd_ctx_do_read(struct eventfd_ctx *eventfd, u64 *count);
void lodge_eventfd_signal(struct eventfd_ctx *eventfd);

static inline int eventfd_ctx_remove_wait_queue(struct eventfd_ctx *eventfd,
						wait_queue_entry_t *wait,
						u64 *count)
{
	spin_lock_irq(&eventfd->head.lock);
	eventfd_ctx_do_read(eventfd, count);
	list_del(&wait->node);
	spin_unlock_irq(&eventfd->head.lock);
	return 0;
}

static inline __poll_t vfs_poll(struct file *file, poll_table *table)
{
	table->queue(file, &file->eventfd->head, table);
	return file->eventfd->count ? EPOLLIN : 0;
}

#endif
