// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log: see dirty.h.
 *
 * A page is taken out of the log and its leaf made read-only under vm->npt_lock, and the
 * TLBs are flushed before the caller hears of it.  In between a vCPU may go on writing
 * through its TLB: the caller, who reads the page afterwards, finds that in it.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dirty.h"
#include "hold.h"
#include "host_page.h"
#include "request.h"
#include "user.h"
#include "vm.h"

/* Words of a log that are taken in a row under vm->npt_lock. */
#define DIRTY_BATCH 32

/*
 * Of so many resets, one takes the right to write to pages away that were not written to
 * before it: to look at a page costs a hundredth of a fault.
 */
#define DIRTY_COOL 64

/* Guest memory that is looked at in a row under vm->npt_lock, bytes. */
#define DIRTY_STEP (32ULL << 20)

static u64 dirty_page(const struct lodge_slot *slot, u64 gpa)
{
	return lodge_slot_offset(slot, gpa) >> PAGE_SHIFT;
}

static atomic64_t *dirty_clean_word(const struct lodge_slot *slot, u64 page)
{
	return (atomic64_t *)&slot->clean[page / LODGE_PAGE_SET_WORD];
}

/*
 * Pages of a word are written to, or may be: the dirty bits of their leaves tell no more.
 * Who puts them back later, says so later: the change is a barrier behind the write.
 */
static void dirty_unclean(const struct lodge_slot *slot, u64 first, u64 bits)
{
	if (slot->clean)
		atomic64_fetch_andnot(bits, dirty_clean_word(slot, first));
}

static void dirty_add(const struct lodge_slot *slot, u64 page)
{
	dirty_unclean(slot, page, BIT_ULL(page % LODGE_PAGE_SET_WORD));
	lodge_page_set_add(slot->written, page);
}

void lodge_dirty_note_log(const struct lodge_slot *slot, u64 gpa, size_t size)
{
	u64 last = dirty_page(slot, gpa + size - 1);
	u64 page;

	for (page = dirty_page(slot, gpa); page <= last; page++)
		dirty_add(slot, page);
}

/* A large leaf in place of small ones would take away that some are writable. */
u8 lodge_dirty_level_log(const struct lodge_slot *slot, u64 gpa, u8 level,
			 bool write)
{
	if (write)
		return 1;
	for (; level > 1; level--) {
		u64 pages = lodge_npt_size(level) >> PAGE_SHIFT;
		u64 first =
			dirty_page(slot, gpa & ~(lodge_npt_size(level) - 1));

		if (!lodge_page_set_has_any(slot->written, first,
					    first + pages))
			break;
	}
	return level;
}

u32 lodge_dirty_attr_log(const struct lodge_slot *slot, u64 gpa, u8 level,
			 u32 attr)
{
	u64 page = dirty_page(slot, gpa);

	/* A leaf that is gone may have had a dirty bit. */
	if (attr & LODGE_NPT_DIRTY ||
	    (level == 1 && lodge_page_set_has(slot->written, page)))
		dirty_add(slot, page);
	else
		attr &= ~LODGE_NPT_WRITE;
	return attr;
}

static void dirty_flush(struct lodge_vm *vm)
{
	spin_lock(&vm->npt_lock);
	lodge_vm_flush_tlbs(vm);
	spin_unlock(&vm->npt_lock);
}

static void *dirty_alloc(struct lodge_vm *vm, size_t size)
{
	int error = lodge_user_get_kernel(vm->user, size);
	void *memory;

	if (error)
		return ERR_PTR(error);
	memory = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!memory) {
		lodge_user_put_kernel(vm->user, size);
		return ERR_PTR(-ENOMEM);
	}
	return memory;
}

/* @memory: from dirty_alloc(), or NULL. */
static void dirty_release(struct lodge_vm *vm, void *memory, size_t size)
{
	if (!memory)
		return;
	lodge_user_put_kernel(vm->user, size);
	kvfree(memory);
}

static size_t dirty_clean_size(const struct lodge_slot *slot)
{
	return BITS_TO_LONGS(slot->size >> PAGE_SHIFT) * sizeof(u64);
}

static size_t dirty_written_size(const struct lodge_slot *slot)
{
	return lodge_page_set_size(slot->size >> PAGE_SHIFT);
}

void lodge_dirty_free(struct lodge_vm *vm, const struct lodge_slot *slot)
{
	dirty_release(vm, slot->clean, dirty_clean_size(slot));
	dirty_release(vm, slot->written, dirty_written_size(slot));
}

/* Take the right to write to a slot's memory away, wherever a log begins empty. */
static void dirty_protect_slot(struct lodge_vm *vm,
			       const struct lodge_slot *slot)
{
	u64 end = slot->gpa + slot->size;
	u64 start, next;

	for (start = slot->gpa; start < end; start = next) {
		next = start + min(DIRTY_STEP, end - start);
		spin_lock(&vm->npt_lock);
		lodge_npt_protect(&vm->npt, start, next);
		spin_unlock(&vm->npt_lock);
		cond_resched();
	}
	dirty_flush(vm);
}

/* Return: true if the 2 MiB at @gpa of @slot are small pages, and a large one in the host. */
static bool dirty_may_join(const struct lodge_vm *vm,
			   const struct lodge_slot *slot, u64 gpa)
{
	unsigned long hva = slot->hva + (gpa - slot->gpa);

	return lodge_npt_is_small(&vm->npt, gpa) && !(hva & (PMD_SIZE - 1)) &&
	       lodge_host_page_lookup(vm->mm, hva).level > 1;
}

/* Remove the small leaves for which the next fault finds a large page. */
static void dirty_join(struct lodge_vm *vm, const struct lodge_slot *slot,
		       u64 start, u64 end)
{
	u64 *removed = NULL;
	bool flush = false;

	spin_lock(&vm->npt_lock);
	for (; start < end; start += PMD_SIZE)
		if (dirty_may_join(vm, slot, start))
			flush |= lodge_npt_unmap(&vm->npt, start,
						 start + PMD_SIZE);
	if (flush) {
		lodge_vm_flush_tlbs(vm);
		removed = lodge_npt_take_removed(&vm->npt);
	}
	spin_unlock(&vm->npt_lock);
	lodge_npt_free_removed(&vm->npt, removed, true);
}

static void dirty_join_slot(struct lodge_vm *vm, const struct lodge_slot *slot)
{
	u64 end = ALIGN_DOWN(slot->gpa + slot->size, PMD_SIZE);
	u64 start = ALIGN(slot->gpa, PMD_SIZE);

	if (vm->npt.format->max_leaf < 2)
		return;
	while (start < end) {
		u64 next = start + min(DIRTY_STEP, end - start);

		dirty_join(vm, slot, start, next);
		cond_resched();
		start = next;
	}
}

/* Make what the log of @next lacks.  On failure it has what was made. */
static int dirty_make(struct lodge_vm *vm, struct lodge_slot *next)
{
	void *memory;

	if (next->size >> PAGE_SHIFT > LODGE_MAX_DIRTY_PAGES)
		return -EFBIG;
	if (!next->written) {
		memory = dirty_alloc(vm, dirty_written_size(next));
		if (IS_ERR(memory))
			return PTR_ERR(memory);
		next->written = memory;
		lodge_page_set_init(next->written, next->size >> PAGE_SHIFT);
	}
	if (next->baseline && vm->npt.format->dirty) {
		memory = dirty_alloc(vm, dirty_clean_size(next));
		if (IS_ERR(memory))
			return PTR_ERR(memory);
		next->clean = memory;
	}
	return 0;
}

/* Free what of a log @gone has alone. */
static void dirty_drop(struct lodge_vm *vm, const struct lodge_slot *gone,
		       const struct lodge_slot *kept)
{
	if (gone->clean != kept->clean)
		dirty_release(vm, gone->clean, dirty_clean_size(gone));
	if (gone->written != kept->written)
		dirty_release(vm, gone->written, dirty_written_size(gone));
}

/* Put a slot with or without a log in the place of @old. */
static int dirty_exchange(struct lodge_vm *vm, const struct lodge_slot *old,
			  bool on, unsigned long baseline)
{
	struct lodge_slot next = *old;
	int error = 0;

	next.baseline = baseline;
	/* Pages that are as the old baseline has them are not as the new one has. */
	next.clean = NULL;
	if (on)
		error = dirty_make(vm, &next);
	else
		next.written = NULL;
	if (!error)
		error = lodge_slot_set_log(vm, &next);
	if (error) {
		dirty_drop(vm, &next, old);
		return error;
	}
	dirty_drop(vm, old, &next);
	if (!old->written)
		dirty_protect_slot(vm, &next);
	else if (!on)
		dirty_join_slot(vm, &next);
	return 0;
}

static bool dirty_log_valid(const struct lodge_dirty_log *arg)
{
	if (arg->slot >= LODGE_MAX_SLOTS)
		return false;
	switch (arg->flags) {
	case 0:
	case LODGE_DIRTY_LOG_ON:
		return !arg->baseline;
	case LODGE_DIRTY_LOG_ON | LODGE_DIRTY_LOG_BASELINE:
		return arg->baseline && PAGE_ALIGNED(arg->baseline);
	default:
		return false;
	}
}

long lodge_dirty_set_log(struct lodge_vm *vm, const struct lodge_dirty_log *arg)
{
	bool on = arg->flags & LODGE_DIRTY_LOG_ON;
	const struct lodge_slot *slot;
	struct lodge_slot old;

	BUILD_BUG_ON(LODGE_MAX_DIRTY_PAGES != LODGE_PAGE_SET_MAX);
	if (!dirty_log_valid(arg))
		return -EINVAL;
	slot = lodge_slot_by_id(vm, arg->slot);
	if (!slot)
		return -ENOENT;
	if (arg->baseline && (slot->size > TASK_SIZE_MAX ||
			      arg->baseline > TASK_SIZE_MAX - slot->size))
		return -EINVAL;
	old = *slot;
	if (!on == !old.written && arg->baseline == old.baseline)
		return 0;
	return dirty_exchange(vm, &old, on, arg->baseline);
}

/**
 * struct dirty_batch - words that were taken out of a log
 * @nr: how many
 * @first: the page of bit 0 of each
 * @bits: they
 */
struct dirty_batch {
	u32 nr;
	u64 first[DIRTY_BATCH];
	u64 bits[DIRTY_BATCH];
};

/* Take the next word of [*first, @end) out of the log.  Return: false: there is none. */
static bool dirty_next(const struct lodge_slot *slot, u64 *first, u64 end,
		       struct dirty_batch *batch)
{
	u64 bits = 0;

	if (batch->nr < DIRTY_BATCH && *first < end)
		bits = lodge_page_set_take(slot->written, first, end);
	if (!bits)
		return false;
	batch->first[batch->nr] = *first;
	batch->bits[batch->nr++] = bits;
	*first += LODGE_PAGE_SET_WORD;
	return true;
}

static u64 dirty_gpa(const struct lodge_slot *slot, u64 page)
{
	return slot->gpa + (page << PAGE_SHIFT);
}

/* Of pages that can be written to no more, those to which nobody has, since a reset. */
static u64 dirty_untouched(struct lodge_vm *vm, const struct lodge_slot *slot,
			   u64 first, u64 bits)
{
	if (!slot->clean)
		return 0;
	bits &= atomic64_read(dirty_clean_word(slot, first));
	return lodge_npt_unwritten_pages(&vm->npt, dirty_gpa(slot, first),
					 bits);
}

/*
 * Take words of [*first, @end), up to a batch, and make their leaves read-only.  A dirty
 * bit counts once the TLBs are flushed; no fault may make a new leaf before.
 */
static void dirty_take(struct lodge_vm *vm, const struct lodge_slot *slot,
		       u64 *first, u64 end, struct dirty_batch *batch)
{
	bool flush = false;
	u32 i;

	batch->nr = 0;
	spin_lock(&vm->npt_lock);
	while (dirty_next(slot, first, end, batch)) {
		i = batch->nr - 1;
		flush |= lodge_npt_protect_pages(
			&vm->npt, dirty_gpa(slot, batch->first[i]),
			batch->bits[i]);
	}
	if (flush)
		lodge_vm_flush_tlbs(vm);
	for (i = 0; i < batch->nr; i++)
		batch->bits[i] &= ~dirty_untouched(vm, slot, batch->first[i],
						   batch->bits[i]);
	spin_unlock(&vm->npt_lock);
}

/*
 * No vCPU runs.  A page that can stay writable does, and in the log; after a while only if
 * it was written to.  Return: the pages that are to be put back.
 */
static u64 dirty_keep(struct lodge_vm *vm, const struct lodge_slot *slot,
		      u64 first, u64 bits)
{
	u64 gpa = dirty_gpa(slot, first);
	u64 unwritten = 0, written, stay;

	stay = lodge_npt_clean_pages(&vm->npt, gpa, bits, &written);
	if (slot->clean)
		unwritten = stay & ~written &
			    atomic64_read(dirty_clean_word(slot, first));
	if (vm->resets % DIRTY_COOL == 0)
		stay &= ~unwritten;
	lodge_npt_protect_pages(&vm->npt, gpa, bits & ~stay);
	bits &= ~unwritten;
	/* Before they are put back: a write meanwhile takes this away. */
	if (stay)
		atomic64_or(bits & stay, dirty_clean_word(slot, first));
	lodge_page_set_put(slot->written, first, stay);
	return bits;
}

/* The same for a reset, which flushes at its end. */
static void dirty_take_written(struct lodge_vm *vm,
			       const struct lodge_slot *slot, u64 *first,
			       struct dirty_batch *batch)
{
	batch->nr = 0;
	spin_lock(&vm->npt_lock);
	while (dirty_next(slot, first, slot->written->pages, batch)) {
		u32 i = batch->nr - 1;

		batch->bits[i] =
			dirty_keep(vm, slot, batch->first[i], batch->bits[i]);
	}
	spin_unlock(&vm->npt_lock);
}

static void dirty_put_back(const struct lodge_slot *slot, u64 first, u64 bits)
{
	if (!bits)
		return;
	dirty_unclean(slot, first, bits);
	lodge_page_set_put(slot->written, first, bits);
}

static int dirty_tell_word(u64 __user *where, u64 bits)
{
	u64 old;

	if (get_user(old, where))
		return -EFAULT;
	return put_user(old | bits, where);
}

/* Set the bits in the caller's bitmap.  Pages that it cannot tell are put back. */
static int dirty_tell(const struct lodge_slot *slot, struct lodge_dirty *arg,
		      const struct dirty_batch *batch)
{
	u64 __user *bitmap = u64_to_user_ptr(arg->bitmap);
	int error = 0;
	u32 i;

	for (i = 0; i < batch->nr; i++) {
		u64 first = batch->first[i];
		u64 index = (first - arg->first) / LODGE_PAGE_SET_WORD;

		if (!error && batch->bits[i])
			error = dirty_tell_word(&bitmap[index], batch->bits[i]);
		if (error)
			dirty_put_back(slot, first, batch->bits[i]);
		else
			arg->dirty += hweight64(batch->bits[i]);
	}
	return error;
}

static int dirty_collect_pages(struct lodge_vm *vm,
			       const struct lodge_slot *slot,
			       struct lodge_dirty *arg)
{
	u64 end = arg->first + arg->pages;
	struct dirty_batch batch;
	u64 first = arg->first;
	int error;

	arg->dirty = 0;
	do {
		dirty_take(vm, slot, &first, end, &batch);
		error = dirty_tell(slot, arg, &batch);
		if (!error && fatal_signal_pending(current))
			error = -EINTR;
		cond_resched();
	} while (!error && batch.nr == DIRTY_BATCH);
	return error;
}

/* The processor must not look beyond the log before it knows the checks' outcome. */
static void dirty_confine(struct lodge_dirty *arg, u64 pages)
{
	arg->first = array_index_nospec(arg->first, pages + 1);
	arg->pages = array_index_nospec(arg->pages, pages - arg->first + 1);
}

long lodge_dirty_collect(struct lodge_vm *vm, struct lodge_dirty *arg)
{
	const struct lodge_slot *slot;

	if (arg->slot >= LODGE_MAX_SLOTS || arg->flags ||
	    arg->first % LODGE_PAGE_SET_WORD ||
	    !IS_ALIGNED(arg->bitmap, sizeof(u64)))
		return -EINVAL;
	slot = lodge_slot_by_id(vm, arg->slot);
	if (!slot || !slot->written)
		return -ENOENT;
	if (arg->first > slot->written->pages ||
	    arg->pages > slot->written->pages - arg->first)
		return -EINVAL;
	if (!access_ok(u64_to_user_ptr(arg->bitmap),
		       DIV_ROUND_UP(arg->pages, BITS_PER_BYTE)))
		return -EFAULT;
	dirty_confine(arg, slot->written->pages);
	return dirty_collect_pages(vm, slot, arg);
}

/*
 * Put one page back, from user space to user space in one go.  Either may fault as in
 * copy_from_user() and copy_to_user().
 */
static int dirty_restore_page(const struct lodge_slot *slot, u64 page)
{
	void __user *from =
		(void __user *)slot->baseline + (page << PAGE_SHIFT);
	void __user *to = (void __user *)slot->hva + (page << PAGE_SHIFT);
	size_t left = PAGE_SIZE / sizeof(u64);

	if (!access_ok(from, PAGE_SIZE) || !access_ok(to, PAGE_SIZE))
		return -EFAULT;
	might_fault();
	__uaccess_begin_nospec();
	/* clang-format off */
	asm volatile("1: rep movsq\n"
		     "2:\n"
		     _ASM_EXTABLE_UA(1b, 2b)
		     : "+c" (left), "+S" (from), "+D" (to)
		     :
		     : "memory");
	/* clang-format on */
	__uaccess_end();
	return left ? -EFAULT : 0;
}

/* A word at a time, for the sake of others; what is not put back goes into the log again. */
static int dirty_restore_batch(const struct lodge_slot *slot,
			       struct dirty_batch *batch,
			       struct lodge_reset *arg)
{
	int error = 0;
	u32 i;

	for (i = 0; i < batch->nr; i++) {
		u64 bits = batch->bits[i];

		if (!error && fatal_signal_pending(current))
			error = -EINTR;
		for (; bits && !error; bits &= bits - 1) {
			u64 page = batch->first[i] + __ffs64(bits);

			error = dirty_restore_page(slot, page);
			if (error)
				break;
			arg->pages++;
		}
		dirty_put_back(slot, batch->first[i], bits);
		cond_resched();
	}
	return error;
}

static int dirty_restore_slot(struct lodge_vm *vm,
			      const struct lodge_slot *slot,
			      struct lodge_reset *arg)
{
	struct dirty_batch batch;
	u64 first = 0;
	int error;

	do {
		dirty_take_written(vm, slot, &first, &batch);
		error = dirty_restore_batch(slot, &batch, arg);
	} while (!error && batch.nr == DIRTY_BATCH);
	return error;
}

static bool dirty_has_baseline(const struct lodge_vm *vm)
{
	const struct lodge_slots *slots = lodge_slots_locked(vm);
	u32 i;

	for (i = 0; i < slots->nr; i++)
		if (slots->slot[i].baseline)
			return true;
	return false;
}

/* Clock pages may be among what was put back: they show another time. */
static void dirty_tell_time(struct lodge_vm *vm)
{
	u32 i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i])
			lodge_vcpu_request(vm->vcpus[i], LODGE_REQ_CLOCK);
}

/*
 * Under vm->lock, while no vCPU runs.  The TLBs are flushed at the end, whatever the
 * nested tables have had: the guest's own tables may be among what was put back.
 */
static int dirty_restore(struct lodge_vm *vm, struct lodge_reset *arg)
{
	const struct lodge_slots *slots = lodge_slots_locked(vm);
	int error = 0;
	u32 i;

	for (i = 0; i < slots->nr; i++) {
		if (!slots->slot[i].baseline)
			continue;
		error = dirty_restore_slot(vm, &slots->slot[i], arg);
		if (error)
			break;
	}
	dirty_flush(vm);
	dirty_tell_time(vm);
	return error;
}

long lodge_dirty_reset(struct lodge_vm *vm, struct lodge_reset *arg)
{
	long error;

	if (arg->flags)
		return -EINVAL;
	if (!dirty_has_baseline(vm))
		return -ENOENT;
	arg->pages = 0;
	error = lodge_hold_begin(vm);
	if (error)
		return error;
	vm->resets++;
	error = dirty_restore(vm, arg);
	lodge_hold_end(vm);
	return error;
}
