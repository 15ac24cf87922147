// SPDX-License-Identifier: GPL-2.0
/*
 * The report of a guest's crash, for people and for programs.
 */
#include "cmd/report.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

static const char *const gpr_names[] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
};

static const char *const seg_names[] = {
	"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr",
};

/* A register: its name, and its offset in struct lodge_regs. */
struct named {
	const char *name;
	size_t offset;
};

#define NAMED(group, field)                                      \
	{                                                        \
#field, offsetof(struct lodge_regs, group.field) \
	}

static const struct named other_names[] = {
	NAMED(control, cr0),	     NAMED(control, cr2),
	NAMED(control, cr3),	     NAMED(control, cr4),
	NAMED(control, cr8),	     NAMED(control, xcr0),
	NAMED(control, efer),	     NAMED(control, apic_base),
	NAMED(debug, dr[0]),	     NAMED(debug, dr[1]),
	NAMED(debug, dr[2]),	     NAMED(debug, dr[3]),
	NAMED(debug, dr6),	     NAMED(debug, dr7),
	NAMED(msrs, star),	     NAMED(msrs, lstar),
	NAMED(msrs, cstar),	     NAMED(msrs, sfmask),
	NAMED(msrs, kernel_gs_base), NAMED(msrs, pat),
	NAMED(msrs, sysenter_cs),    NAMED(msrs, sysenter_esp),
	NAMED(msrs, sysenter_eip),   NAMED(msrs, tsc),
};

#define NR_GPR (sizeof(gpr_names) / sizeof(gpr_names[0]))
#define NR_OTHER (sizeof(other_names) / sizeof(other_names[0]))

static uint64_t value_of(const struct lodge_regs *regs,
			 const struct named *named)
{
	uint64_t value;

	memcpy(&value, (const char *)regs + named->offset, sizeof(value));
	return value;
}

static const char *reason_name(const struct crash *crash)
{
	if (crash->error)
		return "run-failed";
	switch ((enum lodge_exit_reason)crash->run.reason) {
	case LODGE_EXIT_SHUTDOWN:
		return "shutdown";
	case LODGE_EXIT_FAIL_ENTRY:
		return "fail-entry";
	case LODGE_EXIT_CANNOT_EMULATE:
		return "cannot-emulate";
	case LODGE_EXIT_TASK_SWITCH:
		return "task-switch";
	case LODGE_EXIT_MEMORY_ERROR:
		return "memory-error";
	case LODGE_EXIT_UNKNOWN:
	case LODGE_EXIT_INTERRUPTED:
	case LODGE_EXIT_IO:
	case LODGE_EXIT_MMIO:
	case LODGE_EXIT_WINDOW:
	case LODGE_EXIT_EOI:
		break;
	}
	return "unknown-exit";
}

static void describe_emulate(char *text, size_t size,
			     const struct lodge_exit_emulate *exit)
{
	int used = snprintf(text, size,
			    "an instruction that Lodge must carry out itself "
			    "and cannot");

	if (exit->gpa != UINT64_MAX)
		used += snprintf(text + used, size - used,
				 ", for address 0x%" PRIx64,
				 (uint64_t)exit->gpa);
	if (!exit->length)
		snprintf(text + used, size - used,
			 "; its bytes could not be read");
}

/* Writes the reason of the guest's end. */
static void describe(char *text, size_t size, const struct crash *crash)
{
	const struct lodge_run *run = &crash->run;

	if (crash->error) {
		snprintf(text, size, "the vCPU cannot be run: %s",
			 strerror(-crash->error));
		return;
	}
	switch ((enum lodge_exit_reason)run->reason) {
	case LODGE_EXIT_SHUTDOWN:
		snprintf(text, size, "triple fault");
		return;
	case LODGE_EXIT_FAIL_ENTRY:
		snprintf(text, size,
			 "the processor refuses its state (code 0x%" PRIx64 ")",
			 (uint64_t)run->exit.fail_entry.code);
		return;
	case LODGE_EXIT_CANNOT_EMULATE:
		describe_emulate(text, size, &run->exit.emulate);
		return;
	case LODGE_EXIT_TASK_SWITCH:
		snprintf(text, size,
			 "hardware task switch to selector 0x%x, by way of "
			 "what is no memory",
			 run->exit.task_switch.selector);
		return;
	case LODGE_EXIT_MEMORY_ERROR:
		snprintf(text, size,
			 "the host has no memory behind address 0x%" PRIx64
			 ": %s",
			 (uint64_t)run->exit.memory.gpa,
			 strerror(run->exit.memory.error));
		return;
	case LODGE_EXIT_UNKNOWN:
	case LODGE_EXIT_INTERRUPTED:
	case LODGE_EXIT_IO:
	case LODGE_EXIT_MMIO:
	case LODGE_EXIT_WINDOW:
	case LODGE_EXIT_EOI:
		break;
	}
	snprintf(text, size,
		 "exit 0x%" PRIx64 " of the processor, which Lodge does not "
		 "know (0x%" PRIx64 ", 0x%" PRIx64 ")",
		 (uint64_t)run->exit.unknown.code,
		 (uint64_t)run->exit.unknown.info[0],
		 (uint64_t)run->exit.unknown.info[1]);
}

/* Gets the rules that a refused state breaks.  Return: their number. */
static size_t rules_of(const struct crash *crash,
		       const struct lodge_rule **rules)
{
	size_t count = crash->run.exit.fail_entry.count;

	*rules = (const struct lodge_rule *)crash->run.data;
	if (crash->error || crash->run.reason != LODGE_EXIT_FAIL_ENTRY)
		return 0;
	if (count > LODGE_RUN_DATA_SIZE / sizeof(**rules))
		count = LODGE_RUN_DATA_SIZE / sizeof(**rules);
	return count;
}

/* Gets the instruction's bytes, from the exit if it has them.  Return: their number. */
static size_t code_of(const struct crash *crash, const uint8_t **code)
{
	const struct lodge_exit_emulate *exit = &crash->run.exit.emulate;

	if (!crash->error && crash->run.reason == LODGE_EXIT_CANNOT_EMULATE &&
	    exit->length && exit->length <= sizeof(exit->bytes)) {
		*code = exit->bytes;
		return exit->length;
	}
	*code = crash->code;
	return crash->code_length;
}

static void text_segment(FILE *file, const char *name,
			 const struct lodge_segment *seg)
{
	fprintf(file, "  %-4s %04x base %016" PRIx64 " limit %08x attr %04x\n",
		name, seg->selector, (uint64_t)seg->base, seg->limit,
		seg->attr);
}

static void text_registers(FILE *file, const struct lodge_regs *regs)
{
	const char *const end[] = { " ", " ", "\n" };

	for (size_t i = 0; i < NR_GPR; i++)
		fprintf(file, "  %-4s %016" PRIx64 "%s", gpr_names[i],
			(uint64_t)regs->general.gpr[i], end[i % 3]);
	fprintf(file, "  rip  %016" PRIx64 "   rfl  %016" PRIx64 "\n",
		(uint64_t)regs->general.rip, (uint64_t)regs->general.rflags);
	for (size_t i = 0; i < LODGE_NR_SEGS; i++)
		text_segment(file, seg_names[i], &regs->segments.seg[i]);
	text_segment(file, "gdt", &regs->segments.gdt);
	text_segment(file, "idt", &regs->segments.idt);
	for (size_t i = 0; i < NR_OTHER; i++)
		fprintf(file, "  %-14s %016" PRIx64 "%s", other_names[i].name,
			value_of(regs, &other_names[i]), i % 2 ? "\n" : " ");
	fprintf(file, "  events 0x%x, state %u\n", regs->events.flags,
		regs->events.mp_state);
}

static void text_code(FILE *file, const struct crash *crash)
{
	const uint8_t *code;
	size_t length = code_of(crash, &code);

	fprintf(file, "  code at 0x%" PRIx64 ":", crash->address);
	for (size_t i = 0; i < length; i++)
		fprintf(file, " %02x", code[i]);
	fputs(length ? "\n" : " cannot be read\n", file);
}

void report_text(FILE *file, const struct crash *crash)
{
	const struct lodge_rule *rules;
	size_t count = rules_of(crash, &rules);
	char text[256];

	describe(text, sizeof(text), crash);
	fprintf(file, "lodge: the guest crashed: vCPU %u: %s\n", crash->vcpu,
		text);
	for (size_t i = 0; i < count; i++)
		fprintf(file, "  rule %u: %.16s = 0x%" PRIx64 ": %.64s\n",
			rules[i].id, rules[i].field, (uint64_t)rules[i].value,
			rules[i].text);
	if (!crash->registers) {
		fputs("  its registers cannot be read\n", file);
		return;
	}
	text_registers(file, &crash->run.regs);
	text_code(file, crash);
}

void report_state(FILE *file, const struct crash *state,
		  const struct vcpu_exit *last)
{
	fprintf(file, "lodge: vCPU %u: ", state->vcpu);
	switch ((enum lodge_exit_reason)last->reason) {
	case LODGE_EXIT_IO:
		fprintf(file, "last exit: port 0x%" PRIx64, last->where);
		break;
	case LODGE_EXIT_MMIO:
		fprintf(file, "last exit: device memory at 0x%" PRIx64,
			last->where);
		break;
	case LODGE_EXIT_EOI:
		fprintf(file, "last exit: end of interrupt 0x%" PRIx64,
			last->where);
		break;
	case LODGE_EXIT_WINDOW:
		fputs("last exit: interrupt window", file);
		break;
	default:
		fputs("no exit yet", file);
		break;
	}
	fputc('\n', file);
	if (!state->registers) {
		fputs("  its registers cannot be read\n", file);
		return;
	}
	text_registers(file, &state->run.regs);
	text_code(file, state);
}

static void json_segment(struct json *json, const char *name,
			 const struct lodge_segment *seg)
{
	json_open(json, name, '{');
	json_hex(json, "selector", seg->selector);
	json_hex(json, "base", seg->base);
	json_hex(json, "limit", seg->limit);
	json_hex(json, "attr", seg->attr);
	json_close(json, '}');
}

static void json_registers(struct json *json, const struct lodge_regs *regs)
{
	json_open(json, "registers", '{');
	for (size_t i = 0; i < NR_GPR; i++)
		json_hex(json, gpr_names[i], regs->general.gpr[i]);
	json_hex(json, "rip", regs->general.rip);
	json_hex(json, "rflags", regs->general.rflags);
	for (size_t i = 0; i < LODGE_NR_SEGS; i++)
		json_segment(json, seg_names[i], &regs->segments.seg[i]);
	json_segment(json, "gdt", &regs->segments.gdt);
	json_segment(json, "idt", &regs->segments.idt);
	for (size_t i = 0; i < NR_OTHER; i++)
		json_hex(json, other_names[i].name,
			 value_of(regs, &other_names[i]));
	json_hex(json, "events", regs->events.flags);
	json_number(json, "mp_state", regs->events.mp_state);
	json_close(json, '}');
}

static void json_rules(struct json *json, const struct crash *crash)
{
	const struct lodge_rule *rules;
	size_t count = rules_of(crash, &rules);
	char text[sizeof(rules->text) + 1];

	json_open(json, "rules", '[');
	for (size_t i = 0; i < count; i++) {
		json_open(json, NULL, '{');
		json_number(json, "id", rules[i].id);
		snprintf(text, sizeof(text), "%.16s", rules[i].field);
		json_text(json, "field", text);
		json_hex(json, "value", rules[i].value);
		snprintf(text, sizeof(text), "%.64s", rules[i].text);
		json_text(json, "text", text);
		json_close(json, '}');
	}
	json_close(json, ']');
}

void report_json(struct json *json, const char *key, const struct crash *crash)
{
	const uint8_t *code;
	size_t length = code_of(crash, &code);
	char text[256];

	describe(text, sizeof(text), crash);
	json_open(json, key, '{');
	json_number(json, "vcpu", crash->vcpu);
	json_text(json, "reason", reason_name(crash));
	json_text(json, "message", text);
	json_rules(json, crash);
	if (crash->registers) {
		json_registers(json, &crash->run.regs);
		json_hex(json, "address", crash->address);
	}
	json_bytes(json, "code", code, length);
	json_close(json, '}');
}
