// SPDX-License-Identifier: GPL-2.0
/*
 * Access to guest physical memory from the kernel.
 *
 * Guest memory is the caller's: what is present is copied with the slots held,
 * what is not is asked for from the host without them.
 */
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <asm/processor.h>

#include "compat.h"
#include "dirty.h"
#include "host_page.h"
#include "mem.h"
#include "slots.h"
#include "vm.h"

/*
 * Faults that the host serves in a row before an access fails.  A page may be gone
 * again before the access, and the next fault brings it back.  But there are mappings
 * whose faults succeed and that never allow the access.
 */
#define MEM_MAX_FAULTS 1000

/*
 * For an access in the middle of an instruction, which only the end of the process
 * may cut short.  It is the @nth fault in a row.
 */
static int mem_fault_killable(struct mm_struct *mm, const void __user *where,
			      bool write, unsigned int nth)
{
	if (nth > MEM_MAX_FAULTS)
		return -EFAULT;
	if (fatal_signal_pending(current) || lodge_has_lost_page())
		return -EFAULT;
	cond_resched();
	return lodge_host_page_fault(mm, (unsigned long)where, write, 0) ?
		       -EFAULT :
		       0;
}

/*
 * Finds the caller's address of @gpa, and cuts @size at the slot's end; under
 * vm->slots_srcu.  Return: the slot or an error pointer.
 */
static const struct lodge_slot *mem_locate(struct lodge_vm *vm, u64 gpa,
					   bool write, void __user **where,
					   size_t *size)
{
	const struct lodge_slot *slot = lodge_slot_find(
		srcu_dereference(vm->slots, &vm->slots_srcu), gpa);
	u64 offset;

	if (!slot)
		return ERR_PTR(-ENXIO);
	if (write && slot->flags & LODGE_MEM_READONLY)
		return ERR_PTR(-EROFS);
	offset = lodge_slot_offset(slot, gpa);
	*where = (void __user *)(slot->hva + offset);
	*size = min_t(u64, *size, slot->size - offset);
	return slot;
}

void __user *lodge_mem_user(struct lodge_vm *vm, u64 gpa, bool write)
{
	void __user *where = NULL;
	size_t size = 1;
	int index;

	index = srcu_read_lock(&vm->slots_srcu);
	if (IS_ERR(mem_locate(vm, gpa, write, &where, &size)))
		where = NULL;
	srcu_read_unlock(&vm->slots_srcu, index);
	return where;
}

/*
 * Page-table entries, most of what is read, are worth a faster way.  Return: bytes
 * that are left, from the end.
 */
static size_t mem_copy_in(void *to, const void __user *from, size_t size)
{
	u64 value;

	if (size != sizeof(value) || !IS_ALIGNED((uintptr_t)from, size))
		return copy_from_user(to, from, size);
	if (get_user(value, (const u64 __user *)from))
		return size;
	memcpy(to, &value, sizeof(value));
	return 0;
}

/*
 * Copy what is present, up to the slot's end or to the first byte that is not,
 * which then is at @where.  Whoever changes slots waits for this, so it must not
 * wait for user space.
 *
 * Return: bytes that are copied, or -errno.
 */
static ssize_t mem_copy_present(struct lodge_vm *vm, u64 gpa, void *in,
				const void *out, size_t size,
				void __user **where)
{
	const struct lodge_slot *slot;
	size_t left = 0;
	int index;

	index = srcu_read_lock(&vm->slots_srcu);
	slot = mem_locate(vm, gpa, out, where, &size);
	if (!IS_ERR(slot)) {
		pagefault_disable();
		left = out ? copy_to_user(*where, out, size) :
			     mem_copy_in(in, *where, size);
		pagefault_enable();
		/* More may be written than is said to be, even if nothing is. */
		if (out)
			lodge_dirty_note(slot, gpa, size);
	}
	srcu_read_unlock(&vm->slots_srcu, index);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	*where += size - left;
	return size - left;
}

static int mem_copy(struct lodge_vm *vm, u64 gpa, void *in, const void *out,
		    size_t size)
{
	unsigned int faults = 0;
	void __user *where;
	ssize_t done;
	int err;

	while (size) {
		done = mem_copy_present(vm, gpa, in, out, size, &where);
		if (done < 0)
			return done;
		if (!done) {
			err = mem_fault_killable(vm->mm, where, out, ++faults);
			if (err)
				return err;
			continue;
		}
		faults = 0;
		if (out)
			out += done;
		else
			in += done;
		gpa += done;
		size -= done;
	}
	return 0;
}

int lodge_mem_read(struct lodge_vm *vm, u64 gpa, void *data, size_t size)
{
	return mem_copy(vm, gpa, data, NULL, size);
}

int lodge_mem_write(struct lodge_vm *vm, u64 gpa, const void *data, size_t size)
{
	return mem_copy(vm, gpa, NULL, data, size);
}

struct octa {
	u64 low;
	u64 high;
};

/* As __try_cmpxchg_user(), which has nothing above 8 bytes. */
static int mem_user_cmpxchg16(struct octa __user *where, struct octa *old,
			      const struct octa *new)
{
	int err = 0;
	bool same;

	__uaccess_begin_nospec();
	/* clang-format off */
	asm volatile("1: lock cmpxchg16b %[where]\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %[err])
		     : "=@ccz" (same), [err] "+r" (err),
		       [where] "+m" (*(__force struct octa *)where),
		       "+a" (old->low), "+d" (old->high)
		     : "b" (new->low), "c" (new->high)
		     : "memory");
	/* clang-format on */
	__uaccess_end();
	return err ?: !same;
}

static int mem_user_cmpxchg(void __user *where, void *old, const void *new,
			    size_t size)
{
	switch (size) {
	case 1:
		return __try_cmpxchg_user((u8 __user *)where, (u8 *)old,
					  *(const u8 *)new, fault1);
	case 2:
		return __try_cmpxchg_user((u16 __user *)where, (u16 *)old,
					  *(const u16 *)new, fault2);
	case 4:
		return __try_cmpxchg_user((u32 __user *)where, (u32 *)old,
					  *(const u32 *)new, fault4);
	case 8:
		return __try_cmpxchg_user((u64 __user *)where, (u64 *)old,
					  *(const u64 *)new, fault8);
	case 16:
		return mem_user_cmpxchg16(where, old, new);
	default:
		return -EINVAL;
	}
}

/* Return: as lodge_mem_cmpxchg(), but -EFAULT where the host is to be asked. */
static int mem_cmpxchg_present(struct lodge_vm *vm, u64 gpa, void *old,
			       const void *new, size_t size,
			       void __user **where)
{
	const struct lodge_slot *slot;
	size_t part = size;
	int index, err;

	index = srcu_read_lock(&vm->slots_srcu);
	slot = mem_locate(vm, gpa, true, where, &part);
	err = PTR_ERR_OR_ZERO(slot);
	if (!err) {
		pagefault_disable();
		err = mem_user_cmpxchg(*where, old, new, size);
		pagefault_enable();
		if (!err)
			lodge_dirty_note(slot, gpa, size);
	}
	srcu_read_unlock(&vm->slots_srcu, index);
	return err > 0 ? -EAGAIN : err;
}

int lodge_mem_cmpxchg(struct lodge_vm *vm, u64 gpa, void *old, const void *new,
		      size_t size)
{
	unsigned int faults = 0;
	void __user *where;
	int err;

	/* Aligned, it is within a page and so within a slot. */
	if (gpa & (size - 1))
		return -EINVAL;
	for (;;) {
		err = mem_cmpxchg_present(vm, gpa, old, new, size, &where);
		if (err != -EFAULT)
			return err;
		err = mem_fault_killable(vm->mm, where, true, ++faults);
		if (err)
			return err;
	}
}
