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
		.rflags = vcpu->regs.general.rflags & X86_EFLAGS_AC,
		.pkru = vcpu->pkru,
		.cpl = lodge_segments_cpl(&vcpu->regs.segments),
		.access = access,
	};
}

/* True if lodge_walk_key() would make @key. */
static __always_inline bool
lodge_walk_same_key(const struct lodge_walk_key *key,
		    const struct lodge_vcpu *vcpu, u64 linear,
		    unsigned int access)
{
	const struct lodge_control *c = &vcpu->regs.control;
	u64 differ = (key->page ^ linear) & PAGE_MASK;

	differ |= key->cr0 ^ c->cr0;
	differ |= key->cr3 ^ c->cr3;
	differ |= key->cr4 ^ c->cr4;
	differ |= key->efer ^ c->efer;
	differ |= (key->rflags ^ vcpu->regs.general.rflags) & X86_EFLAGS_AC;
	differ |= key->pkru ^ vcpu->pkru;
	differ |= key->cpl ^ lodge_segments_cpl(&vcpu->regs.segments);
	differ |= key->access ^ access;
	return !differ;
}

/* True if the walk was of this page, in this state of the vCPU and of the slots. */
static __always_inline bool lodge_walk_matches(const struct lodge_walk *walk,
					       const struct lodge_vcpu *vcpu,
					       u64 linear, unsigned int access)
{
	return walk->usable &&
	       walk->generation == READ_ONCE(vcpu->vm->slots_generation) &&
	       lodge_walk_same_key(&walk->key, vcpu, linear, access);
}

/*
 * Read the entries of a walk again, and with @words the two words at @linear, which
 * hold any instruction; under vm->slots_srcu.  While user space is open nothing may
 * be called, such as a check of an index.
 *
 * Return: true if all entries are what they were, and the words are read.
 */
static __always_inline bool lodge_walk_holds(const struct lodge_walk *walk,
					     u64 linear, u64 *words)
{
	const struct lodge_walk_step *step = walk->step;
	const struct lodge_walk_step *end = step + walk->nr;
	const u64 __user *code;
	u64 value;

	pagefault_disable();
	__uaccess_begin_nospec();
	for (; step != end; step++) {
		unsafe_get_user(value, step->where, fault);
		if (value != step->value)
			goto fault;
	}
	if (words) {
		code = (const u64 __user *)(walk->memory +
					    offset_in_page(linear));
		unsafe_get_user(words[0], &code[0], fault);
		unsafe_get_user(words[1], &code[1], fault);
	}
	__uaccess_end();
	pagefault_enable();
	return true;
fault:
	__uaccess_end();
	pagefault_enable();
	return false;
}

/* Walk, and remember the walk when it can be repeated. */
static noinline int lodge_walk(struct lodge_vcpu *vcpu, u64 linear,
			       unsigned int access, struct lodge_walk *walk,
			       struct lodge_fault *fault)
{
	struct lodge_walker walker = { vcpu, walk };
	const struct lodge_control *c = &vcpu->regs.control;
	const struct lodge_paging paging = {
		.cr0 = c->cr0,
		.cr3 = c->cr3,
		.cr4 = c->cr4,
		.efer = c->efer,
		.rflags = vcpu->regs.general.rflags,
		.pkru = vcpu->pkru,
		.cpl = lodge_segments_cpl(&vcpu->regs.segments),
		.phys_bits = vcpu->features.phys_bits,
		.huge_1g = true,
		.read = lodge_walker_read,
		.update = lodge_walker_update,
		.opaque = &walker,
	};
	struct lodge_translation t;
	int answer;

	walk->generation = READ_ONCE(vcpu->vm->slots_generation);
	lodge_walk_key(vcpu, linear, access, &walk->key);
	walk->nr = 0;
	walk->usable = true;
	answer = lodge_gva_walk(&paging, linear, access, &t, fault);
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
	int index, answer = 0;
	bool known;

	index = srcu_read_lock(&vm->slots_srcu);
	known = lodge_walk_matches(walk, vcpu, linear, access) &&
		lodge_walk_holds(walk, linear, NULL);
	srcu_read_unlock(&vm->slots_srcu, index);
	/* Without the slots held: user space may have it wait for a page. */
	if (unlikely(!known))
		answer = lodge_walk(vcpu, linear, access, walk, fault);
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

/* The page of @walk has both words, which hold any instruction, at @linear. */
static bool lodge_walk_has_words(const struct lodge_walk *walk, u64 linear,
				 size_t size)
{
	return walk->memory && size == 2 * sizeof(u64) &&
	       offset_in_page(linear) <= PAGE_SIZE - size;
}

bool lodge_translate_code_again(struct lodge_vcpu *vcpu, u64 linear, u8 *bytes)
{
	const struct lodge_walk *walk = &vcpu->emulation->code_walk;
	u64 words[2];
	bool known;
	int index;

	index = srcu_read_lock(&vcpu->vm->slots_srcu);
	known = lodge_walk_matches(walk, vcpu, linear, LODGE_ACCESS_FETCH) &&
		lodge_walk_has_words(walk, linear, sizeof(words)) &&
		lodge_walk_holds(walk, linear, words);
	srcu_read_unlock(&vcpu->vm->slots_srcu, index);
	if (known)
		memcpy(bytes, words, sizeof(words));
	return known;
}

int lodge_translate_code(struct lodge_vcpu *vcpu, u64 linear, u8 *bytes,
			 size_t size, size_t *got, struct lodge_fault *fault)
{
	struct lodge_walk *walk = &vcpu->emulation->code_walk;
	struct lodge_vm *vm = vcpu->vm;
	bool known, done = false;
	u64 words[2];
	int index, answer;

	*got = min_t(size_t, size, PAGE_SIZE - offset_in_page(linear));
	index = srcu_read_lock(&vm->slots_srcu);
	known = lodge_walk_matches(walk, vcpu, linear, LODGE_ACCESS_FETCH);
	if (known && lodge_walk_has_words(walk, linear, size))
		known = done = lodge_walk_holds(walk, linear, words);
	else if (known)
		known = lodge_walk_holds(walk, linear, NULL);
	srcu_read_unlock(&vm->slots_srcu, index);
	if (likely(done)) {
		memcpy(bytes, words, sizeof(words));
		return 0;
	}
	if (!known) {
		answer = lodge_walk(vcpu, linear, LODGE_ACCESS_FETCH, walk,
				    fault);
		if (answer)
			return answer;
	}
	return lodge_mem_read(vm, walk->gpa | offset_in_page(linear), bytes,
			      *got);
}
