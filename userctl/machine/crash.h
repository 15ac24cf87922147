/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The report on a vCPU that cannot go on.
 */
#ifndef LODGE_MACHINE_CRASH_H
#define LODGE_MACHINE_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodge.h>

#include "board/ram.h"

#define CRASH_CODE_SIZE 16

/**
 * struct crash - a report on a vCPU
 * @vcpu: its number
 * @error: -errno of LODGE_RUN; 0: it returned, and @run holds the exit
 * @registers: @run.regs is valid
 * @run: copy of the run page
 * @address: linear address of the next instruction, with @registers
 * @code: bytes there
 * @code_length: number of bytes that could be read
 */
struct crash {
	uint32_t vcpu;
	int error;
	bool registers;
	struct lodge_run run;
	uint64_t address;
	uint8_t code[CRASH_CODE_SIZE];
	size_t code_length;
};

/**
 * crash_take() - collect a report
 * @crash: to be filled
 * @vcpu: the vCPU's descriptor; it does not run
 * @id: its number
 * @run: its run page
 * @error: -errno of LODGE_RUN, or 0
 * @ram: guest memory, for the instruction
 */
void crash_take(struct crash *crash, int vcpu, uint32_t id,
		const struct lodge_run *run, int error, const struct ram *ram);

/**
 * crash_translate() - walk the guest's page tables for reading
 * @ram: guest memory
 * @control: control registers, for the paging mode (AMD APM vol. 2, chapter 5)
 * @linear: linear address
 * @gpa: out: guest physical address
 *
 * Permissions are ignored.  Guests have no five-level paging.
 *
 * Return: true if the address is mapped.
 */
bool crash_translate(const struct ram *ram, const struct lodge_control *control,
		     uint64_t linear, uint64_t *gpa);

#endif
