/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of the tests about registers: a vCPU that is ready to run, and all
 * that it holds.  After kselftest_harness.h.
 */
#ifndef LODGE_API_STATE_FIXTURE_H
#define LODGE_API_STATE_FIXTURE_H

#include "lib/client.h"
#include "runner.h"
#include "registers.h"

FIXTURE(state)
{
	struct machine machine;
	int vcpu;
	struct lodge_run *run;
	uint32_t xsave_size;
	struct snapshot was;
	const struct lodge_regs *regs;
};

FIXTURE_SETUP(state)
{
	struct lodge_info info;

	ASSERT_EQ(0, machine_make(&self->machine, 2));
	ASSERT_EQ(0, machine_enter(&self->machine, 0, guest_out));
	ASSERT_EQ(0, lodge_info(self->machine.lodge, &info));
	self->vcpu = self->machine.cpu[0].fd;
	self->run = self->machine.cpu[0].run;
	self->xsave_size = info.xsave_size;
	ASSERT_EQ(0, snapshot_take(&self->was, self->vcpu, info.xsave_size));
	self->regs = &self->was.state.regs;
}

FIXTURE_TEARDOWN(state)
{
	snapshot_free(&self->was);
	machine_end(&self->machine);
}

#endif
