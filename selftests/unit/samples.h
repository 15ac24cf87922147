/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A sample with two VMs, for tests of what is shown of them.
 */
#ifndef LODGE_TEST_SAMPLES_H
#define LODGE_TEST_SAMPLES_H

#include <string.h>

#include "view/sample.h"

#define SECOND 1000000000ULL
#define MIB (1ULL << 20)
#define NR_FIXED_VMS 2
#define NR_FIXED_VCPUS 3

/**
 * struct fixed - a sample and its lists; nothing of it is allocated
 */
struct fixed {
	struct sample_vm vms[NR_FIXED_VMS];
	struct netlink_vcpu vcpus[NR_FIXED_VCPUS];
	struct netlink_stats stats[NR_FIXED_VCPUS];
	struct sample sample;
};

/*
 * VM 3, web, of alice, has two vCPUs; VM 7, batch, of bob, has one.  Both were made 100
 * seconds after the host's start, and it is 10 seconds later.
 */
static inline void fixed_make(struct fixed *fixed)
{
	static const struct sample_vm vms[NR_FIXED_VMS] = {
		{ .vm = { .id = 3,
			  .pid = 301,
			  .vcpus = 2,
			  .name = "web",
			  .start = 100 * SECOND,
			  .memory = 1024 * MIB,
			  .resident = 600 * MIB,
			  .tables = 2 * MIB },
		  .user = "alice",
		  .shared = 300 * MIB,
		  .cgroup = { "/lodge-301", 50, 512 * MIB } },
		{ .vm = { .id = 7,
			  .pid = 701,
			  .vcpus = 1,
			  .name = "batch",
			  .start = 100 * SECOND,
			  .memory = 512 * MIB,
			  .resident = 100 * MIB,
			  .tables = MIB },
		  .user = "bob",
		  .shared = 10 * MIB },
	};
	static const struct netlink_vcpu vcpus[NR_FIXED_VCPUS] = {
		{ .vm = 3, .id = 0, .state = LODGE_VCPU_GUEST_MODE },
		{ .vm = 3, .id = 1, .state = LODGE_VCPU_HALTED },
		{ .vm = 7, .id = 0, .state = LODGE_VCPU_HALTED },
	};

	memset(fixed, 0, sizeof(*fixed));
	memcpy(fixed->vms, vms, sizeof(vms));
	memcpy(fixed->vcpus, vcpus, sizeof(vcpus));
	for (size_t i = 0; i < NR_FIXED_VCPUS; i++) {
		fixed->stats[i].vm = vcpus[i].vm;
		fixed->stats[i].vcpu = vcpus[i].id;
		fixed->stats[i].tsc_khz = 2000000;
	}
	fixed->sample = (struct sample){
		.time = 110 * SECOND,
		.real_time = 1700000110 * SECOND,
		.vms = fixed->vms,
		.nr_vms = NR_FIXED_VMS,
		.vcpus = fixed->vcpus,
		.nr_vcpus = NR_FIXED_VCPUS,
		.stats = fixed->stats,
		.nr_stats = NR_FIXED_VCPUS,
	};
}

/* Two seconds pass; the VMs do what the tests expect. */
static inline void fixed_advance(struct fixed *fixed)
{
	fixed->sample.time += 2 * SECOND;
	/* web: 1.5 CPUs in the guest, 0.25 outside, of which 0.05 stolen. */
	fixed->vcpus[0].guest += 2 * SECOND;
	fixed->vcpus[1].guest += SECOND;
	fixed->vcpus[0].host += SECOND / 2;
	fixed->vcpus[0].steal += SECOND / 10;
	fixed->stats[0].exits[LODGE_STAT_IO] += 24690;
	fixed->stats[1].exits[LODGE_STAT_CPUID] += 400;
	/* batch: a tenth of a CPU. */
	fixed->vcpus[2].guest += SECOND / 5;
	fixed->stats[2].exits[LODGE_STAT_HLT] += 20;
}

#endif
