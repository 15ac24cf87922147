// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the hardware task switch.  The input has the exit's information, the results
 * of accesses, and 4 KiB of memory, which repeat over the whole address space and hold
 * the tables and tasks.
 */
#include "fuzz_check.h"
#include "task.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define MEMORY 4096
#define RFLAGS_VM 0x20000
/* More than a switch can need. */
#define MAX_ACCESSES 1000

/**
 * struct input - the beginning of the input
 * @cause: enum lodge_task_cause
 * @flags: FLAG_*
 * @fault_at: number of the access that faults, or is not of memory
 * @selector: selector of the new task
 * @gdt: address of the GDT
 * @gdt_limit: limit of the GDT
 * @tr: address of the old task's TSS
 * @tr_limit: limit of that TSS
 * @error: error code
 */
struct input {
	u8 cause;
	u8 flags;
	u8 fault_at;
	u8 spare;
	u16 selector;
	u16 gdt_limit;
	u32 gdt;
	u32 tr;
	u32 tr_limit;
	u32 error;
};

#define FLAG_EXTERNAL 0x01
#define FLAG_ERROR 0x02
#define FLAG_PAGING 0x04
#define FLAG_TSS16 0x08
#define FLAG_NO_MEMORY 0x10
#define FLAG_BAD_CR3 0x20

struct world {
	struct input input;
	u8 memory[MEMORY];
	int accesses;
};

static int answer(struct world *w, struct lodge_fault *fault)
{
	require(++w->accesses < MAX_ACCESSES);
	if (w->accesses != w->input.fault_at)
		return 0;
	if (w->input.flags & FLAG_NO_MEMORY)
		return -ENXIO;
	*fault = (struct lodge_fault){ .vector = 14, .has_error = true };
	return LODGE_FAULT;
}

static int fuzz_read(void *opaque, u64 linear, void *data, size_t size,
		     struct lodge_fault *fault)
{
	struct world *w = opaque;
	u8 *bytes = data;

	require(size >= 1 && size <= 104);
	for (size_t i = 0; i < size; i++)
		bytes[i] = w->memory[(linear + i) % MEMORY];
	return answer(w, fault);
}

static int fuzz_write(void *opaque, u64 linear, const void *data, size_t size,
		      unsigned int access, struct lodge_fault *fault)
{
	struct world *w = opaque;
	const u8 *bytes = data;

	require(size >= 2 && size <= 40);
	for (size_t i = 0; i < size; i++)
		w->memory[(linear + i) % MEMORY] = bytes[i];
	return answer(w, fault);
}

static int fuzz_exchange(void *opaque, u64 linear, u8 old, u8 new,
			 struct lodge_fault *fault)
{
	struct world *w = opaque;
	u8 *byte = &w->memory[linear % MEMORY];

	if (*byte != old)
		return -EBUSY;
	*byte = new;
	return answer(w, fault);
}

static int fuzz_probe(void *opaque, u64 linear, size_t size,
		      unsigned int access, struct lodge_fault *fault)
{
	require(size >= 1 && size <= 104);
	require(access & LODGE_ACCESS_WRITE);
	return answer(opaque, fault);
}

static int fuzz_cr3(void *opaque, u64 cr3)
{
	struct world *w = opaque;

	require(!(cr3 >> 32));
	return w->input.flags & FLAG_BAD_CR3 ? -EINVAL : 0;
}

static const struct lodge_task_ops fuzz_ops = {
	.read = fuzz_read,
	.write = fuzz_write,
	.exchange = fuzz_exchange,
	.probe = fuzz_probe,
	.load_cr3 = fuzz_cr3,
};

/* In all cases the new state must be one that a processor can be entered with. */
static void check_new(const struct lodge_task *t, int result)
{
	const struct lodge_regs *regs = t->regs;
	const struct lodge_segment *seg = regs->segments.seg;
	u8 cpl = (seg[LODGE_SS].attr & LODGE_SEG_DPL) >> LODGE_SEG_DPL_SHIFT;

	require(seg[LODGE_TR].attr & LODGE_SEG_P);
	require((seg[LODGE_TR].attr & 0x17) == 3);
	require((regs->general.rflags & ~0x3f7fd5ULL) == 2);
	require(!(regs->general.rip >> 32));
	require((seg[LODGE_CS].attr & 0x90) == 0x90);
	if (regs->general.rflags & RFLAGS_VM) {
		for (int i = LODGE_ES; i <= LODGE_GS; i++)
			require(seg[i].base == (u64)seg[i].selector << 4);
		require(cpl == 3);
		return;
	}
	require(seg[LODGE_CS].attr & 8);
	require(cpl == (seg[LODGE_CS].selector & 3));
	for (int i = LODGE_ES; i <= LODGE_GS; i++) {
		require(!(seg[i].attr & LODGE_SEG_P) ||
			(seg[i].attr & LODGE_SEG_S && seg[i].attr & 1));
		require(seg[i].attr & LODGE_SEG_P || i != LODGE_SS || result);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct world world = { .accesses = 0 };
	struct lodge_regs regs = { .general.rflags = 2 }, before;
	struct lodge_task task = {
		.rflags = 2,
		.regs = &regs,
		.ops = &fuzz_ops,
		.opaque = &world,
	};
	int result;

	if (size < sizeof(world.input))
		return 0;
	memcpy(&world.input, data, sizeof(world.input));
	size = min(size - sizeof(world.input), sizeof(world.memory));
	memcpy(world.memory, data + sizeof(world.input), size);

	task.cause = world.input.cause & 3;
	task.selector = world.input.selector;
	task.external = world.input.flags & FLAG_EXTERNAL;
	task.has_error = world.input.flags & FLAG_ERROR;
	task.error = world.input.error;
	regs.segments.gdt.base = world.input.gdt;
	regs.segments.gdt.limit = world.input.gdt_limit;
	regs.segments.seg[LODGE_TR] = (struct lodge_segment){
		.base = world.input.tr,
		.limit = world.input.tr_limit,
		.attr = LODGE_SEG_P | (world.input.flags & FLAG_TSS16 ? 3 : 11),
	};
	regs.control.cr0 = 1 |
			   (world.input.flags & FLAG_PAGING ? 1ULL << 31 : 0);
	before = regs;

	result = lodge_task_switch(&task);
	require(result <= LODGE_FAULT);
	require(task.committed || result);
	if (result == LODGE_FAULT)
		require(task.fault.vector >= 10 && task.fault.vector <= 14);
	if (task.committed)
		check_new(&task, result);
	else
		require(!memcmp(&before, &regs, sizeof(regs)));
	return 0;
}
