// SPDX-License-Identifier: GPL-2.0
/*
 * A crash while guests run.
 */
#include "life.h"

int main(void)
{
	return crash(false);
}
