/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMs and vCPUs as user space sees them: file descriptors, ioctls and the run page.
 */
#ifndef LODGE_FACE_H
#define LODGE_FACE_H

/**
 * lodge_face_create_vm() - make a VM of the calling process
 * @name: as struct lodge_vm_create has it
 *
 * Return: its descriptor, or as LODGE_CREATE_VM.
 */
int lodge_face_create_vm(const char *name);

#endif
