/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the user of `lodge top` has chosen, and how keys change it.
 */
#ifndef LODGE_VIEW_VIEW_H
#define LODGE_VIEW_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/rates.h"

#define VIEW_TEXT_SIZE 64
#define VIEW_MESSAGE_SIZE 200

/* Keys that are no character; characters stand for themselves. */
enum view_key {
	VIEW_KEY_ENTER = '\n',
	VIEW_KEY_ESCAPE = 0x1b,
	VIEW_KEY_BACKSPACE = 0x7f,
	VIEW_KEY_UP = 0x100,
	VIEW_KEY_DOWN,
	VIEW_KEY_LEFT,
	VIEW_KEY_RIGHT,
	VIEW_KEY_PAGE_UP,
	VIEW_KEY_PAGE_DOWN,
	VIEW_KEY_HOME,
	VIEW_KEY_END,
};

/**
 * enum view_mode - what keys mean now
 * @VIEW_LIST: commands
 * @VIEW_HELP: any key leaves the list of keys
 * @VIEW_FILTER: text for the filter
 * @VIEW_KILL: y kills the VM, any other key does not
 */
enum view_mode {
	VIEW_LIST,
	VIEW_HELP,
	VIEW_FILTER,
	VIEW_KILL,
};

/**
 * enum view_action - what is to be done after a key
 * @VIEW_REDRAW: show the same VMs again
 * @VIEW_REFRESH: read the VMs now
 * @VIEW_DO_KILL: kill the VM view.selected
 * @VIEW_QUIT: end
 */
enum view_action {
	VIEW_REDRAW,
	VIEW_REFRESH,
	VIEW_DO_KILL,
	VIEW_QUIT,
};

/**
 * struct view - what the user has chosen
 * @column: the column that orders the VMs
 * @reverse: the other way round
 * @filter: see rates_make()
 * @mode: what keys mean now
 * @typed: in VIEW_FILTER: the text so far
 * @selected: ID of the selected VM; 0: the first one
 * @first: index of the first row that is shown
 * @batch: no keys, no selection
 * @message: a line for the user, or empty
 */
struct view {
	enum rates_column column;
	bool reverse;
	char filter[VIEW_TEXT_SIZE];
	enum view_mode mode;
	char typed[VIEW_TEXT_SIZE];
	uint32_t selected;
	size_t first;
	bool batch;
	char message[VIEW_MESSAGE_SIZE];
};

/**
 * view_row() - find the selected row
 *
 * Return: its index; the first one if the VM is not in the table; 0 also for an empty
 * table.
 */
size_t view_row(const struct view *view, const struct rates *rates);

/**
 * view_scroll() - choose the first row so that the selected one is shown
 * @shown: number of rows for which there is room
 */
void view_scroll(struct view *view, const struct rates *rates, size_t shown);

/**
 * view_press() - carry out a key
 * @rates: the VMs as they are shown
 * @shown: number of rows for which there is room
 * @key: a character or enum view_key
 */
enum view_action view_press(struct view *view, const struct rates *rates,
			    size_t shown, int key);

#endif
