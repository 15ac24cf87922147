// SPDX-License-Identifier: GPL-2.0
/*
 * A minimal VM that proves that this host can run one: a page at the reset vector
 * with an OUT in it.
 */
#include "cmd/trial.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/client.h"

#define PAGE_SIZE 4096
#define RESET_PAGE 0xfffff000ULL
#define RESET_OFFSET 0xff0
#define TRIAL_PORT 0x80

static int run_vcpu(int vm, const char **step)
{
	struct lodge_run *run;
	int vcpu, err;

	*step = "creating a vCPU";
	vcpu = lodge_vcpu_create(vm, 0, &run);
	if (vcpu < 0)
		return vcpu;
	*step = "running the vCPU";
	do {
		err = lodge_run(vcpu);
	} while (err == -EINTR);
	if (!err && (run->reason != LODGE_EXIT_IO || run->exit.io.in ||
		     run->exit.io.port != TRIAL_PORT))
		err = -EPROTO;
	lodge_vcpu_close(vcpu, run);
	return err;
}

static int run_vm(int lodge, uint8_t *page, const char **step)
{
	int vm, err;

	*step = "creating a VM";
	vm = lodge_vm_create(lodge);
	if (vm < 0)
		return vm;
	*step = "giving it memory";
	err = lodge_memory_set(vm, 0, 0, RESET_PAGE, PAGE_SIZE, page);
	if (!err)
		err = run_vcpu(vm, step);
	close(vm);
	return err;
}

int trial_run(int lodge, const char **step)
{
	/* out TRIAL_PORT, al; hlt */
	static const uint8_t code[] = { 0xe6, TRIAL_PORT, 0xf4 };
	uint8_t *page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err;

	*step = "allocating memory";
	if (page == MAP_FAILED)
		return -errno;
	memcpy(page + RESET_OFFSET, code, sizeof(code));
	err = run_vm(lodge, page, step);
	munmap(page, PAGE_SIZE);
	return err;
}
