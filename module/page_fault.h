/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The error code of a page fault.
 */
#ifndef LODGE_PAGE_FAULT_H
#define LODGE_PAGE_FAULT_H

/* Its bits (AMD APM vol. 2, section 8.4.2). */
#define LODGE_PF_PRESENT 0x01
#define LODGE_PF_WRITE 0x02
#define LODGE_PF_USER 0x04
#define LODGE_PF_RESERVED 0x08
#define LODGE_PF_FETCH 0x10
#define LODGE_PF_KEY 0x20

#endif
