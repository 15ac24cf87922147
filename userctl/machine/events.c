// SPDX-License-Identifier: GPL-2.0
/*
 * The events of a machine: from its guest, and from its user.
 *
 * These functions only record the event and wake the threads.  The machine's thread
 * acts on it.
 */
#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "board/loop.h"
#include "dev/pm.h"
#include "machine/parts.h"

void machine_stop_vcpus(struct machine *machine)
{
	for (struct vcpu **vcpu = machine->vcpus; *vcpu; vcpu++)
		vcpu_stop(*vcpu);
}

/* Lock held.  The first end counts. */
static void set_end(struct machine *machine, enum machine_fate fate, int code)
{
	if (machine->over)
		return;
	machine->over = true;
	machine->end.fate = fate;
	machine->end.code = code;
	eventfd_write(machine->ended, 1);
}

/* Ends the machine from outside, even while the guest is being reset. */
static void end_from_outside(struct machine *machine, enum machine_fate fate,
			     int code)
{
	pthread_mutex_lock(&machine->lock);
	set_end(machine, fate, code);
	/* A guest's end may be undone, and this one then counts. */
	if (!machine->dismissed) {
		machine->dismissed = true;
		machine->outer_fate = fate;
		machine->outer_code = code;
	}
	loop_stop(machine->loop);
	pthread_mutex_unlock(&machine->lock);
	for (size_t i = 0; i < SERIAL_MAX; i++)
		if (machine->serials[i].console)
			console_hang_up(machine->serials[i].console);
}

void machine_signal(void *opaque, int number)
{
	struct machine *machine = opaque;
	const struct machine_config *config = machine->config;

	if (number == SIGUSR1)
		loop_timer_arm(machine->show, 0);
	else if (number == SIGUSR2)
		machine_press_power_button(machine);
	else if (config->signalled && config->signalled(config->owner, number))
		return;
	else if (number == SIGWINCH)
		machine_tell_size(machine);
	else
		end_from_outside(machine, MACHINE_SIGNALLED, number);
}

void machine_end(struct machine *machine)
{
	end_from_outside(machine, MACHINE_QUIT, 0);
}

void machine_leave(struct machine *machine)
{
	end_from_outside(machine, MACHINE_MIGRATED, 0);
}

void machine_press_power_button(struct machine *machine)
{
	loop_timer_arm(machine->press, 0);
}

void machine_quit(void *opaque)
{
	machine_end(opaque);
}

void machine_killed(struct machine *machine)
{
	end_from_outside(machine, MACHINE_KILLED, 0);
}

/*
 * The guest ends or resets the machine.  Later events of the guest are ignored, and
 * its vCPUs execute no further instruction after the exit that they handle now.
 */
void machine_power(void *opaque, enum power_event event, int code)
{
	struct machine *machine = opaque;

	pthread_mutex_lock(&machine->lock);
	if (!machine->restart) {
		switch (event) {
		case POWER_OFF:
			set_end(machine, MACHINE_POWERED_OFF, 0);
			break;
		case POWER_EXIT:
			set_end(machine, MACHINE_EXITED, code);
			break;
		case POWER_RESET:
			if (machine->config->no_reboot)
				set_end(machine, MACHINE_RESET, 0);
			else
				machine->restart = true;
			break;
		case POWER_SLEEP:
			machine->asleep = true;
			break;
		case POWER_WAKE:
			machine->woken = true;
			break;
		}
	}
	loop_stop(machine->loop);
	pthread_mutex_unlock(&machine->lock);
	machine_stop_vcpus(machine);
}

/* A processor has shut down; on a PC this resets the machine. */
static void triple_fault(struct machine *machine)
{
	pthread_mutex_lock(&machine->lock);
	/* Only the event that ends the machine sets @end. */
	if (!machine->restart && !machine->over && machine->config->no_reboot) {
		set_end(machine, MACHINE_RESET, 0);
		machine->end.triple_fault = true;
	}
	pthread_mutex_unlock(&machine->lock);
	machine_power(machine, POWER_RESET, 0);
}

void machine_vcpu_dead(void *opaque, struct vcpu *vcpu, int error)
{
	struct machine *machine = opaque;

	if (error == -ECANCELED) {
		machine_killed(machine);
		return;
	}
	if (!error && vcpu_run_page(vcpu)->reason == LODGE_EXIT_SHUTDOWN &&
	    !machine->config->stop_on_crash) {
		triple_fault(machine);
		return;
	}
	pthread_mutex_lock(&machine->lock);
	if (!machine->restart && !machine->over) {
		set_end(machine, MACHINE_CRASHED, 0);
		crash_take(&machine->end.crash, vcpu_fd(vcpu), vcpu_id(vcpu),
			   vcpu_run_page(vcpu), error, machine->ram);
	}
	loop_stop(machine->loop);
	pthread_mutex_unlock(&machine->lock);
}

void machine_kick_first(void *opaque)
{
	struct machine *machine = opaque;

	if (machine->vcpus[0])
		vcpu_kick(machine->vcpus[0]);
}

void machine_output(void *opaque, const void *bytes, size_t size)
{
	const struct machine_serial *serial = opaque;
	struct machine *machine = serial->machine;
	int err = 0;

	if (serial->console)
		err = console_write(serial->console, bytes, size);
	if (!err)
		return;
	pthread_mutex_lock(&machine->lock);
	if (!machine->end.lost_output)
		machine->end.lost_output = err;
	pthread_mutex_unlock(&machine->lock);
	/* The reader is gone: end as other programs in a pipeline do. */
	if (err == -EPIPE)
		end_from_outside(machine, MACHINE_SIGNALLED, SIGPIPE);
}

void machine_drained(void *opaque)
{
	const struct machine_serial *serial = opaque;

	if (serial->input)
		input_drained(serial->input);
}

/* The clock's alarm is connected to ACPI's fixed hardware. */
void machine_alarm(void *opaque)
{
	struct machine *machine = opaque;

	pm_alarm(devices_get(machine->devices, &pm_device, 0));
}

/* It waits until the machine runs: a vCPU that is not loaded yet would forget it. */
void machine_general_event(void *opaque, unsigned int number)
{
	struct machine *machine = opaque;

	pthread_mutex_lock(&machine->lock);
	machine->general_events |= 1U << number;
	pthread_mutex_unlock(&machine->lock);
	loop_timer_arm(machine->general, 0);
}

void machine_raise_general(void *opaque)
{
	struct machine *machine = opaque;
	struct pm *pm = devices_get(machine->devices, &pm_device, 0);
	unsigned int events;

	pthread_mutex_lock(&machine->lock);
	events = machine->general_events;
	machine->general_events = 0;
	pthread_mutex_unlock(&machine->lock);
	for (; events; events &= events - 1)
		pm_raise_general(pm, (unsigned int)__builtin_ctz(events));
}

void machine_press(void *opaque)
{
	struct machine *machine = opaque;

	pm_press_power_button(devices_get(machine->devices, &pm_device, 0));
}
