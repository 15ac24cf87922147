/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, below /sys/kernel/tracing/events/lodge.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM lodge

#if !defined(LODGE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define LODGE_TRACE_H

#include <linux/tracepoint.h>

/* clang-format off */

/* A vCPU has waited in HLT. */
TRACE_EVENT(lodge_halt,
	TP_PROTO(u32 vcpu, bool polled, u32 window, u64 waited),
	TP_ARGS(vcpu, polled, window, waited),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(bool, polled)
		__field(u32, window)
		__field(u64, waited)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->polled = polled;
		__entry->window = window;
		__entry->waited = waited;
	),
	TP_printk("vcpu %u %s after %llu ns, window %u ns", __entry->vcpu,
		  __entry->polled ? "polled" : "slept", __entry->waited,
		  __entry->window)
);

/* clang-format on */

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
