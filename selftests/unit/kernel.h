/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the kernel that the module's files for exits and events use, for user
 * space.  These files are compiled with this header before all others, and with empty
 * headers in place of the kernel's (see the Makefile).
 */
#ifndef LODGE_UNIT_KERNEL_H
#define LODGE_UNIT_KERNEL_H

#include <linux/types.h>
#include <sched.h>
#include <stdlib.h>

#include "processor.h"
#include "pure.h"

/* This header replaces module/compat.h and module/fpu.h. */
#define LODGE_COMPAT_H
#define LODGE_FPU_H

#define __user
#define __rcu
#define __acquires(lock)
#define __releases(lock)
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define noinline __attribute__((noinline))
#define data_race(expression) (expression)

/*
 * Called before each access to data that others may change.  A test may define it, to
 * let something happen there.
 */
__attribute__((weak)) void kernel_interleave(void);

static inline void kernel_shared(void)
{
	if (kernel_interleave)
		kernel_interleave();
}

/* How often others could run. */
__attribute__((weak)) u32 kernel_rests;

#define cond_resched() (kernel_shared(), (void)kernel_rests++)
#define READ_ONCE(x) (kernel_shared(), *(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) \
	(kernel_shared(), *(volatile __typeof__(x) *)&(x) = (value))
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define clamp(value, low, high) \
	((value) < (low) ? (low) : (value) > (high) ? (high) : (value))
#define max_t(type, a, b) ((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define PAGE_SIZE 4096UL
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define offset_in_page(address) ((unsigned long)(address) & ~PAGE_MASK)
#define GENMASK(high, low) GENMASK_ULL(high, low)
#define DECLARE_PER_CPU(type, name) extern type name
#define __this_cpu_read(name) (name)
#define smp_processor_id() 0
#define __this_cpu_write(name, value) ((name) = (value))

/* A warning is a bug in the module: the program ends. */
#define WARN_ONCE(condition, ...) \
	do {                      \
		if (condition)    \
			abort();  \
	} while (0)

struct kref {
	int count;
};

struct mutex {
	int owner;
};

struct rcuwait {
	int task;
};

struct srcu_struct {
	int readers;
};

struct mmu_notifier {
	int users;
};

struct lodge_fpu {
	int guest;
};

typedef struct {
	int counter;
} atomic_t;

/* It runs when a test calls it. */
struct work_struct {
	void (*call)(struct work_struct *work);
	struct work_struct *next;
	unsigned long delay;
};

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

struct hlist_node {
	struct hlist_node *next;
	struct hlist_node **where;
};

struct hlist_head {
	struct hlist_node *first;
};

#define DECLARE_HASHTABLE(name, bits) struct hlist_head name[1 << (bits)]

typedef struct {
	u32 val;
} kuid_t;

#define GLOBAL_ROOT_UID ((kuid_t){ 0 })
#define INVALID_UID ((kuid_t){ -1 })

static inline bool uid_lt(kuid_t a, kuid_t b)
{
	return a.val < b.val;
}

static inline bool uid_eq(kuid_t a, kuid_t b)
{
	return a.val == b.val;
}

static inline bool uid_valid(kuid_t uid)
{
	return !uid_eq(uid, INVALID_UID);
}

/* One thread's alone, for each of its changes. */
typedef struct {
	long value;
} local64_t;

struct ratelimit_state {
	int left;
};

typedef int spinlock_t;
typedef int seqlock_t;
typedef int *cpumask_var_t;

#define MSR_K7_PERFCTR0 0xc0010004

/* The processor has the features that the emulator and AMD-V check. */
enum {
	X86_FEATURE_SPLIT_LOCK_DETECT,
	X86_FEATURE_AVX,
	X86_FEATURE_BMI1,
	X86_FEATURE_ABM,
	X86_FEATURE_NRIPS,
	X86_FEATURE_DECODEASSISTS,
	X86_FEATURE_MSR_SPEC_CTRL,
	X86_FEATURE_V_SPEC_CTRL,
	X86_FEATURE_OSPKE,
};

/* But for these two; a test can have it. */
__attribute__((weak)) bool kernel_has_pkru;

#define boot_cpu_has(feature)                          \
	((feature) != X86_FEATURE_SPLIT_LOCK_DETECT && \
	 ((feature) != X86_FEATURE_OSPKE || kernel_has_pkru))
#define cpu_feature_enabled boot_cpu_has
#define X86_VENDOR_INTEL 0
#define XFEATURE_MASK_SSE 0x2
#define XFEATURE_MASK_YMM 0x4

static const struct {
	int x86_vendor;
} boot_cpu_data = { X86_VENDOR_INTEL };

static inline void set_bit(long number, unsigned long *bits)
{
	kernel_shared();
	__atomic_fetch_or(&bits[number / 64], BIT(number % 64),
			  __ATOMIC_SEQ_CST);
}

static inline void clear_bit(long number, unsigned long *bits)
{
	kernel_shared();
	__atomic_fetch_and(&bits[number / 64], ~BIT(number % 64),
			   __ATOMIC_SEQ_CST);
}

static inline bool test_bit(long number, const unsigned long *bits)
{
	kernel_shared();
	return __atomic_load_n(&bits[number / 64], __ATOMIC_SEQ_CST) &
	       BIT(number % 64);
}

static inline bool test_and_set_bit(long number, unsigned long *bits)
{
	kernel_shared();
	return __atomic_fetch_or(&bits[number / 64], BIT(number % 64),
				 __ATOMIC_SEQ_CST) &
	       BIT(number % 64);
}

static inline bool test_and_clear_bit(long number, unsigned long *bits)
{
	kernel_shared();
	return __atomic_fetch_and(&bits[number / 64], ~BIT(number % 64),
				  __ATOMIC_SEQ_CST) &
	       BIT(number % 64);
}

static inline long local64_read(const local64_t *counter)
{
	kernel_shared();
	return *(const volatile long *)&counter->value;
}

static inline void local64_set(local64_t *counter, long value)
{
	kernel_shared();
	counter->value = value;
}

static inline void local64_inc(local64_t *counter)
{
	kernel_shared();
	counter->value++;
}

static inline void local64_add(long change, local64_t *counter)
{
	kernel_shared();
	counter->value += change;
}

static inline void local64_sub(long change, local64_t *counter)
{
	kernel_shared();
	counter->value -= change;
}

/* The processor's counter, which belongs to the test. */
extern u32 tsc_khz;
u64 rdtsc(void);
#define rdtsc_ordered() rdtsc()

#define __fls(word) (63UL - __builtin_clzl(word))
#define NSEC_PER_MSEC 1000000L
#define div64_u64(a, b) ((a) / (b))

static inline u64 mul_u64_u32_div(u64 a, u32 b, u32 divisor)
{
	return (u64)((unsigned __int128)a * b / divisor);
}

static inline u64 mul_u64_u64_shr(u64 a, u64 b, unsigned int shift)
{
	return (u64)((unsigned __int128)a * b >> shift);
}

#define test_and_set_bit_lock test_and_set_bit
#define clear_bit_unlock clear_bit

static inline int atomic_read(const atomic_t *value)
{
	kernel_shared();
	return __atomic_load_n(&value->counter, __ATOMIC_RELAXED);
}

static inline void atomic_dec(atomic_t *value)
{
	kernel_shared();
	__atomic_fetch_sub(&value->counter, 1, __ATOMIC_SEQ_CST);
}

static inline int atomic_cmpxchg(atomic_t *value, int old, int new)
{
	kernel_shared();
	__atomic_compare_exchange_n(&value->counter, &old, new, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return old;
}

static inline bool atomic_add_unless(atomic_t *value, int add, int unless)
{
	int old = atomic_read(value);

	while (old != unless) {
		int seen = atomic_cmpxchg(value, old, old + add);

		if (seen == old)
			return true;
		old = seen;
	}
	return false;
}

/*
 * SRCU, and memory allocations that a test can let fail.  Waiting for readers waits for
 * all of them, which is more than SRCU guarantees.
 */
#define lockdep_is_held(lock) true
#define rcu_access_pointer(p) __atomic_load_n(&(p), __ATOMIC_RELAXED)
#define rcu_dereference_protected(p, held) (p)
#define srcu_dereference(p, srcu) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_assign_pointer(p, value) \
	__atomic_store_n(&(p), value, __ATOMIC_RELEASE)
#define RCU_INIT_POINTER(p, value) ((p) = (value))

static inline int srcu_read_lock(struct srcu_struct *srcu)
{
	__atomic_fetch_add(&srcu->readers, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static inline void srcu_read_unlock(struct srcu_struct *srcu, int index)
{
	__atomic_fetch_sub(&srcu->readers, 1, __ATOMIC_SEQ_CST);
}

/* What the caller has changed before is seen by each reader that is not waited for. */
static inline void synchronize_srcu_expedited(struct srcu_struct *srcu)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	while (__atomic_load_n(&srcu->readers, __ATOMIC_SEQ_CST))
		sched_yield();
}

#define GFP_KERNEL_ACCOUNT 0
#define struct_size(p, member, count) \
	(sizeof(*(p)) + (count) * sizeof((p)->member[0]))

__attribute__((weak)) bool kernel_has_no_memory(void);

static inline void *kzalloc(size_t size, int flags)
{
	if (kernel_has_no_memory && kernel_has_no_memory())
		return NULL;
	return calloc(1, size);
}

static inline void kfree(const void *memory)
{
	free((void *)memory);
}

static inline bool lodge_handle_split_lock(unsigned long rip)
{
	return false;
}

#endif
