/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows one kernel from another.  Kbuild looks the features
 * up in the target's headers and Module.symvers and defines LODGE_HAVE_*.
 */
#ifndef LODGE_COMPAT_H
#define LODGE_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/syscore_ops.h>
#include <asm/msr.h>

#ifndef LODGE_HAVE_RDMSRQ
#define rdmsrq		rdmsrl
#define wrmsrq		wrmsrl
#define rdmsrq_safe	rdmsrl_safe
#define wrmsrq_safe	wrmsrl_safe
#endif

#ifndef LODGE_HAVE_HRTIMER_SETUP
static inline void
hrtimer_setup(struct hrtimer *timer,
	      enum hrtimer_restart (*function)(struct hrtimer *),
	      clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#ifndef LODGE_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

/* What the "young" callbacks of struct mmu_notifier_ops return. */
#ifdef LODGE_HAVE_YOUNG_BOOL
typedef bool lodge_young_t;
#else
typedef int lodge_young_t;
#endif

#endif
