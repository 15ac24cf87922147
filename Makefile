# SPDX-License-Identifier: GPL-2.0
#
# Builds and tests Lodge; install.mk installs it.  `make help` lists what there is.
#
# Everything that is made goes below build/; the source tree stays clean.  The
# module is compiled in a farm of links, build/module-KERNEL/, so that several
# kernels can be built for at once.

# ------------------------------------------------------------------ settings
VERSION	:= $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
B	:= build

# Kernels: 6.1 and 6.12 are Debian 12's (-rt and -cloud behind them are their
# flavours) and new is the newest that Debian has, unpacked by `make setup`; small
# is that of the quick runs, which setup builds; any other word is the release of a
# kernel whose headers are installed.
KERNEL	?=
DEBIAN_KERNELS := 6.1 6.12 new
KERNELS	:= $(or $(KERNEL),$(DEBIAN_KERNELS))
# Tests: DIRECTORY or DIRECTORY/PROGRAM, several, or (when empty) all.
TEST	?=
# Hosts of the tests: svm, the emulated AMD-V host; vmx, the Intel one; svm-bochs, a
# second AMD-V one; local, this machine; by itself, check takes all emulated ones,
# bench both vendors', demo svm.
HOST	?=
# Processor model of the emulated host; each has one by itself.
CPU	?=
# Seconds for each fuzzer.
FUZZ_TIME ?= 60
# Inputs for each of them in a check; fuzz_state, for one, takes as long as others for ten.
FUZZ_RUNS ?= 100000
fuzz-control fuzz-state: FUZZ_RUNS := 20000
fuzz-pci: FUZZ_RUNS := 50000
fuzz-snap fuzz-virtio: FUZZ_RUNS := 10000
fuzz-agent fuzz-blk fuzz-net fuzz-vhost_user: FUZZ_RUNS := 5000
# Hours for soak, and what its random numbers begin with (another one each time).
HOURS	?= 1
SEED	?=

PREFIX	?= /usr/local
DESTDIR	?=
SBINDIR	:= $(PREFIX)/bin
MANDIR	:= $(PREFIX)/share/man
LIBDIR	?= $(PREFIX)/lib
INCLUDEDIR := $(PREFIX)/include
BASHDIR	:= $(PREFIX)/share/bash-completion/completions
UDEVDIR	:= /usr/lib/udev/rules.d
UNITDIR	:= /usr/lib/systemd/system
DKMS_SRC := /usr/src/lodge-$(VERSION)

CC	:= gcc
CLANG	:= clang-14
FORMAT	:= clang-format-14
WARN	:= -Wall -Wextra -Wno-unused-parameter -Wmissing-prototypes -Wstrict-prototypes -Wvla
CFLAGS	?= -O2 -g
# Most of these programs run for less time than it takes to optimize them.
SANITIZE ?= -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
INCLUDE	:= -Iuserctl -Iuapi -iquote module -iquote selftests/lib \
	   -isystem $(B)/kselftest -isystem /usr/include/libnl3
ALL_CFLAGS = -std=gnu11 $(WARN) $(if $(WERROR),-Werror) -D_GNU_SOURCE= \
	   -DLODGE_VERSION='"$(VERSION)"' $(INCLUDE) $(CPPFLAGS) $(CFLAGS) -MMD -MP
LIBS	:= -Wl,--as-needed -ldeflate -lelf -ljansson -llzma -lzstd -lz -luring \
	   -lnl-genl-3 -lnl-3 -lncursesw -ltinfo -lpthread

# A make cannot see its own -j, so the number of jobs is a variable.
JOBS	?= $(shell nproc)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)
endif
MAKEFLAGS += --no-print-directory

ifeq ($(V),1)
Q	:=
say	= @:
else
Q	:= @
say	= @printf '  %-7s %s\n' '$(1)' '$(2)'
endif

# ------------------------------------------------------------------- sources
# The files that a module build reads, and so those that DKMS is given.
MODULE_FILES := $(wildcard Kbuild) dkms.conf LICENSE $(shell \
	   find module uapi -type f \( -name '*.[chS]' -o -name Kbuild \) \
		! -name '*.mod.c' ! -name offsets.h)
# The files of the oracle's module (see selftests/oracle/oracle.h).
ORACLE_FILES := $(wildcard selftests/oracle/* module/vmx/check* module/processor.h \
	   module/pure.h uapi/*.h)
# The module that sends NMIs (see selftests/nmi/module/main.c).
NMI_FILES := $(wildcard selftests/nmi/module/*)
# The module that crashes the host, or suspends it (see selftests/life/module/main.c).
LIFE_FILES := $(wildcard selftests/life/module/*)
# The module that has VMs without descriptors (see selftests/core/module/main.c), and
# which of lodge.ko's objects it does without.
CORE_FILES := Kbuild $(wildcard module/*.h module/npt/*.h uapi/*.h \
	   selftests/core/module/*)
FACE	:= main.o face.o ioctl.o netlink.o netlink_news.o netlink_vm.o netlink_stats.o netlink_limit.o
# The files of the module that build in user space too (see module/pure.h).
PURE	:= $(wildcard module/alu*.c module/decode*.c module/emul*.c $(addprefix module/,\
	   descriptor.c gva.c page_set.c task.c x87.c svm/check.c npt/walk.c npt/map.c npt/npt.c npt/ept.c tag.c \
	   vmx/check*.c vmx/counters.c))
# The way of an exit and of an event, and those who test it: built in user space with
# selftests/unit/kernel.h and empty headers in place of the kernel's.
EXITS	:= $(addprefix module/,cr.c debugreg.c emulate.c event.c exit.c face.c insn.c \
	   ioctl.c iobus.c irq.c lapic.c lapic_page.c lapic_state.c lapic_timer.c \
	   machine_check.c portio.c svm/exit.c vmx/exit.c)
EXITS_TESTS := $(addprefix selftests/unit/,delivery.c doorbell.c event.c exit.c face.c fuzz_event.c \
	   fuzz_exit.c fuzz_lapic.c host_page.c iobus.c lapic.c lapic_messages.c \
	   lapic_timer.c machine_check.c tsc.c vmx_exit.c)
# The same for the way of an entry, and for what makes the CPU ready for it, with
# selftests/unit/kernel_cpu.h.
ENTRIES	:= $(addprefix module/,svm/cpu.c svm/run.c svm/state.c vmx/bitmap.c \
	   vmx/event.c vmx/flush.c vmx/run.c vmx/state.c)
ENTRIES_TESTS := $(addprefix selftests/unit/,svm_cpu.c svm_debugctl.c svm_spec_ctrl.c \
	   vmx_event.c vmx_flush.c vmx_spec_ctrl.c)
# The same for the run loop and the waits, with selftests/unit/kernel_run.h.
RUNS	:= $(addprefix module/,poll.c run.c stats.c yield.c)
RUNS_TESTS := $(addprefix selftests/unit/,command.c run.c vcputime.c wait.c yield.c)
# The same for the limits of users, with selftests/unit/kernel_user.h.
USERS	:= module/user.c selftests/unit/user.c
# The same for the view of all VMs, with selftests/unit/kernel_view.h.
VIEW	:= module/registry.c module/news.c selftests/unit/registry.c selftests/unit/news.c
# The same for the netlink family, with selftests/unit/kernel_netlink.h, too.
NETLINK	:= $(wildcard module/netlink*.c)
NETLINK_TESTS := $(addprefix selftests/unit/,fuzz_netlink.c netlink_family.c netlink_limit.c)
SHOWN	:= $(filter module/%,$(USERS) $(VIEW) $(NETLINK))
# The same for eventfds, with selftests/unit/kernel_eventfd.h.
EVENTFDS := module/ioeventfd.c module/irqfd.c selftests/unit/eventfd.c
# The same for CPUID, with selftests/unit/kernel_cpuid.h.
CPUID	:= module/cpuid.c selftests/unit/cpuid_kept.c
EXITS_HEADERS := $(addprefix $(B)/kernel/,$(addprefix linux/,anon_inodes.h eventfd.h poll.h atomic.h bits.h \
	   bitmap.h build_bug.h container_of.h cpumask.h cred.h ctype.h err.h fcntl.h \
	   file.h fs.h gfp.h hashtable.h hrtimer.h hw_breakpoint.h idr.h irqflags.h jiffies.h kcsan-checks.h kref.h ktime.h kvm_host.h \
	   list.h cache.h math64.h mem_encrypt.h minmax.h log2.h mm.h mmu_notifier.h module.h moduleparam.h mutex.h nospec.h \
	   percpu.h pid.h pid_namespace.h ratelimit.h rbtree.h rculist.h rcupdate.h timekeeping.h user_namespace.h \
	   rcuwait.h sched.h sched/signal.h sched/smt.h sched/stat.h sched/task.h seqlock.h \
	   slab.h smp.h sort.h spinlock.h srcu.h stddef.h time64.h time_namespace.h uaccess.h uidgid.h workqueue.h) $(addprefix asm/,\
	   apicdef.h asm.h barrier.h cpu.h cpufeature.h desc.h fpu/xcr.h fpu/xstate.h \
	   fsgsbase.h hardirq.h io.h local64.h mmu_context.h msr-index.h nospec-branch.h page_types.h \
	   pgtable.h processor.h ptrace.h special_insns.h tlbflush.h trapnr.h tsc.h) \
	   $(addprefix net/,genetlink.h net_namespace.h sock.h) \
	   $(addprefix trace/,define_trace.h events/ipi.h))
# The first process of guests with --root: a static program, which the controller has inside.
GUEST_INIT := userctl/guest/init.c
MAKE_FILTERS := userctl/sandbox/make_filters.c
USERCTL	:= $(filter-out $(GUEST_INIT) $(MAKE_FILTERS),$(shell find userctl -name '*.c'))
USERLIB	:= $(filter-out userctl/cmd/main.c,$(USERCTL))
# Those of PURE that the controller needs, too.
SHARED	:= module/gva.c
# liblodge: of userctl/lib, what is about the ABI; it includes nothing of the rest.
LIBRARY	:= $(addprefix userctl/lib/,client.c netlink.c netlink_format.c)
LIBRARY_HEADERS := $(addprefix userctl/lib/,client.h netlink.h)
ABI_HEADERS := $(wildcard uapi/*.h)
EXAMPLES := $(basename $(wildcard examples/*.c))

# In a directory of tests each file with a main() is a program; what else is
# there is linked into all of that directory's programs.
programs = $(shell grep -lsE '^int main\b|^TEST_HARNESS_MAIN' \
	   selftests/$(1)/*.c)
helpers	= $(filter-out $(call programs,$(1)) selftests/$(1)/fuzz_%,$(wildcard \
	   selftests/$(1)/*.[cS]))
# Shared by the programs of several directories: an archive, of which each takes a part.
TESTLIB	:= $(wildcard selftests/lib/*.[cS])
names	= $(basename $(notdir $(1)))
# selected(DIR/NAME...): those that TEST asks for
asked	:= $(foreach t,$(TEST),$(firstword $(subst :, ,$(t))))
selected = $(if $(TEST),$(foreach t,$(1),$(if $(filter $(t) $(patsubst \
	   %/,%,$(dir $(t))),$(asked)),$(t))),$(1))
UNIT	:= $(call selected,$(addprefix unit/,$(filter-out fuzz_%,$(call names,\
	   $(call programs,unit)))))
ABI	:= $(call selected,$(addprefix abi/,$(call names,$(call programs,abi))))
FUZZ	:= $(call names,$(wildcard selftests/unit/fuzz_*.c))
# Tests that need a host with /dev/lodge, in the order in which they run.
HOSTED	:= api guest boot oracle nmi core life soak
HOSTED_C := $(foreach d,$(HOSTED),$(addprefix $(d)/,$(call names,\
	   $(call programs,$(d)))))
HOSTED_SH := $(foreach d,$(HOSTED),$(addprefix $(d)/,$(call names,\
	   $(wildcard selftests/$(d)/*.sh))))
HOSTED_BIN := $(addprefix $(B)/tests/,$(call selected,$(HOSTED_C) $(HOSTED_SH)))

.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

# -------------------------------------------------------------------- module
# The headers of a kernel: those that setup unpacked, or installed ones.
newest	= $(lastword $(shell ls -dv $(1) 2>/dev/null))
kdir	= $(or $(call newest,$(CURDIR)/$(B)/kernels/$(1)/usr/src/linux-headers-*-amd64),\
	   $(call newest,/usr/src/linux-headers-$(1).*-amd64),\
	   $(wildcard /lib/modules/$(1)/build),\
	   $(error no headers for kernel $(1): `make setup` unpacks those of 6.1, 6.12 \
	   and new; those of the running kernel are in linux-headers-$(RUNNING)))
release	= $(if $(wildcard $(B)/kernels/$(1)),$(patsubst \
	   linux-headers-%,%,$(notdir $(call kdir,$(1)))),$(1))
RUNNING	:= $(shell uname -r)
LOCAL	:= $(if $(wildcard /lib/modules/$(RUNNING)/build/Makefile),$(RUNNING))

# farm(directory, files): has a link to each file, by itself MODULE_FILES, at its
# place below the directory; links to files that are gone go.
farmed	= $(or $(1),$(MODULE_FILES))
define farm
	@mkdir -p $(addprefix $(1)/,$(sort $(dir $(call farmed,$(2)))))
	@find $(1) -xtype l -delete
	@cd $(1) && for f in $(call farmed,$(2)); do [ -L $$f ] || \
		ln -sf $(CURDIR)/$$f $$f || exit 1; done
endef
# Headers ask for the compiler that has built their kernel.  A machine without it
# has one that does, and both it and its pahole may not know an option.
compiler = $(if $(shell command -v $(shell sed -n \
	   's/^CONFIG_CC_VERSION_TEXT="\([^ ]*\) .*/\1/p' $(1)/.config)),,\
	   CC=$(CC) CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT= \
	   CONFIG_DEBUG_INFO_BTF_MODULES=)
# The same in MAKEFLAGS, for a make that somebody else calls.
compiler_flags = $(and $(strip $(call compiler,$(1))),-- $(call compiler,$(1)))
kbuild	= $(MAKE) -C $(1) M=$(CURDIR)/$(2) $(call compiler,$(1)) \
	   $(if $(Q),V=0,V=1)

all: $(addprefix module-,$(or $(KERNEL),$(LOCAL),$(DEBIAN_KERNELS))) lodge ## controller, and module for the running kernel (without its headers: as module)

module: $(addprefix module-,$(KERNELS)) ## lodge.ko in build/module-KERNEL/, for KERNEL=6.1, 6.12 or new, by itself all three

# With LINT=1, as a check has it, the build is also that of lint-%, for linted-%.
linting	= $(and $(LINT),$(filter $(1),$(KERNELS)))

module-%:
	$(call say,MODULE,$(B)/$@)
	$(call farm,$(B)/$@)
	+$(Q)$(call kbuild,$(call kdir,$*),$(B)/$@) \
		$(if $(call linting,$*),C=1 W=1) modules $(if $(call linting,$*),\
		>$(B)/$@.log 2>&1 || { cat $(B)/$@.log; exit 1; })

# A build directory of its own, whose module counts nothing.
uncounted-%:
	$(call say,MODULE,$(B)/uncounted/module-$*)
	$(call farm,$(B)/uncounted/module-$*)
	$(Q)ln -sfn ../kernels ../tests ../lodge ../payload $(B)/uncounted/
	+$(Q)$(call kbuild,$(call kdir,$*),$(B)/uncounted/module-$*) \
		LODGE_STATS=n modules

oracle: $(addprefix oracle-,$(KERNELS)) ## module of the tests oracle/, in build/oracle-KERNEL/

oracle-%:
	$(call say,MODULE,$(B)/$@)
	$(call farm,$(B)/$@,$(ORACLE_FILES))
	+$(Q)$(call kbuild,$(call kdir,$*),$(B)/$@/selftests/oracle) modules

nmi: $(addprefix nmi-,$(KERNELS)) ## module of the tests nmi/, in build/nmi-KERNEL/

nmi-%:
	$(call say,MODULE,$(B)/$@)
	$(call farm,$(B)/$@,$(NMI_FILES))
	+$(Q)$(call kbuild,$(call kdir,$*),$(B)/$@/selftests/nmi/module) modules

life: $(addprefix life-,$(KERNELS)) ## module of the tests life/, in build/life-KERNEL/

life-%:
	$(call say,MODULE,$(B)/$@)
	$(call farm,$(B)/$@,$(LIFE_FILES))
	+$(Q)$(call kbuild,$(call kdir,$*),$(B)/$@/selftests/life/module) modules

core: $(addprefix core-,$(KERNELS)) ## module of the tests core/, in build/core-KERNEL/

# modpost wants a .cmd file of every object, which a copied one has not.
core-%: module-%
	$(call say,MODULE,$(B)/$@)
	$(call farm,$(B)/$@,$(CORE_FILES))
	$(Q)ld -r -z noexecstack -o $(B)/$@/selftests/core/module/core.o_shipped \
		$(addprefix $(B)/module-$*/,$(filter-out $(addprefix module/,$(FACE)),\
		$(shell sed 's|^.*/module-$*/||' $(B)/module-$*/lodge.mod)))
	$(Q): >$(B)/$@/selftests/core/module/.core.o.cmd
	+$(Q)$(call kbuild,$(call kdir,$*),$(B)/$@/selftests/core/module) modules

# judge(farm's name): every warning of its build fails.  Each of these kernels can clear
# the buffers of the processor before a guest runs; by what macro changes, and the loss
# of one would be seen by nobody.
define judge
	$(Q)! grep -E 'warning:|error:|objtool:|WARNING' $(B)/$(1).log | \
		grep -v 'pahole version differs'
	$(Q)objdump -d $(B)/$(1)/module/svm/entry.o | grep -q verw || \
		{ echo "svm_enter() leaves the buffers as they are" >&2; exit 1; }
	$(Q)objdump -d $(B)/$(1)/module/svm/entry.o | \
		awk '/\$$0x49,%ecx/ { own = 1 } /lfence/ { fills++ } \
		     END { exit own && fills < 4 }' || \
		{ echo "svm_enter() has a barrier that leaves returns" >&2; exit 1; }
endef

# lint(what, farm's name, kernel, flags): judges a clean build; C=2 and W=1 need one, since
# they report only on what is compiled.
define lint
	$(call say,$(1),lodge.ko for $(3))
	@rm -rf $(B)/$(2)
	$(call farm,$(B)/$(2))
	+$(Q)$(call kbuild,$(call kdir,$(3)),$(B)/$(2)) $(4) modules \
		>$(B)/$(2).log 2>&1 || { cat $(B)/$(2).log; exit 1; }
	$(call judge,$(2))
endef

sparse: $(addprefix sparse-,$(KERNELS)) ## module under sparse (C=2), all kernels: a warning fails

sparse-%:
	$(call lint,SPARSE,$@,$*,C=2)

w1: $(addprefix w1-,$(KERNELS)) ## module with W=1, all kernels: a warning or an objtool line fails

w1-%:
	$(call lint,W=1,$@,$*,W=1)

smatch: $(addprefix smatch-,$(KERNELS)) ## module under smatch, where that is on the PATH (Debian has none: build it from source): a warning fails

# KBUILD_CHECKSRC: Debian's headers of 7.x lack the script that looks for a checker,
# and so check nothing when only C=2 is asked for.  Two complaints are left out: a
# page fault may drop the lock, which smatch does not know, and it cannot read
# per-CPU lists of 6.12.
smatch-%:
	$(Q)command -v smatch >/dev/null || \
		{ echo 'no smatch on the PATH: see https://smatch.sf.net' >&2; exit 1; }
	$(call say,SMATCH,lodge.ko for $*)
	@rm -rf $(B)/$@
	$(call farm,$(B)/$@)
	+$(Q)$(call kbuild,$(call kdir,$*),$(B)/$@) C=2 KBUILD_CHECKSRC=2 \
		CHECK='smatch -p=kernel' modules >$(B)/$@.log 2>&1 || \
		{ cat $(B)/$@.log; exit 1; }
	$(Q)! grep -E 'module/.* (warn|error):' $(B)/$@.log | grep -v \
		-e "lodge_host_page_fault() warn: inconsistent returns '&mm->mmap_lock'" \
		-e 'error: multiple address spaces given'

lint: layers lengths man-page completion $(addprefix lint-,$(KERNELS)) ## sparse and w1 in one build, layers, lengths, man-page and completion

layers: ## who includes whom, against the rules in selftests/host/layers
	$(Q)selftests/host/layers

man-page: lodge ## lodge(1) has the options and exit codes of the controller, and the module's parameters
	$(Q)selftests/host/man-page $(B)/lodge

netlink-spec: ## uapi/lodge_netlink.yaml has what uapi/lodge_netlink.h has
	$(Q)selftests/host/netlink-spec uapi

completion: lodge ## bash completes the commands, options and arguments of the controller
	$(Q)selftests/host/completion $(B)/lodge

lengths: ## no source file and no script is longer than 700 lines
	$(Q)find Kbuild Makefile install.mk module uapi userctl selftests examples -type f \
		\( -name '*.[chS]' -o -name Makefile -o -name Kbuild -o -perm -u=x \) \
		! -name '*.mod.c' -exec awk 'FNR == 701 { print FILENAME " is too long"; \
		long = 1 } END { exit long }' {} +

headers-alone: module-6.1 ## each header of the module compiles alone
	$(Q)selftests/host/headers-alone $(call kdir,6.1) $(B)/module-6.1

state-fields: module-6.1 ## each field that holds a guest's state is in a register group (selftests/host/state.fields)
	$(Q)selftests/host/state-fields $(B)/module-6.1/lodge.ko uapi

lint-%:
	$(call lint,LINT,$@,$*,C=2 W=1)

# What module-% has said with LINT=1 in a clean build directory.
linted-%:
	$(call judge,module-$*)

# -------------------------------------------------------- controller, programs
obj	= $(patsubst %,$(B)/$(1)/%.o,$(basename $(2)))

lodge: $(B)/lodge ## the controller, build/lodge

$(B)/guest/init: $(wildcard userctl/guest/*.[ch])
	$(call say,CC,$(GUEST_INIT) (static))
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) $(if $(WERROR),-Werror) -D_GNU_SOURCE= -Iuserctl -Os \
		-ffunction-sections -static -s -Wl,--gc-sections -Wl,--build-id=none \
		-o $@ $(filter %.c,$^)

$(foreach d,obj san fuzz,$(call obj,$(d),userctl/boot/guest_init.c)): $(B)/guest/init
$(foreach d,obj san fuzz,$(call obj,$(d),userctl/boot/guest_init.c)): \
	CFLAGS += -DGUEST_INIT='"$(B)/guest/init"'

$(B)/filters.h: $(MAKE_FILTERS) userctl/sandbox/sandbox.h uapi/lodge.h
	$(call say,CC,$< (for the build))
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $(@D)/make-filters $< -lseccomp
	$(Q)$(@D)/make-filters >$@.new && mv $@.new $@

$(foreach d,obj san fuzz,$(call obj,$(d),userctl/sandbox/filter.c)): $(B)/filters.h
$(foreach d,obj san fuzz,$(call obj,$(d),userctl/sandbox/filter.c)): \
	CFLAGS += -DFILTERS='"$(abspath $(B))/filters.h"'

$(B)/obj/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/obj/%.o: %.S
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/san/%.o: %.c
	$(call say,CC,$< (unit))
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(SANITIZE) -c -o $@ $<

$(B)/fuzz/%.o: %.c
	$(call say,CLANG,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(ALL_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined \
		-fno-sanitize-recover=undefined \
		-c -o $@ $<

# An archive is made anew when one of its objects, or the list of them, changes.
%.a: $(B)/sources
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $(filter %.o,$^)

$(B)/userctl.a: $(call obj,obj,$(USERLIB) $(SHARED))
$(B)/testlib.a: $(call obj,obj,$(TESTLIB))
$(B)/san/userctl.a: $(call obj,san,$(USERLIB))
$(B)/san/pure.a: $(call obj,san,$(PURE) $(EXITS) $(ENTRIES) $(RUNS) $(SHOWN) module/cpuid.c \
	module/ioeventfd.c module/irqfd.c)
$(B)/fuzz/userctl.a: $(call obj,fuzz,$(USERLIB))
$(B)/fuzz/pure.a: $(call obj,fuzz,$(PURE) $(EXITS) $(SHOWN) module/stats.c)

$(EXITS_HEADERS):
	@mkdir -p $(@D) && : >$@

$(call obj,san,$(EXITS) $(EXITS_TESTS)) $(call obj,fuzz,$(EXITS) $(EXITS_TESTS)): \
	CFLAGS += -I$(B)/kernel -include selftests/unit/kernel.h
$(call obj,san,$(ENTRIES) $(ENTRIES_TESTS)): CFLAGS += -I$(B)/kernel \
	-include selftests/unit/kernel.h -include selftests/unit/kernel_cpu.h
$(call obj,san,$(addprefix module/vmx/,bitmap.c event.c run.c state.c) \
	selftests/unit/vmx_event.c selftests/unit/vmx_spec_ctrl.c): CFLAGS += -include selftests/unit/kernel_vmx.h
$(call obj,san,$(RUNS) $(RUNS_TESTS)) $(call obj,fuzz,module/stats.c): CFLAGS += -I$(B)/kernel \
	-include selftests/unit/kernel.h -include selftests/unit/kernel_run.h
$(call obj,san,$(USERS)) $(call obj,fuzz,module/user.c): CFLAGS += -I$(B)/kernel \
	-include selftests/unit/kernel.h -include selftests/unit/kernel_user.h
$(call obj,san,$(VIEW)) $(call obj,fuzz,module/registry.c module/news.c): \
	CFLAGS += -I$(B)/kernel \
	-include selftests/unit/kernel.h -include selftests/unit/kernel_view.h
$(foreach d,san fuzz,$(call obj,$(d),$(NETLINK) $(NETLINK_TESTS))): \
	CFLAGS += -I$(B)/kernel -include selftests/unit/kernel.h \
	-include selftests/unit/kernel_netlink.h
$(call obj,san,$(EVENTFDS)): CFLAGS += -I$(B)/kernel \
	-include selftests/unit/kernel.h -include selftests/unit/kernel_eventfd.h
$(call obj,san,$(CPUID)): CFLAGS += -I$(B)/kernel \
	-include selftests/unit/kernel.h -include selftests/unit/kernel_cpuid.h
$(call obj,san,module/machine_check.c module/svm/exit.c module/vmx/exit.c) \
	$(call obj,fuzz,module/machine_check.c module/svm/exit.c module/vmx/exit.c): \
	CFLAGS += -include selftests/unit/kernel_vendor.h
$(call obj,san,module/face.c module/ioctl.c selftests/unit/face.c) \
	$(call obj,fuzz,module/face.c module/ioctl.c): \
	CFLAGS += -include selftests/unit/kernel_face.h
$(foreach d,san fuzz,$(call obj,$(d),$(addprefix module/,irq.c lapic.c lapic_state.c \
	lapic_timer.c) $(addprefix selftests/unit/,delivery.c event.c fuzz_event.c \
	fuzz_lapic.c lapic.c lapic_messages.c lapic_timer.c))): \
	CFLAGS += -include selftests/unit/kernel_apic.h
$(call obj,san,$(EXITS) $(EXITS_TESTS) $(ENTRIES) $(ENTRIES_TESTS) $(RUNS) $(RUNS_TESTS) \
	$(USERS) $(VIEW) $(NETLINK) $(NETLINK_TESTS) $(CPUID) $(EVENTFDS)) \
	$(call obj,fuzz,$(EXITS) $(EXITS_TESTS) $(SHOWN) module/stats.c \
	selftests/unit/fuzz_netlink.c): | $(EXITS_HEADERS)

$(B)/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(USERLIB) $(TESTLIB) $(PURE) $(EXITS) $(ENTRIES) $(RUNS) $(SHOWN) module/cpuid.c' | cmp -s - $@ || \
		echo '$(USERLIB) $(TESTLIB) $(PURE) $(EXITS) $(ENTRIES) $(RUNS) $(SHOWN) module/cpuid.c' >$@

$(B)/lodge: $(call obj,obj,userctl/cmd/main.c) $(B)/userctl.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# ---------------------------------------------------------------------- library
liblodge: $(B)/liblodge.a ## the library for other programs, build/liblodge.a
	@:

$(B)/liblodge.a: $(call obj,obj,$(LIBRARY))

# The library as it is installed: all that the examples see of the tree.
$(B)/liblodge: $(B)/liblodge.a $(LIBRARY_HEADERS) $(ABI_HEADERS)
	$(Q)rm -rf $@
	$(Q)$(MAKE) -s install-liblodge DESTDIR=$(CURDIR)/$@ PREFIX=

examples: $(addprefix $(B)/,$(EXAMPLES)) ## examples of the library's use, build/examples/
	@:

$(B)/examples/%: examples/%.c $(B)/liblodge
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -Wall -Wextra -Wno-unused-parameter \
		$(if $(WERROR),-Werror) $(CFLAGS) -I$(B)/liblodge/include -o $@ $< \
		-L$(B)/liblodge/lib -llodge $(LIBS)

# ---------------------------------------------------------------- test programs
# The harness defines functions in place of declaring them.
$(B)/obj/selftests/%.o $(B)/san/selftests/%.o $(B)/abi/%: \
	WARN += -Wno-missing-prototypes

$(B)/unit/%: $(B)/san/selftests/unit/%.o \
		$(call obj,san,$(call helpers,unit)) \
		$(B)/san/userctl.a $(B)/san/pure.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ $(LIBS) -lZydis

$(B)/fuzzers/%: $(B)/fuzz/selftests/unit/%.o \
		$(B)/fuzz/userctl.a $(B)/fuzz/pure.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS) -lZydis

# The ABI's tests see nothing but the ABI, in both widths.
$(B)/abi/%-64 $(B)/abi/%-32: selftests/abi/%.c $(wildcard uapi/*.h)
	$(call say,CC,$< (64 and 32 bits))
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -m64 -o $(@D)/$*-64 $<
	$(Q)$(CC) $(ALL_CFLAGS) -m32 -o $(@D)/$*-32 $<

# What the requests of the netlink family are, from its description.
$(B)/netlink/requests.h: selftests/host/netlink-spec uapi/lodge_netlink.yaml
	@mkdir -p $(@D)
	$(Q)$< --table uapi >$@
$(B)/obj/selftests/api/netlink_policy.o: CFLAGS += -iquote $(B)/netlink
$(B)/obj/selftests/api/netlink_policy.o: | $(B)/netlink/requests.h

# The test of an example runs the example.
$(B)/tests/api/flat_example: $(B)/examples/flat

define hosted
$(B)/tests/$(1)/%: $(B)/obj/selftests/$(1)/%.o \
		$(call obj,obj,$(call helpers,$(1))) $(B)/testlib.a $(B)/userctl.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) -o $$@ $$^ $$(LIBS)

$(B)/tests/$(1)/%: selftests/$(1)/%.sh
	@mkdir -p $$(@D)
	$$(Q)install -m 755 $$< $$@
endef
$(foreach d,$(HOSTED) bench,$(eval $(call hosted,$(d))))

tests: $(HOSTED_BIN) ## test programs that need a host with /dev/lodge, in build/tests/
	@:

# ---------------------------------------------------------------------- testing
RUN	:= selftests/host/run

setup: ## installs the Debian packages that are missing, unpacks kernels and kselftest
	$(Q)selftests/host/setup --small --debug --debian $(B)

unit-programs: $(addprefix $(B)/,$(UNIT) $(addsuffix -64,$(ABI)) \
		$(addsuffix -32,$(ABI))) ## their programs, not run
	@:

unit: unit-programs ## unit and ABI tests, on this machine (TEST=unit/NAME, abi/NAME)
	$(Q)selftests/host/unit $(B) $(filter unit unit/% abi abi/%,$(TEST))

payload: $(B)/payload/guest.cpio $(B)/payload/cd.iso ## the guests' initramfs and CD
	@:

$(B)/payload/cd.iso: selftests/host/cd-image
	$(call say,ISO,$@)
	@mkdir -p $(@D)
	$(Q)$< $@ $(B)/kernels/memtest86+/boot/memtest86+x64.bin

$(B)/payload/guest.cpio: selftests/host/guest-initramfs $(B)/guest/parse \
		$(B)/guest/drive $(B)/guest/driver/lodge_channel.ko \
		$(wildcard selftests/host/guest/*.sh selftests/boot/guest/*.sh)
	$(call say,CPIO,$@)
	@mkdir -p $(@D)
	$(Q)selftests/host/guest-initramfs $@ $(wildcard $(addprefix $(B)/kernels/,\
		6.1 6.12)) $(filter-out $<,$^)

# Static programs of guests: of bench/devices, and the examples of guests for `lodge fuzz`.
$(B)/guest/requests: selftests/bench/linux/requests.c selftests/bench/linux/requests.h
$(B)/guest/parse $(B)/guest/drive: $(B)/guest/%: examples/fuzz/%.c \
		examples/fuzz/harness.c examples/fuzz/harness.h
$(B)/guest/parse: coverage = -fsanitize-coverage=trace-pc
$(B)/guest/requests $(B)/guest/parse $(B)/guest/drive:
	$(call say,CC,$< (static))
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) $(if $(WERROR),-Werror) -D_GNU_SOURCE= -O2 -static -s \
		$(coverage) -o $@ $(filter %.c,$^)

# The example of a driver, for the kernel of guests.
$(B)/guest/driver/lodge_channel.ko: $(wildcard examples/fuzz/driver/*)
	$(call say,MODULE,$@)
	@mkdir -p $(@D)
	$(Q)install -m 644 -t $(@D) $^
	+$(Q)$(call kbuild,$(call kdir,6.1),$(@D)) modules
	$(Q)strip --strip-debug $@

$(B)/payload/requests.cpio: selftests/host/guest-initramfs $(B)/guest/requests \
		selftests/bench/linux/requests.sh selftests/host/guest/virtio.sh
	$(call say,CPIO,$@)
	@mkdir -p $(@D)
	$(Q)selftests/host/guest-initramfs $@ $(B)/kernels/6.1 $(filter-out $<,$^)

check: ## everything: set-up, all kernels, all tests; TEST= HOST= KERNEL= CPU= select
	$(Q)BUILD=$(B) KERNEL='$(KERNEL)' TEST='$(TEST)' HOST='$(HOST)' \
		CPU='$(CPU)' JOBS='$(JOBS)' MAKE='$(MAKE)' selftests/host/check

# The host of demo and bench, and its kernel.
host	= $(or $(HOST),svm)
demo_kernel = $(or $(KERNEL),$(if $(filter svm local,$(host)),6.1,small))
options	= --kernel $(1) $(if $(CPU),--cpu $(CPU))

soak: ## random calls, guests and games with memory on the debugging kernel, HOURS=N (KERNEL=kcsan: data races)
	$(Q)BUILD=$(B) HOURS='$(HOURS)' HOST='$(HOST)' JOBS='$(JOBS)' \
		KERNEL='$(KERNEL)' SEED='$(SEED)' MAKE='$(MAKE)' selftests/host/soak

syzkaller: ## what syzkaller needs to know of the calls, in build/syzkaller/
	$(Q)selftests/host/syzkaller uapi/lodge.h selftests/soak/lodge.txt \
		$(B)/syzkaller

demo: ## boots Debian from a disk as a guest and shows its console (HOST=vmx: its kernel, on VT-x)
	$(Q)selftests/host/setup $(if $(filter svm local,$(host)),,--small) $(B)
	$(Q)$(MAKE) lodge payload $(if $(filter local,$(host)),,\
		module-$(demo_kernel))
	$(Q)selftests/host/demo --host $(host) \
		$(call options,$(demo_kernel)) $(B)

bench: setup ## instructions per exit, per boot, per request of a device (Lodge and KVM) and per list of VMs, and what counting costs: tables, and build/bench.json
	$(Q)$(MAKE) lodge payload module-$(or $(KERNEL),6.1) \
		uncounted-$(or $(KERNEL),6.1) \
		$(B)/payload/requests.cpio \
		$(addprefix $(B)/tests/bench/,bench boot clone devices rewind view)
	$(Q)selftests/host/bench $(call options,$(or $(KERNEL),6.1)) $(B) $(HOST)

# From what has once found something (selftests/unit/corpus/), so many inputs, and
# the same ones each time.
fuzz-%: $(B)/fuzzers/fuzz_%
	$(Q)rm -rf $(B)/corpus-$* && mkdir -p $(B)/corpus-$*
	$(Q)$< -runs=$(FUZZ_RUNS) -seed=1 $(B)/corpus-$* \
		$(wildcard selftests/unit/corpus/fuzz_$*)

fuzz: $(addprefix $(B)/fuzzers/,$(FUZZ)) ## libFuzzer targets, FUZZ_TIME seconds each
	$(Q)for f in $(FUZZ); do mkdir -p $(B)/corpus/$$f && $(B)/fuzzers/$$f \
		-max_total_time=$(FUZZ_TIME) $(B)/corpus/$$f || exit 1; done

format-check: ## clang-format over the C sources, changing nothing
	$(Q)$(FORMAT) -n -Werror --style=file $(shell \
		find module uapi userctl selftests examples -name '*.[ch]')

checkpatch: ## the kernel's checkpatch over the C sources
	$(Q)$(B)/kselftest/checkpatch.pl --no-tree --terse --show-types \
		--file $(shell find module uapi userctl -name '*.[ch]')

include install.mk

# -------------------------------------------------------------------------- rest
clean: ## what was built; the unpacked kernels stay
	$(Q)find $(B) -mindepth 1 -maxdepth 1 ! -name kernels ! -name kselftest \
		-exec rm -rf {} + 2>/dev/null || :

distclean: ## all of build/
	$(Q)rm -rf $(B)

help: ## this list; V=1 with any target shows commands, JOBS=N limits them
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | \
		expand -t 15

FORCE:
.PHONY: FORCE all module oracle nmi core life sparse w1 smatch lint layers lengths man-page completion netlink-spec headers-alone state-fields lodge liblodge examples tests setup unit \
	unit-programs payload check soak demo bench fuzz format-check checkpatch syzkaller \
	install install-module-source install-liblodge uninstall deb dkms-build clean distclean help

-include $(shell find $(B)/obj $(B)/san $(B)/fuzz -name '*.d' 2>/dev/null)
