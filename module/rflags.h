/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bits of RFLAGS, for the pure files: Intel SDM vol. 1, section 3.4.3.
 */
#ifndef LODGE_RFLAGS_H
#define LODGE_RFLAGS_H

#include "pure.h"

#define RFLAGS_CF BIT_ULL(0)
#define RFLAGS_FIXED BIT_ULL(1)
#define RFLAGS_PF BIT_ULL(2)
#define RFLAGS_AF BIT_ULL(4)
#define RFLAGS_ZF BIT_ULL(6)
#define RFLAGS_SF BIT_ULL(7)
#define RFLAGS_TF BIT_ULL(8)
#define RFLAGS_IF BIT_ULL(9)
#define RFLAGS_DF BIT_ULL(10)
#define RFLAGS_OF BIT_ULL(11)
#define RFLAGS_IOPL GENMASK_ULL(13, 12)
#define RFLAGS_IOPL_SHIFT 12
#define RFLAGS_NT BIT_ULL(14)
#define RFLAGS_RF BIT_ULL(16)
#define RFLAGS_VM BIT_ULL(17)
#define RFLAGS_AC BIT_ULL(18)
#define RFLAGS_VIRTUAL GENMASK_ULL(20, 19) /* VIF, VIP */
#define RFLAGS_ID BIT_ULL(21)
/* Those that software can set. */
#define RFLAGS_BITS 0x3f7fd5ULL

#endif
