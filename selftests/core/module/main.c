// SPDX-License-Identifier: GPL-2.0
/*
 * lodge_core.ko: makes a VM and a vCPU that have no descriptor and no run page, runs
 * the vCPU and ends it.  Loading succeeds where all of that does.
 *
 * It is linked of what lodge.ko is, but for the files that know user space: so it
 * also shows that the core needs none of them.
 */
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "backend.h"
#include "mem.h"
#include "news.h"
#include "user.h"
#include "vcpu.h"
#include "vm.h"

/* The page of the reset vector, and where that is in it. */
#define CORE_PAGE 0xfffff000ULL
#define CORE_RESET 0xff0

#define CORE_PORT_BEGIN 0x80
#define CORE_PORT_ASK 0x81
#define CORE_PORT_TELL 0x82
#define CORE_BEGIN 0x5a
#define CORE_ANSWER 0x33

/* mov $0x5a, %al; out %al, $0x80; in $0x81, %al; out %al, $0x82; hlt */
static const u8 core_code[] = { 0xb0, CORE_BEGIN,    0xe6, CORE_PORT_BEGIN,
				0xe4, CORE_PORT_ASK, 0xe6, CORE_PORT_TELL,
				0xf4 };

/* A name is made up for the VM. */
static const char core_no_name[LODGE_NAME_SIZE];

static int core_failed(const char *what)
{
	pr_err("lodge_core: failed: %s\n", what);
	return -EIO;
}

#define CORE_CHECK(condition) ((condition) ? 0 : core_failed(#condition))

/* Run until a byte goes to, or is wanted from, @port. */
static int core_run_to(struct lodge_vcpu *vcpu, u16 port, bool in)
{
	const struct lodge_exit_io *io = &vcpu->answer.exit.io;
	int error;

	mutex_lock(&vcpu->lock);
	error = lodge_vcpu_run(vcpu, false, false);
	mutex_unlock(&vcpu->lock);
	if (!error)
		error = CORE_CHECK(vcpu->answer.reason == LODGE_EXIT_IO);
	if (!error)
		error = CORE_CHECK(io->port == port && io->in == in);
	if (!error)
		error = CORE_CHECK(io->size == 1 && io->count == 1);
	return error;
}

static int core_test_vcpu(struct lodge_vcpu *vcpu)
{
	u8 *data = vcpu->data;
	int error = core_run_to(vcpu, CORE_PORT_BEGIN, false);

	if (!error)
		error = CORE_CHECK(*data == CORE_BEGIN);
	if (!error)
		error = core_run_to(vcpu, CORE_PORT_ASK, true);
	*data = CORE_ANSWER;
	if (!error)
		error = core_run_to(vcpu, CORE_PORT_TELL, false);
	if (!error)
		error = CORE_CHECK(*data == CORE_ANSWER);
	return error;
}

static struct lodge_vcpu *core_new_vcpu(struct lodge_vm *vm, u32 id, void *data)
{
	struct lodge_vcpu *vcpu;

	mutex_lock(&vm->lock);
	vcpu = lodge_vcpu_new(vm, id, data);
	if (!IS_ERR(vcpu))
		lodge_vcpu_publish(vcpu);
	mutex_unlock(&vm->lock);
	return vcpu;
}

/* An id is taken for ever; a vCPU that was never published leaves none behind. */
static int core_test_ids(struct lodge_vm *vm, void *data)
{
	struct lodge_vcpu *again = core_new_vcpu(vm, 0, data);
	struct lodge_vcpu *other;
	int error = CORE_CHECK(again == ERR_PTR(-EEXIST));

	mutex_lock(&vm->lock);
	other = lodge_vcpu_new(vm, 1, data);
	mutex_unlock(&vm->lock);
	if (IS_ERR(other))
		return PTR_ERR(other);
	lodge_vcpu_end(other);
	return error ? error : CORE_CHECK(!vm->vcpus[1]);
}

static int core_test_vm(struct lodge_vm *vm, unsigned long hva, void *data)
{
	const struct lodge_memory memory = {
		.gpa = CORE_PAGE,
		.size = PAGE_SIZE,
		.hva = hva,
	};
	struct lodge_vcpu *vcpu;
	int error;

	mutex_lock(&vm->lock);
	error = lodge_mem_set(vm, &memory);
	mutex_unlock(&vm->lock);
	if (error)
		return error;
	vcpu = core_new_vcpu(vm, 0, data);
	if (IS_ERR(vcpu))
		return PTR_ERR(vcpu);
	error = core_test_vcpu(vcpu);
	if (!error)
		error = core_test_ids(vm, data);
	lodge_vcpu_end(vcpu);
	return error;
}

/* The guest's memory is that of the process that loads the module. */
static int core_test(void *data)
{
	unsigned long hva = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
				    MAP_ANONYMOUS | MAP_PRIVATE, 0);
	struct lodge_vm *vm;
	int error;

	if (IS_ERR_VALUE(hva))
		return hva;
	error = -EFAULT;
	if (copy_to_user((void __user *)(hva + CORE_RESET), core_code,
			 sizeof(core_code)))
		goto unmap;
	vm = lodge_vm_new(core_no_name);
	error = PTR_ERR_OR_ZERO(vm);
	if (error)
		goto unmap;
	error = core_test_vm(vm, hva, data);
	lodge_vm_put(vm);
unmap:
	vm_munmap(hva, PAGE_SIZE);
	return error;
}

static int __init core_init(void)
{
	void *data = kzalloc(LODGE_RUN_DATA_SIZE, GFP_KERNEL);
	int error;

	if (!data)
		return -ENOMEM;
	error = lodge_backend_init();
	if (!error) {
		lodge_user_init();
		error = lodge_backend ? core_test(data) : -ENODEV;
		lodge_backend_exit();
		lodge_news_fini();
	}
	kfree(data);
	return error;
}

static void __exit core_exit(void)
{
}

module_init(core_init);
module_exit(core_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test of Lodge's core without descriptors");
