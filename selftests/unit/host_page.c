// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the host's mappings whose pages a guest's access may fault in.  The program
 * includes module/host_page.c; the host has one mapping.
 */
#include "kernel.h"

#include "kselftest_harness.h"

/* The parts of the kernel that host_page.c uses. */
#define VM_READ 0x1
#define VM_WRITE 0x2
#define SHADOW_STACK 0x4
#define FAULT_FLAG_WRITE 0x1
#define FAULT_FLAG_ALLOW_RETRY 0x4
#define FAULT_FLAG_KILLABLE 0x10
#define FAULT_FLAG_TRIED 0x20
#define FAULT_FLAG_INTERRUPTIBLE 0x100
#define VM_FAULT_SIGBUS 0x2
#define VM_FAULT_RETRY 0x400
#define VM_FAULT_COMPLETED 0x4000
#define FOLL_HWPOISON 0
#define _PAGE_PRESENT 0x1
#define _PAGE_PWT 0x8
#define _PAGE_PCD 0x10
#define _PAGE_DIRTY 0x40
#define _PAGE_PSE 0x80
#define _PAGE_PAT 0x80
#define _PAGE_PAT_LARGE 0x1000

typedef unsigned int vm_fault_t;
typedef u64 pgd_t, p4d_t, pud_t, pmd_t, pte_t;

struct vm_area_struct {
	unsigned long vm_flags;
	bool denied;
};

enum signal {
	NO_SIGNAL,
	SIGNAL,
	FATAL_SIGNAL,
};

struct mm_struct {
	struct vm_area_struct vma;
	unsigned int locks;
	bool contended; /* others hold the lock */
	unsigned int faults;
	unsigned int flags;
	vm_fault_t answers[4];
	enum signal signal;
	enum signal comes; /* arrives during the wait for the page */
	u64 entry;
};

static struct mm_struct host;

/* A lock that is free goes to a killed process, too. */
#define mmap_read_lock_killable(mm)                                 \
	((mm)->contended && (mm)->signal == FATAL_SIGNAL ? -EINTR : \
							   ((mm)->locks++, 0))
#define mmap_read_unlock(mm) ((mm)->locks--)
#define vma_lookup(mm, hva) ((hva) == 0x1000 ? &(mm)->vma : NULL)
#define arch_vma_access_permitted(vma, ...) (!(vma)->denied)
#define vm_fault_to_errno(fault, flags) ((fault)&VM_FAULT_SIGBUS ? -EFAULT : 0)
#define current 0
#define signal_pending(task) (host.signal != NO_SIGNAL)
#define fatal_signal_pending(task) (host.signal == FATAL_SIGNAL)
#define local_irq_disable()
#define local_irq_enable()
#define pgd_offset(mm, hva) (&(mm)->entry)
#define p4d_offset(pgd, hva) (pgd)
#define pud_offset(p4d, hva) (p4d)
#define pmd_offset(pud, hva) (pud)
#define pte_offset_kernel(pmd, hva) (pmd)
#define pgd_val(entry) (entry)
#define p4d_val(entry) (entry)
#define pud_val(entry) (entry)
#define pmd_val(entry) (entry)
#define pte_val(entry) (entry)
#define __pte(entry) (entry)
#define pte_access_permitted(pte, write) ((pte)&2 || !(write))

static bool lodge_is_shadow_stack(const struct vm_area_struct *vma)
{
	return vma->vm_flags & SHADOW_STACK;
}

/* With FAULT_FLAG_ALLOW_RETRY, a result that asks for a retry has dropped the lock. */
static vm_fault_t handle_mm_fault(struct vm_area_struct *vma, unsigned long hva,
				  unsigned int flags, void *regs)
{
	vm_fault_t answer = host.answers[host.faults++];

	host.flags = flags;
	host.signal = host.comes;
	if (answer & (VM_FAULT_RETRY | VM_FAULT_COMPLETED))
		host.locks--;
	return answer;
}

#include "../../module/host_page.c"

struct lodge_inject lodge_inject;

FIXTURE(host_page){};

FIXTURE_SETUP(host_page)
{
	memset(&host, 0, sizeof(host));
	host.vma.vm_flags = VM_READ | VM_WRITE;
}

FIXTURE_TEARDOWN(host_page)
{
	EXPECT_EQ(0U, host.locks);
}

static int fault(bool write)
{
	return lodge_host_page_fault(&host, 0x1000, write, 0);
}

TEST_F(host_page, is_brought_for_what_the_mapping_allows)
{
	EXPECT_EQ(0, fault(true));
	EXPECT_TRUE(host.flags & FAULT_FLAG_WRITE);
	EXPECT_EQ(0, fault(false));
	EXPECT_FALSE(host.flags & FAULT_FLAG_WRITE);
	host.vma.vm_flags = VM_READ;
	EXPECT_EQ(0, fault(false));
	EXPECT_EQ(-EFAULT, fault(true));
	host.vma.vm_flags = VM_WRITE;
	EXPECT_EQ(-EFAULT, fault(false));
	EXPECT_EQ(3U, host.faults);
}

/* The host's fault handler would take the guest's write for that of a CALL. */
TEST_F(host_page, of_a_shadow_stack_is_never_written)
{
	host.vma.vm_flags |= SHADOW_STACK;
	EXPECT_EQ(-EFAULT, fault(true));
	EXPECT_EQ(0U, host.faults);
	EXPECT_EQ(0, fault(false));
}

TEST_F(host_page, is_kept_from_who_has_no_rights_to_its_key)
{
	host.vma.denied = true;
	EXPECT_EQ(-EFAULT, fault(true));
	EXPECT_EQ(-EFAULT, fault(false));
	EXPECT_EQ(0U, host.faults);
}

TEST_F(host_page, is_asked_for_again_where_the_host_gave_way)
{
	host.answers[0] = VM_FAULT_RETRY;
	EXPECT_EQ(0, fault(true));
	EXPECT_EQ(2U, host.faults);
	EXPECT_TRUE(host.flags & FAULT_FLAG_TRIED);
	host.answers[2] = VM_FAULT_COMPLETED;
	EXPECT_EQ(0, fault(true));
	host.answers[3] = VM_FAULT_SIGBUS;
	EXPECT_EQ(-EFAULT, fault(true));
}

/* The server of the page (userfaultfd, FUSE) may never answer. */
TEST_F(host_page, is_waited_for_until_the_process_is_killed)
{
	host.answers[0] = VM_FAULT_RETRY;
	host.comes = FATAL_SIGNAL;
	EXPECT_EQ(-EINTR, fault(true));
	EXPECT_EQ(1U, host.faults);
	EXPECT_TRUE(host.flags & FAULT_FLAG_KILLABLE);
	host.contended = true;
	EXPECT_EQ(-EINTR, fault(true));
	EXPECT_EQ(1U, host.faults);
}

TEST_F(host_page, is_waited_for_through_other_signals_unless_they_may_interrupt)
{
	host.answers[0] = VM_FAULT_RETRY;
	host.comes = SIGNAL;
	EXPECT_EQ(0, fault(true));
	EXPECT_EQ(2U, host.faults);
	EXPECT_FALSE(host.flags & FAULT_FLAG_INTERRUPTIBLE);
	host.answers[2] = VM_FAULT_RETRY;
	EXPECT_EQ(-EINTR, lodge_host_page_fault(&host, 0x1000, true,
						FAULT_FLAG_INTERRUPTIBLE));
	EXPECT_EQ(3U, host.faults);
}

TEST_F(host_page, is_where_the_mapping_is)
{
	EXPECT_EQ(-EFAULT, lodge_host_page_fault(&host, 0x5000, false, 0));
	EXPECT_EQ(0U, host.faults);
}

TEST_HARNESS_MAIN
