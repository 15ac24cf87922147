// SPDX-License-Identifier: GPL-2.0
/*
 * Guest physical memory: the slots, access to what is behind them, and the
 * nested page fault.
 *
 * Nothing is pinned and no struct page is touched.  A fault copies what the
 * host's own page table says into the nested one, under the protocol of
 * notifier.c, so that the host's next change of mind removes it again.  Hence
 * the rule for writing: a leaf is writable only while the host's entry is
 * writable and dirty.  The host cannot forget that the page is dirty without an
 * invalidation, and so needs no word from us.
 */
#include "vm.h"

#include <linux/mem_encrypt.h>
#include <linux/moduleparam.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/mmu_context.h>
#include <asm/processor.h>
#include <asm/trap_pf.h>

#include "guard.h"
#include "mem.h"
#include "slots.h"

/* Of fault_map(): the host must be asked for the page first. */
#define MEM_ABSENT 2

/* Tables that any VM may have: more than all that one instruction can touch. */
#define MEM_MIN_TABLES 256

static ulong max_tables;
module_param(max_tables, ulong, 0644);
MODULE_PARM_DESC(max_tables,
		 "nested page tables of one VM, pages; 0: by the host's memory");

/*
 * Slots
 */

static const struct lodge_slot *slot_find(const struct lodge_slots *slots,
					  u64 gpa)
{
	u32 low = 0, high = slots->nr;

	while (low < high) {
		u32 middle = (low + high) / 2;
		const struct lodge_slot *slot = &slots->slot[middle];

		if (gpa < slot->gpa)
			high = middle;
		else if (gpa - slot->gpa >= slot->size)
			low = middle + 1;
		else
			return slot;
	}
	return NULL;
}

/*
 * Where @gpa lies in the slot that has been found for it; a processor that has
 * guessed wrong in the search stays within the slot, too.
 */
static u64 slot_offset(const struct lodge_slot *slot, u64 gpa)
{
	return array_index_nospec(gpa - slot->gpa, slot->size);
}

u8 lodge_mem_phys_bits(void)
{
	u8 bits = min_t(u8, boot_cpu_data.x86_phys_bits, 52);

	if (!lodge_backend)
		return bits;
	return min(bits, lodge_npt_bits(lodge_backend->format));
}

static bool memory_valid(const struct lodge_memory *arg)
{
	u64 limit = 1ULL << lodge_mem_phys_bits();

	if (arg->slot >= LODGE_MAX_SLOTS || arg->flags & ~LODGE_MEM_READONLY)
		return false;
	if (!PAGE_ALIGNED(arg->gpa | arg->size | arg->hva))
		return false;
	return arg->size <= limit && arg->gpa <= limit - arg->size &&
	       arg->size <= TASK_SIZE_MAX &&
	       arg->hva <= TASK_SIZE_MAX - arg->size;
}

/*
 * The array that follows @old: without @arg's slot as it was, with it as it
 * shall be.
 */
static struct lodge_slots *slots_next(const struct lodge_slots *old,
				      const struct lodge_memory *arg)
{
	const struct lodge_slot add = {
		.gpa = arg->gpa,
		.size = arg->size,
		.hva = arg->hva,
		.id = arg->slot,
		.flags = arg->flags,
	};
	bool added = !add.size;
	struct lodge_slots *new;
	u32 i;

	new = kzalloc(struct_size(new, slot, old->nr + 1), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	for (i = 0; i < old->nr; i++) {
		const struct lodge_slot *slot = &old->slot[i];

		if (slot->id == add.id)
			continue;
		if (!added && add.gpa < slot->gpa) {
			new->slot[new->nr++] = add;
			added = true;
		}
		new->slot[new->nr++] = *slot;
	}
	if (!added)
		new->slot[new->nr++] = add;
	return new;
}

/*
 * Exchange the arrays, and remove what the nested tables have of @gone and the
 * devices that they have where memory comes.  A fault that has looked into the
 * old array notices under the same lock.
 */
static void slots_publish(struct lodge_vm *vm, struct lodge_slots *new,
			  const struct lodge_slot *gone,
			  const struct lodge_memory *come)
{
	u64 *removed = NULL;
	bool flush;

	spin_lock(&vm->npt_lock);
	rcu_assign_pointer(vm->slots, new);
	WRITE_ONCE(vm->slots_generation, vm->slots_generation + 1);
	flush = lodge_npt_unmap(&vm->npt, come->gpa, come->gpa + come->size);
	if (gone)
		flush |= lodge_npt_unmap(&vm->npt, gone->gpa,
					 gone->gpa + gone->size);
	if (flush) {
		lodge_vm_flush_tlbs(vm);
		removed = lodge_npt_take_removed(&vm->npt);
	}
	spin_unlock(&vm->npt_lock);
	lodge_npt_free_removed(&vm->npt, removed);
	synchronize_srcu_expedited(&vm->slots_srcu);
}

int lodge_mem_set(struct lodge_vm *vm, const struct lodge_memory *arg)
{
	const struct lodge_slot *gone = NULL;
	struct lodge_slots *old, *new;
	u32 i;

	if (!memory_valid(arg))
		return -EINVAL;
	old = rcu_dereference_protected(vm->slots, lockdep_is_held(&vm->lock));
	for (i = 0; i < old->nr; i++) {
		const struct lodge_slot *slot = &old->slot[i];

		if (slot->id == arg->slot)
			gone = slot;
		else if (arg->size && arg->gpa < slot->gpa + slot->size &&
			 slot->gpa < arg->gpa + arg->size)
			return -EEXIST;
	}
	if (!arg->size && !gone)
		return -ENOENT;
	new = slots_next(old, arg);
	if (!new)
		return -ENOMEM;
	slots_publish(vm, new, gone, arg);
	kfree(old);
	return 0;
}

int lodge_mem_init(struct lodge_vm *vm)
{
	struct lodge_slots *slots;
	int err;

	slots = kzalloc(sizeof(*slots), GFP_KERNEL_ACCOUNT);
	if (!slots)
		return -ENOMEM;
	err = init_srcu_struct(&vm->slots_srcu);
	if (err)
		goto free_slots;
	err = lodge_npt_init(&vm->npt, lodge_backend->format);
	if (err)
		goto free_srcu;
	RCU_INIT_POINTER(vm->slots, slots);
	err = lodge_notifier_init(vm);
	if (err)
		goto free_npt;
	return 0;

free_npt:
	RCU_INIT_POINTER(vm->slots, NULL);
	lodge_npt_fini(&vm->npt);
free_srcu:
	cleanup_srcu_struct(&vm->slots_srcu);
free_slots:
	kfree(slots);
	return err;
}

void lodge_mem_fini(struct lodge_vm *vm)
{
	struct lodge_slots *slots = rcu_dereference_protected(vm->slots, true);

	if (!slots)
		return;
	lodge_notifier_fini(vm);
	lodge_npt_fini(&vm->npt);
	cleanup_srcu_struct(&vm->slots_srcu);
	RCU_INIT_POINTER(vm->slots, NULL);
	kfree(slots);
}

/*
 * The host's faults: whoever serves one may take as long as it likes (userfaultfd,
 * FUSE), so nothing that others wait for is held meanwhile.
 */

/*
 * Have the host make the page present, and writable and dirty for @write.  Return:
 * 0, -EINTR when a signal came first that @flags lets interrupt, or -errno.
 */
static int host_fault(struct mm_struct *mm, unsigned long hva, bool write,
		      unsigned int flags)
{
	vm_flags_t need = write ? VM_WRITE : VM_READ;
	struct vm_area_struct *vma;
	vm_fault_t fault;

	flags |= FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE |
		 (write ? FAULT_FLAG_WRITE : 0);
	for (;;) {
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		vma = vma_lookup(mm, hva);
		if (!vma || !(vma->vm_flags & need) ||
		    !arch_vma_access_permitted(vma, write, false, false)) {
			mmap_read_unlock(mm);
			return -EFAULT;
		}
		/* COMPLETED and RETRY have dropped the lock. */
		fault = handle_mm_fault(vma, hva, flags, NULL);
		if (fault & VM_FAULT_COMPLETED)
			return 0;
		if (!(fault & VM_FAULT_RETRY)) {
			mmap_read_unlock(mm);
			return vm_fault_to_errno(fault, FOLL_HWPOISON);
		}
		if (flags & FAULT_FLAG_INTERRUPTIBLE ?
			    signal_pending(current) :
			    fatal_signal_pending(current))
			return -EINTR;
		flags |= FAULT_FLAG_TRIED;
	}
}

/*
 * For an access in the middle of an instruction, which only the end of the process
 * may cut short.
 */
static int host_fault_killable(struct mm_struct *mm, const void __user *where,
			       bool write)
{
	if (fatal_signal_pending(current) || lodge_has_lost_page())
		return -EFAULT;
	cond_resched();
	return host_fault(mm, (unsigned long)where, write, 0) ? -EFAULT : 0;
}

/*
 * Access from the kernel
 */

/* Where the caller has @gpa; cuts @size at the slot's end. */
static int slots_locate(const struct lodge_slots *slots, u64 gpa, bool write,
			void __user **where, size_t *size)
{
	const struct lodge_slot *slot = slot_find(slots, gpa);
	u64 offset;

	if (!slot)
		return -ENXIO;
	if (write && slot->flags & LODGE_MEM_READONLY)
		return -EROFS;
	offset = slot_offset(slot, gpa);
	*where = (void __user *)(slot->hva + offset);
	*size = min_t(u64, *size, slot->size - offset);
	return 0;
}

void __user *lodge_mem_user(struct lodge_vm *vm, u64 gpa, bool write)
{
	void __user *where = NULL;
	size_t size = 1;
	int index;

	index = srcu_read_lock(&vm->slots_srcu);
	if (slots_locate(srcu_dereference(vm->slots, &vm->slots_srcu), gpa,
			 write, &where, &size))
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
	size_t left = 0;
	int index, err;

	index = srcu_read_lock(&vm->slots_srcu);
	err = slots_locate(srcu_dereference(vm->slots, &vm->slots_srcu), gpa,
			   out, where, &size);
	if (!err) {
		pagefault_disable();
		left = out ? copy_to_user(*where, out, size) :
			     mem_copy_in(in, *where, size);
		pagefault_enable();
	}
	srcu_read_unlock(&vm->slots_srcu, index);
	if (err)
		return err;
	*where += size - left;
	return size - left;
}

static int mem_copy(struct lodge_vm *vm, u64 gpa, void *in, const void *out,
		    size_t size)
{
	void __user *where;
	ssize_t done;
	int err;

	while (size) {
		done = mem_copy_present(vm, gpa, in, out, size, &where);
		if (done < 0)
			return done;
		if (!done) {
			err = host_fault_killable(vm->mm, where, out);
			if (err)
				return err;
			continue;
		}
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
static int user_cmpxchg16(struct octa __user *where, struct octa *old,
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

static int user_cmpxchg(void __user *where, void *old, const void *new,
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
		return user_cmpxchg16(where, old, new);
	default:
		return -EINVAL;
	}
}

/* Return: as lodge_mem_cmpxchg(), but -EFAULT where the host is to be asked. */
static int mem_cmpxchg_present(struct lodge_vm *vm, u64 gpa, void *old,
			       const void *new, size_t size,
			       void __user **where)
{
	size_t part = size;
	int index, err;

	index = srcu_read_lock(&vm->slots_srcu);
	err = slots_locate(srcu_dereference(vm->slots, &vm->slots_srcu), gpa,
			   true, where, &part);
	if (!err) {
		pagefault_disable();
		err = user_cmpxchg(*where, old, new, size);
		pagefault_enable();
	}
	srcu_read_unlock(&vm->slots_srcu, index);
	return err > 0 ? -EAGAIN : err;
}

int lodge_mem_cmpxchg(struct lodge_vm *vm, u64 gpa, void *old, const void *new,
		      size_t size)
{
	void __user *where;
	int err;

	/* Aligned, it is within a page and so within a slot. */
	if (gpa & (size - 1))
		return -EINVAL;
	for (;;) {
		err = mem_cmpxchg_present(vm, gpa, old, new, size, &where);
		if (err != -EFAULT)
			return err;
		err = host_fault_killable(vm->mm, where, true);
		if (err)
			return err;
	}
}

/*
 * The nested page fault
 */

/**
 * struct host_page - the leaf of the host's page table at an address
 * @entry: as the processor reads it; 0: there is none
 * @level: as the nested tables count
 */
struct host_page {
	u64 entry;
	u8 level;
};

/*
 * Look at the host's page table without a lock.  With interrupts off no table is
 * freed beneath; what the entry says is to be trusted only as notifier.c says.
 */
static struct host_page host_walk(struct mm_struct *mm, unsigned long hva)
{
	struct host_page page = { .level = 1 };
	pgd_t pgd = READ_ONCE(*pgd_offset(mm, hva));
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	if (!(pgd_val(pgd) & _PAGE_PRESENT))
		return page;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (!(p4d_val(p4d) & _PAGE_PRESENT))
		return page;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (!(pud_val(pud) & _PAGE_PRESENT))
		return page;
	if (pud_val(pud) & _PAGE_PSE)
		return (struct host_page){ pud_val(pud), 3 };
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (!(pmd_val(pmd) & _PAGE_PRESENT))
		return page;
	if (pmd_val(pmd) & _PAGE_PSE)
		return (struct host_page){ pmd_val(pmd), 2 };
	page.entry = pte_val(READ_ONCE(*pte_offset_kernel(&pmd, hva)));
	return page;
}

static struct host_page host_lookup(struct mm_struct *mm, unsigned long hva)
{
	struct host_page page;

	local_irq_disable();
	page = host_walk(mm, hva);
	local_irq_enable();
	return page;
}

static bool host_writable(u64 entry)
{
	return entry & _PAGE_DIRTY && pte_access_permitted(__pte(entry), true);
}

/* The largest level at which @slot can take a host leaf of @level. */
static u8 fault_level(const struct lodge_slot *slot, u64 gpa, u8 level)
{
	for (; level > 1; level--) {
		u64 size = lodge_npt_size(level);
		u64 start = gpa & ~(size - 1);

		if (!((slot->gpa ^ slot->hva) & (size - 1)) &&
		    start >= slot->gpa &&
		    slot->size - (start - slot->gpa) >= size)
			break;
	}
	return level;
}

static u32 fault_attr(const struct lodge_slot *slot, u64 entry, bool write,
		      bool exec)
{
	u32 attr = LODGE_NPT_READ | LODGE_NPT_ACCESSED;

	if (exec)
		attr |= LODGE_NPT_EXEC;
	if (!(slot->flags & LODGE_MEM_READONLY) && host_writable(entry))
		attr |= LODGE_NPT_WRITE;
	if (write)
		attr |= LODGE_NPT_DIRTY;
	return attr;
}

/* Bits of a host leaf that choose a memory type other than write-back. */
static u64 host_type_bits(u8 level)
{
	return _PAGE_PWT | _PAGE_PCD |
	       (level == 1 ? _PAGE_PAT : _PAGE_PAT_LARGE);
}

static bool fault_stale(struct lodge_vm *vm, const struct lodge_slots *slots,
			unsigned long seq, unsigned long start,
			unsigned long end)
{
	if (vm->notifier_count && start < vm->notifier_end &&
	    vm->notifier_start < end)
		return true;
	return vm->notifier_seq != seq ||
	       rcu_access_pointer(vm->slots) != slots;
}

/*
 * A device's memory is about to be mapped.  No vCPU may reach it before it has
 * entered anew, and seen that there is one.
 */
static void fault_note_mmio(struct lodge_vm *vm)
{
	if (likely(vm->has_mmio))
		return;
	WRITE_ONCE(vm->has_mmio, true);
	lodge_vm_flush_tlbs(vm);
}

/*
 * Map what the host has now.  Return: 0 also when it was overtaken by a change:
 * the guest then faults again; MEM_ABSENT, -errno.
 */
static int fault_map(struct lodge_vcpu *vcpu, const struct lodge_slots *slots,
		     const struct lodge_slot *slot, u64 gpa, u32 error)
{
	u64 *removed = NULL;
	unsigned long hva = slot->hva + slot_offset(slot, gpa);
	struct lodge_vm *vm = vcpu->vm;
	const struct lodge_npt_format *format = vm->npt.format;
	bool write = error & X86_PF_WRITE;
	struct host_page page;
	unsigned long seq;
	u64 size, pa;
	bool cached;
	u32 attr;
	u8 level;
	int ret;

	seq = READ_ONCE(vm->notifier_seq);
	/* Pairs with the lock around the change of notifier_seq. */
	smp_rmb();
	page = host_lookup(vm->mm, hva);
	if (write ? !host_writable(page.entry) :
		    !pte_access_permitted(__pte(page.entry), false))
		return MEM_ABSENT;

	level = fault_level(slot, gpa, min(page.level, format->max_leaf));
	if (format->small_exec && error & X86_PF_INSTR)
		level = 1;
	size = lodge_npt_size(level);
	pa = page.entry & (PTE_PFN_MASK | sme_me_mask) &
	     ~(lodge_npt_size(page.level) - 1);
	pa |= hva & (lodge_npt_size(page.level) - 1) & ~(size - 1);
	attr = fault_attr(slot, page.entry, write,
			  level == 1 || !format->small_exec);
	cached = !(page.entry & host_type_bits(page.level));
	if (!cached)
		attr |= LODGE_NPT_UNCACHED;

	spin_lock(&vm->npt_lock);
	if (lodge_guard_page_is_mmio(pfn_valid(PHYS_PFN(pa & PTE_PFN_MASK)),
				     cached))
		fault_note_mmio(vm);
	hva &= ~(size - 1);
	if (fault_stale(vm, slots, seq, hva, hva + size))
		ret = 0;
	else
		ret = lodge_npt_map(&vm->npt, &vcpu->npt_cache,
				    gpa & ~(size - 1), pa, level, attr);
	if (ret > 0) {
		lodge_vm_flush_tlbs(vm);
		removed = lodge_npt_take_removed(&vm->npt);
		ret = 0;
	}
	spin_unlock(&vm->npt_lock);
	lodge_npt_free_removed(&vm->npt, removed);
	return ret;
}

/*
 * Nothing is at @gpa, as @slots say: have the processor say so next time.  Where
 * they have changed since, so it may be with memory there now.
 */
static void fault_device(struct lodge_vcpu *vcpu,
			 const struct lodge_slots *slots, u64 gpa)
{
	struct lodge_vm *vm = vcpu->vm;

	if (!vm->npt.format->device)
		return;
	spin_lock(&vm->npt_lock);
	if (rcu_access_pointer(vm->slots) == slots)
		lodge_npt_map_device(&vm->npt, &vcpu->npt_cache, gpa);
	spin_unlock(&vm->npt_lock);
}

static int fault_try(struct lodge_vcpu *vcpu, u64 gpa, u32 error, u64 *hva)
{
	struct lodge_vm *vm = vcpu->vm;
	const struct lodge_slots *slots;
	const struct lodge_slot *slot;
	int index, ret;

	vcpu->host_worked = true;
	index = srcu_read_lock(&vm->slots_srcu);
	slots = srcu_dereference(vm->slots, &vm->slots_srcu);
	slot = slot_find(slots, gpa);
	if (!slot) {
		fault_device(vcpu, slots, gpa);
		ret = LODGE_MEM_MMIO;
	} else if (error & X86_PF_WRITE && slot->flags & LODGE_MEM_READONLY) {
		ret = LODGE_MEM_MMIO;
	} else {
		*hva = slot->hva + slot_offset(slot, gpa);
		ret = fault_map(vcpu, slots, slot, gpa, error);
	}
	srcu_read_unlock(&vm->slots_srcu, index);
	return ret;
}

/*
 * What a VM's tables may be at most, in pages: by itself they reach four times the
 * host's memory with the smallest leaves.
 */
static u64 mem_max_tables(void)
{
	u64 pages = READ_ONCE(max_tables) ?: totalram_pages() / 128;

	return max_t(u64, pages, MEM_MIN_TABLES);
}

/*
 * Slots may show the same memory many times over, so that their tables have no
 * measure in it.  Where they have become too many all go, and come back by faults.
 */
static void fault_limit_tables(struct lodge_vm *vm)
{
	u64 *removed = NULL;

	if (likely(lodge_npt_tables(&vm->npt) <= mem_max_tables()))
		return;
	spin_lock(&vm->npt_lock);
	if (lodge_npt_unmap(&vm->npt, 0,
			    1ULL << lodge_npt_bits(vm->npt.format)))
		lodge_vm_flush_tlbs(vm);
	removed = lodge_npt_take_removed(&vm->npt);
	spin_unlock(&vm->npt_lock);
	lodge_npt_free_removed(&vm->npt, removed);
}

int lodge_mem_fault(struct lodge_vcpu *vcpu, u64 gpa, u32 error, u64 *hva)
{
	int ret;

	fault_limit_tables(vcpu->vm);
	ret = lodge_npt_cache_fill(&vcpu->npt_cache);
	if (ret)
		return ret;
	ret = fault_try(vcpu, gpa, error, hva);
	if (ret != MEM_ABSENT)
		return ret;
	/* Without the slots held: it may take as long as user space likes. */
	ret = host_fault(vcpu->vm->mm, *hva, error & X86_PF_WRITE,
			 FAULT_FLAG_INTERRUPTIBLE);
	if (ret)
		return ret;
	ret = fault_try(vcpu, gpa, error, hva);
	return ret == MEM_ABSENT ? 0 : ret;
}
