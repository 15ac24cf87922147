/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the kernel that module/face.c and ioctl.c use, for user space.  Included
 * after kernel.h.  A test defines the functions.
 */
#ifndef LODGE_UNIT_KERNEL_FACE_H
#define LODGE_UNIT_KERNEL_FACE_H

#include <fcntl.h>
#include <linux/ioctl.h>

#include "kernel.h"

/* The controller's library has the same names, and all tests are linked with it. */
#define lodge_state_get module_state_get
#define lodge_state_set module_state_set
#define lodge_cpuid_get module_cpuid_get
#define lodge_cpuid_set module_cpuid_set

#ifndef noinline
#define noinline __attribute__((noinline))
#endif

#define THIS_MODULE NULL
#define GFP_KERNEL_ACCOUNT 0
#define VM_SHARED 8
#define VM_DONTEXPAND 0
#define VM_DONTDUMP 0
#define VM_DONTCOPY 0
#define U8_MAX 255

#define container_of(pointer, type, member) \
	((type *)((char *)(pointer)-offsetof(type, member)))

#ifndef array_index_nospec
#define array_index_nospec(index, size) (index)
#endif

struct inode;
struct page;

struct file {
	void *private_data;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_pgoff;
	unsigned long vm_flags;
};

struct file_operations {
	void *owner;
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd,
			       unsigned long argument);
	long (*compat_ioctl)(struct file *file, unsigned int cmd,
			     unsigned long argument);
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	int (*release)(struct inode *inode, struct file *file);
	void *llseek;
};

#define noop_llseek NULL

static inline bool IS_ERR(const void *pointer)
{
	return (unsigned long)pointer >= -4095UL;
}

static inline long PTR_ERR(const void *pointer)
{
	return (long)pointer;
}

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline void *ERR_CAST(const void *pointer)
{
	return (void *)pointer;
}

static inline void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}

#define rdtsc() 0ULL

unsigned long get_zeroed_page(int flags);
void free_page(unsigned long page);
void put_page(struct page *page);
struct page *virt_to_page(void *address);
int vm_insert_page(struct vm_area_struct *vma, unsigned long address,
		   struct page *page);
int get_unused_fd_flags(int flags);
void put_unused_fd(int fd);
void fd_install(int fd, struct file *file);
struct file *anon_inode_getfile(const char *name,
				const struct file_operations *operations,
				void *data, int flags);
int anon_inode_getfd(const char *name, const struct file_operations *operations,
		     void *data, int flags);
int mutex_lock_killable(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);
int copy_struct_from_user(void *to, size_t size, const void *from,
			  size_t given);
unsigned long copy_to_user(void *to, const void *from, size_t size);
unsigned long clear_user(void *to, size_t size);

#endif
