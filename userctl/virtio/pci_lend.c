// SPDX-License-Identifier: GPL-2.0
/*
 * Queues of a virtio device that somebody outside of this process serves: the guest's kicks
 * reach the other one without this process, and so do its interrupts the guest, as long as
 * their vector can send.  While it is masked, or the guest uses the interrupt line, the
 * loop takes them.
 */
#include "virtio/pci.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * Takes what the other one has signalled.  It has the descriptor, too, and could have let
 * reads of it wait.
 */
static bool take_call(int call)
{
	eventfd_t count;
	const struct iovec iov = { .iov_base = &count,
				   .iov_len = sizeof(count) };

	return preadv2(call, &iov, 1, -1, RWF_NOWAIT) == sizeof(count);
}

/* In the loop's thread. */
static void called(void *opaque, int fd)
{
	struct virtio_lent *lent = opaque;
	struct virtio_device *device = &lent->pci->device;

	virtio_lock(device);
	if (lent->lent && !lent->direct && take_call(fd) &&
	    virtio_is_live(device))
		device->interrupt(device->transport, lent->queue);
	virtio_unlock(device);
}

static int send_by_eventfd(const struct virtio_lent *lent,
			   const struct pci_message *message)
{
	const struct doorbells *doorbells = &lent->pci->doorbells;

	return doorbells->message ?
		       doorbells->message(doorbells->opaque, lent->call,
					  message->address, message->data,
					  true) :
		       -ENOSYS;
}

/* Lets the loop take a queue's interrupts. */
static void send_by_loop(struct virtio_lent *lent)
{
	const struct doorbells *doorbells = &lent->pci->doorbells;

	if (lent->direct)
		doorbells->message(doorbells->opaque, lent->call, 0, 0, false);
	lent->direct = false;
	if (loop_watch(lent->pci->loop, lent->call, called, lent))
		virtio_needs_reset(&lent->pci->device);
}

/* @message: the vector's; NULL: it cannot send. */
static void direct(struct virtio_lent *lent, const struct pci_message *message)
{
	if (!lent->lent)
		return;
	if (!message) {
		if (lent->direct)
			send_by_loop(lent);
		return;
	}
	/* What comes while neither way is open is sent as the eventfd's opens. */
	if (!lent->direct)
		loop_unwatch(lent->pci->loop, lent->call);
	if (!send_by_eventfd(lent, message))
		lent->direct = true;
	else
		send_by_loop(lent);
}

void virtio_pci_redirect(struct virtio_pci *pci, unsigned int queue)
{
	struct virtio_lent *lent = &pci->lent[queue];
	struct pci_message message;
	bool sends;

	if (!lent->lent)
		return;
	sends = pci_msix_message(&pci->function, pci->state.vectors[queue],
				 &message);
	direct(lent, sends ? &message : NULL);
}

/* See pci_function.message. */
static void message_changed(void *opaque, unsigned int vector,
			    const struct pci_message *message)
{
	struct virtio_pci *pci = opaque;

	virtio_lock(&pci->device);
	for (unsigned int i = 0; i < pci->device.nr_queues; i++)
		if (pci->state.vectors[i] == vector)
			direct(&pci->lent[i], message);
	virtio_unlock(&pci->device);
}

static int make_call(struct virtio_lent *lent)
{
	if (lent->call < 0)
		lent->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return lent->call < 0 ? -errno : 0;
}

int virtio_pci_lend_prepare(struct virtio_pci *pci)
{
	int err = 0;

	for (unsigned int i = 0; i < pci->device.nr_queues && !err; i++)
		err = make_call(&pci->lent[i]);
	return err;
}

int virtio_pci_lend(struct virtio_pci *pci, unsigned int queue, bool process,
		    int *kick, int *call)
{
	struct virtio_lent *lent = &pci->lent[queue];
	int err = 0;

	if (!lent->lent)
		err = loop_watch(pci->loop, lent->call, called, lent);
	if (err)
		return err;
	if (!lent->lent) {
		virtio_pci_listen(pci, queue, false);
		eventfd_write(pci->bells[queue].eventfd, 1);
	}
	lent->lent = true;
	lent->process = process;
	virtio_pci_redirect(pci, queue);
	*kick = pci->bells[queue].eventfd;
	*call = lent->call;
	return 0;
}

void virtio_pci_take_back(struct virtio_pci *pci, unsigned int queue)
{
	struct virtio_lent *lent = &pci->lent[queue];
	struct virtio_device *device = &pci->device;

	if (!lent->lent)
		return;
	if (lent->direct)
		send_by_loop(lent);
	loop_unwatch(pci->loop, lent->call);
	lent->lent = false;
	if (take_call(lent->call) && virtio_is_live(device))
		device->interrupt(device->transport, queue);
	if ((lent->process && virtio_pci_renew_bell(pci, queue)) ||
	    virtio_pci_listen(pci, queue, true))
		virtio_needs_reset(device);
}

void virtio_pci_lend_init(struct virtio_pci *pci)
{
	for (unsigned int i = 0; i < VIRTIO_MAX_QUEUES; i++)
		pci->lent[i] = (struct virtio_lent){
			.pci = pci,
			.queue = i,
			.call = -1,
		};
	pci->function.message = message_changed;
}

void virtio_pci_lend_fini(struct virtio_pci *pci)
{
	for (unsigned int i = 0; i < VIRTIO_MAX_QUEUES; i++) {
		virtio_pci_take_back(pci, i);
		if (pci->lent[i].call >= 0)
			close(pci->lent[i].call);
	}
}
