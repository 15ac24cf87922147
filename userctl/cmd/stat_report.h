/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a VM does: its vCPUs and their statistics, for people and for programs.
 */
#ifndef LODGE_CMD_STAT_REPORT_H
#define LODGE_CMD_STAT_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/netlink.h"

/**
 * struct stat_sample - a VM at one moment
 * @time: CLOCK_BOOTTIME, nanoseconds
 * @vm: the VM
 * @vcpus: its vCPUs
 * @nr_vcpus: entries in @vcpus
 * @stats: their statistics
 * @nr_stats: entries in @stats: a vCPU may have come between the two lists
 */
struct stat_sample {
	uint64_t time;
	struct netlink_vm vm;
	struct netlink_vcpu *vcpus;
	size_t nr_vcpus;
	struct netlink_stats *stats;
	size_t nr_stats;
};

/**
 * stat_report_text() - write the totals since the VM was made, for people
 *
 * Return: 0 or -ENOMEM.
 */
int stat_report_text(FILE *file, const struct stat_sample *sample);

/**
 * stat_report_json() - write the same as one line of JSON
 */
void stat_report_json(FILE *file, const struct stat_sample *sample);

/**
 * stat_report_titles() - write the headings of stat_report_rates()
 */
void stat_report_titles(FILE *file);

/**
 * stat_report_rates() - write a line of what the VM did between two moments
 * @before: the earlier one; a vCPU that was made since then counts from its creation
 * @after: the later one
 */
void stat_report_rates(FILE *file, const struct stat_sample *before,
		       const struct stat_sample *after);

#endif
