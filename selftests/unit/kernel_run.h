/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the kernel that the run loop, the wait of a halted vCPU and directed
 * yield use, for user space.  Included after kernel_apic.h.
 */
#ifndef LODGE_UNIT_KERNEL_RUN_H
#define LODGE_UNIT_KERNEL_RUN_H

#include "kernel_apic.h"

#include "lapic.h"

/* The CPU on which the thread is, and what each CPU has. */
#define KERNEL_CPUS 2

extern int kernel_here;

#undef smp_processor_id
#undef DECLARE_PER_CPU
#undef __this_cpu_read
#undef __this_cpu_write
#define smp_processor_id() (kernel_here)
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) name[KERNEL_CPUS]
#define DEFINE_PER_CPU(type, name) __typeof__(type) name[KERNEL_CPUS]
#define __this_cpu_read(name) ((name)[kernel_here])
#define __this_cpu_write(name, value) ((name)[kernel_here] = (value))

/* Features, as numbers of bits in kernel_features. */
enum {
	X86_FEATURE_HYPERVISOR = 16,
	X86_FEATURE_IBPB_ON_VMEXIT,
};

extern u64 kernel_features;

#undef boot_cpu_has
#define boot_cpu_has(feature) (kernel_features >> (feature)&1)

/* The thread: signals and other work, its right to run on, interrupts, preemption. */
struct task_struct {
	int users;
	bool work;
	bool must_yield;
	bool irqs_off;
	bool irqs_were_on; /* until a test clears it */
	int preempt_count;
	struct {
		u64 sum_exec_runtime;
	} se;
	struct {
		u64 run_delay;
	} sched_info;
};

/* A leaf lock: not taken twice. */
#define spin_lock_init(lock) ((void)(*(lock) = 0))
#define spin_lock(lock) ((void)(*(lock) ? abort() : (void)(*(lock) = 1)))
#define spin_unlock(lock) ((void)(*(lock) = 0))

#define CONFIG_SCHED_INFO

extern struct task_struct kernel_thread;

#define current (&kernel_thread)
#define __xfer_to_guest_mode_work_pending() (kernel_thread.work)
#define xfer_to_guest_mode_work_pending __xfer_to_guest_mode_work_pending
#define lodge_handle_work() (kernel_thread.work)
#define need_resched() (kernel_thread.must_yield)
#define local_irq_disable() ((void)(kernel_thread.irqs_off = true))
#define local_irq_enable()                      \
	((void)(kernel_thread.irqs_off = false, \
		kernel_thread.irqs_were_on = true))
#define local_irq_save(flags) ((flags) = 0)
#define local_irq_restore(flags) ((void)(flags))
#define preempt_disable() ((void)kernel_thread.preempt_count++)
#define preempt_enable() ((void)kernel_thread.preempt_count--)
#define schedule_timeout_interruptible(jiffies) kernel_sleeps()
#define TASK_INTERRUPTIBLE 1

/* Called when the thread sleeps. */
void kernel_sleeps(void);
bool single_task_running(void);
void cpu_relax(void);

#define rcuwait_active(wait) ((wait)->task)
#define rcuwait_wait_event(wait, condition, state) \
	do {                                       \
		while (!(condition))               \
			kernel_sleeps();           \
	} while (0)

#define rcu_read_lock()
#define rcu_read_unlock()
#define rcu_dereference(p) (p)
#define get_task_struct(thread) ((thread)->users++)
#define put_task_struct(thread) ((thread)->users--)
int yield_to(struct task_struct *thread, bool preempt);
void yield(void);

#define smp_store_mb(where, value) WRITE_ONCE(where, value)
#define smp_send_reschedule(cpu) kernel_interrupts(cpu)
void kernel_interrupts(int cpu);

/* Time is accounted to the guest in between. */
void guest_timing_enter_irqoff(void);
void guest_timing_exit_irqoff(void);
#define kcsan_disable_current()
#define kcsan_enable_current()
#define lodge_guest_has_run()

/* Registers. */
#define MSR_IA32_PRED_CMD 0x49
#define PRED_CMD_IBPB BIT(0)
#define MSR_IA32_FLUSH_CMD 0x10b
#define L1D_FLUSH BIT(0)
#define MSR_IA32_XSS 0xda0
#define XCR_XFEATURE_ENABLED_MASK 0
#define XFEATURE_MASK_PKRU BIT(9)

void kernel_wrmsr(u32 index, u64 value);
#define wrmsrq kernel_wrmsr
#define lodge_ibpb() kernel_wrmsr(MSR_IA32_PRED_CMD, PRED_CMD_IBPB)
#define xgetbv(index) 0
#define xsetbv(index, value) ((void)(value))
#define rdpkru() 0
#define wrpkru(value) ((void)(value))
#define hw_breakpoint_active() false
#define get_debugreg(value, number) ((value) = 0)
#define set_debugreg(value, number)

struct lodge_fpu;
void lodge_fpu_begin(struct lodge_vcpu *vcpu);
void lodge_fpu_end(struct lodge_vcpu *vcpu);
void lodge_fpu_load(struct lodge_fpu *fpu);
void lodge_fpu_save(struct lodge_fpu *fpu);

/* A module's parameter: a test sets it by the pointer. */
#define module_param_named(name, variable, type, mode) \
	int *const kernel_##name = &(variable)
#define MODULE_PARM_DESC(name, text)
extern int *const kernel_halt_poll_ns;

/* This header replaces the contents of module/trace.h. */
#define LODGE_TRACE_H
void trace_lodge_halt(u32 vcpu, bool polled, u32 window, u64 waited);

#endif
