/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The screen of `lodge top` as text.
 */
#ifndef LODGE_VIEW_SCREEN_H
#define LODGE_VIEW_SCREEN_H

#include <stddef.h>
#include <stdio.h>

#include "view/rates.h"
#include "view/view.h"

/**
 * enum screen_look - the look of a line, where a terminal can show it; its text alone
 * says all
 */
enum screen_look {
	SCREEN_PLAIN,
	SCREEN_STRONG,
	SCREEN_TITLE,
	SCREEN_SELECTED,
};

/**
 * struct screen - lines of text
 * @rows: number of lines
 * @columns: the most characters of a line
 * @looks: of each line
 * @text: lines of @columns + 1 bytes: printable ASCII, then zeros
 */
struct screen {
	size_t rows;
	size_t columns;
	enum screen_look *looks;
	char *text;
};

/**
 * screen_make() - write all lines
 * @screen: filled
 * @view: what the user has chosen
 * @rates: the VMs
 * @clock: the time of day, as text
 * @rows: lines of the terminal; 0 with view.batch: as many as there are to tell
 * @columns: characters of a line
 *
 * Return: 0 or -ENOMEM.
 */
int screen_make(struct screen *screen, const struct view *view,
		const struct rates *rates, const char *clock, size_t rows,
		size_t columns);

/**
 * screen_free() - free the lines, and zero the screen
 */
void screen_free(struct screen *screen);

/**
 * screen_line() - get a line
 */
const char *screen_line(const struct screen *screen, size_t row);

/**
 * screen_print() - write all lines to a file, without blanks at their ends
 */
void screen_print(const struct screen *screen, FILE *file);

/**
 * screen_shown() - ask for how many VMs there is room
 * @view: what the user has chosen
 * @rates: the VMs
 * @rows: lines of the terminal
 */
size_t screen_shown(const struct view *view, const struct rates *rates,
		    size_t rows);

#endif
