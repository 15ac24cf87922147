// SPDX-License-Identifier: GPL-2.0
/*
 * A crash while guests run, with a KVM that has nothing to do.
 */
#include "life.h"

int main(void)
{
	return crash(true);
}
