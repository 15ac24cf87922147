// SPDX-License-Identifier: GPL-2.0
/*
 * The guest page walk on a vCPU, and the memory of the last one: see
 * translate.h.
 */
#include <linux/mm.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>
#include <asm/processor-flags.h>

#include "emulation.h"
#include "mem.h"
#include "state.h"
#include "translate.h"
#include "vcpu.h"
#include "vm.h"

/* The walk that a walker's callbacks note their entries in. */
struct lodge_walker {
	struct lodge_vcpu *vcpu;
	struct lodge_walk *walk;
};

static int lodge_walker_read(void *opaque, u64 gpa, u64 *entry, size_t size)
{
	struct lodge_walker *walker = opaque;
	struct lodge_walk *walk = walker->walk;
	struct lodge_vm *vm = walker->vcpu->vm;
	int error;

	*entry = 0;
	error = lodge_mem_read(vm, gpa, entry, size);
	/* A walk of other entries than these is not worth remembering. */
	if (error || size != sizeof(u64) || walk->nr == LODGE_WALK_STEPS) {
		walk->usable = false;
		return error;
	}
	walk->step[walk->nr].where = lodge_mem_user(vm, gpa, false);
	walk->step[walk->nr].value = *entry;
	walk->nr++;
	return 0;
}

/* In read-only memory accessed and dirty bits stay as they are. */
static int lodge_walker_update(void *opaque, u64 gpa, u64 old, u64 new,
			       size_t size)
{
	struct lodge_walker *walker = opaque;
	int error;

	walker->walk->usable = false;
	error = lodge_mem_cmpxchg(walker->vcpu->vm, gpa, &old, &new, size);
	return error == -EROFS ? 0 : error;
}

static void lodge_walk_key(const struct lodge_vcpu *vcpu, u64 linear,
			   unsigned int access, struct lodge_walk_key *key)
{
	const struct lodge_control *c = &vcpu->regs.control;

	*key = (struct lodge_walk_key){
		.page = linear & PAGE_MASK,
		.cr0 = c->cr0,
		.cr3 = c->cr3,
		.cr4 = c->cr4,
		.efer = c->efer,
		.alignment_check = vcpu->regs.general.rflags & X86_EFLAGS_AC,
		.pkru = vcpu->pkru,
		.cpl = lodge_state_cpl(vcpu),
		.access = access,
	};
}

/*
 * All entries are where they were and what they were; under vm->slots_srcu.  While
 * user space is open nothing may be called, such as a check of an index.
 */
static bool lodge_walk_holds(const struct lodge_walk *walk)
{
	const struct lodge_walk_step *step = walk->step;
	const struct lodge_walk_step *end = step + walk->nr;
	u64 value;

	pagefault_disable();
	__uaccess_begin_nospec();
	for (; step != end; step++) {
		unsafe_get_user(value, step->where, fault);
		if (value != step->value)
			goto fault;
	}
	__uaccess_end();
	pagefault_enable();
	return true;
fault:
	__uaccess_end();
	pagefault_enable();
	return false;
}

/* Word by word: the library's memcmp() goes byte by byte. */
static bool lodge_walk_same_key(const struct lodge_walk_key *a,
				const struct lodge_walk_key *b)
{
	const u64 *x = (const u64 *)a, *y = (const u64 *)b;
	u64 differ = 0;
	unsigned int i;

	BUILD_BUG_ON(sizeof(*a) % sizeof(u64));
	for (i = 0; i < sizeof(*a) / sizeof(u64); i++)
		differ |= x[i] ^ y[i];
	return !differ;
}

static bool lodge_walk_matches(const struct lodge_vm *vm,
			       const struct lodge_walk *walk,
			       const struct lodge_walk_key *key)
{
	return walk->usable &&
	       walk->generation == READ_ONCE(vm->slots_generation) &&
	       lodge_walk_same_key(&walk->key, key) && lodge_walk_holds(walk);
}

/* Walk, and remember the walk when it can be repeated. */
static int lodge_walk(struct lodge_vcpu *vcpu, u64 linear,
		      const struct lodge_walk_key *key, struct lodge_walk *walk,
		      struct lodge_fault *fault)
{
	struct lodge_walker walker = { vcpu, walk };
	const struct lodge_paging paging = {
		.cr0 = key->cr0,
		.cr3 = key->cr3,
		.cr4 = key->cr4,
		.efer = key->efer,
		.rflags = vcpu->regs.general.rflags,
		.pkru = key->pkru,
		.cpl = key->cpl,
		.phys_bits = vcpu->features.phys_bits,
		.huge_1g = true,
		.read = lodge_walker_read,
		.update = lodge_walker_update,
		.opaque = &walker,
	};
	struct lodge_translation t;
	int answer;

	walk->generation = READ_ONCE(vcpu->vm->slots_generation);
	walk->key = *key;
	walk->nr = 0;
	walk->usable = true;
	answer = lodge_gva_walk(&paging, linear, key->access, &t, fault);
	if (answer) {
		walk->usable = false;
		return answer;
	}
	walk->gpa = t.gpa & PAGE_MASK;
	walk->memory = lodge_mem_user(vcpu->vm, walk->gpa, false);
	return 0;
}

int lodge_translate(struct lodge_vcpu *vcpu, u64 linear, unsigned int access,
		    u64 *gpa, struct lodge_fault *fault)
{
	struct lodge_walk *walk = &vcpu->emulation->data_walk;
	struct lodge_vm *vm = vcpu->vm;
	struct lodge_walk_key key;
	int index, answer = 0;
	bool matches;

	lodge_walk_key(vcpu, linear, access, &key);
	index = srcu_read_lock(&vm->slots_srcu);
	matches = lodge_walk_matches(vm, walk, &key);
	srcu_read_unlock(&vm->slots_srcu, index);
	/* Without the slots held: user space may have it wait for a page. */
	if (!matches)
		answer = lodge_walk(vcpu, linear, &key, walk, fault);
	if (!answer)
		*gpa = walk->gpa | offset_in_page(linear);
	return answer;
}

bool lodge_translate_missed(const struct lodge_vcpu *vcpu, u64 gpa)
{
	const struct lodge_walk *walk = &vcpu->emulation->data_walk;

	return walk->usable && !walk->memory &&
	       walk->gpa == (gpa & PAGE_MASK) &&
	       walk->generation == READ_ONCE(vcpu->vm->slots_generation);
}

/* The two words that hold any instruction; under vm->slots_srcu. */
static bool lodge_walk_read_code(const struct lodge_walk *walk, u64 linear,
				 u8 *bytes)
{
	const u64 __user *from =
		(const u64 __user *)(walk->memory + offset_in_page(linear));
	u64 words[2];

	if (!walk->memory)
		return false;
	pagefault_disable();
	__uaccess_begin_nospec();
	unsafe_get_user(words[0], &from[0], fault);
	unsafe_get_user(words[1], &from[1], fault);
	__uaccess_end();
	pagefault_enable();
	memcpy(bytes, words, sizeof(words));
	return true;
fault:
	__uaccess_end();
	pagefault_enable();
	return false;
}

int lodge_translate_code(struct lodge_vcpu *vcpu, u64 linear, u8 *bytes,
			 size_t size, size_t *got, struct lodge_fault *fault)
{
	struct lodge_walk *walk = &vcpu->emulation->code_walk;
	struct lodge_vm *vm = vcpu->vm;
	struct lodge_walk_key key;
	bool matches, done = false;
	int index, answer;

	lodge_walk_key(vcpu, linear, LODGE_ACCESS_FETCH, &key);
	*got = min_t(size_t, size, PAGE_SIZE - offset_in_page(linear));
	index = srcu_read_lock(&vm->slots_srcu);
	matches = lodge_walk_matches(vm, walk, &key);
	if (matches && *got == 2 * sizeof(u64))
		done = lodge_walk_read_code(walk, linear, bytes);
	srcu_read_unlock(&vm->slots_srcu, index);
	if (done)
		return 0;
	if (!matches) {
		answer = lodge_walk(vcpu, linear, &key, walk, fault);
		if (answer)
			return answer;
	}
	return lodge_mem_read(vm, walk->gpa | offset_in_page(linear), bytes,
			      *got);
}
