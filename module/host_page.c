// SPDX-License-Identifier: GPL-2.0
/*
 * The host's pages behind guest memory: see host_page.h.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <asm/mmu_context.h>
#include <asm/pgtable.h>

#include "compat.h"
#include "host_page.h"
#include "inject.h"

/*
 * Only the processor's own calls and returns may write to a shadow stack.  The host's
 * fault would take a guest's write for one of these.
 */
static bool vma_allows(struct vm_area_struct *vma, bool write)
{
	if (!(vma->vm_flags & (write ? VM_WRITE : VM_READ)))
		return false;
	if (write && lodge_is_shadow_stack(vma))
		return false;
	return arch_vma_access_permitted(vma, write, false, false);
}

int lodge_host_page_fault(struct mm_struct *mm, unsigned long hva, bool write,
			  unsigned int flags)
{
	struct vm_area_struct *vma;
	vm_fault_t fault;

	if (unlikely(READ_ONCE(lodge_inject.hollow_faults)))
		return 0;
	flags |= FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE |
		 (write ? FAULT_FLAG_WRITE : 0);
	for (;;) {
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		vma = vma_lookup(mm, hva);
		if (!vma || !vma_allows(vma, write)) {
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

/* With interrupts off no table is freed beneath. */
static struct lodge_host_page host_walk(struct mm_struct *mm, unsigned long hva)
{
	struct lodge_host_page page = { .level = 1 };
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
		return (struct lodge_host_page){ pud_val(pud), 3 };
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (!(pmd_val(pmd) & _PAGE_PRESENT))
		return page;
	if (pmd_val(pmd) & _PAGE_PSE)
		return (struct lodge_host_page){ pmd_val(pmd), 2 };
	page.entry = pte_val(READ_ONCE(*pte_offset_kernel(&pmd, hva)));
	return page;
}

struct lodge_host_page lodge_host_page_lookup(struct mm_struct *mm,
					      unsigned long hva)
{
	struct lodge_host_page page;

	local_irq_disable();
	page = host_walk(mm, hva);
	local_irq_enable();
	return page;
}

bool lodge_host_page_writable(u64 entry)
{
	return entry & _PAGE_DIRTY && pte_access_permitted(__pte(entry), true);
}

u64 lodge_host_page_type_bits(u8 level)
{
	return _PAGE_PWT | _PAGE_PCD |
	       (level == 1 ? _PAGE_PAT : _PAGE_PAT_LARGE);
}
