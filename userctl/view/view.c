// SPDX-License-Identifier: GPL-2.0
/*
 * What the user of `lodge top` has chosen.
 */
#include "view/view.h"

#include <stdio.h>
#include <string.h>

size_t view_row(const struct view *view, const struct rates *rates)
{
	size_t row = rates_find(rates, view->selected);

	return row < rates->count ? row : 0;
}

void view_scroll(struct view *view, const struct rates *rates, size_t shown)
{
	size_t row = view_row(view, rates);

	if (!shown || rates->count <= shown)
		view->first = 0;
	else if (view->first > rates->count - shown)
		view->first = rates->count - shown;
	if (row < view->first)
		view->first = row;
	else if (shown && row >= view->first + shown)
		view->first = row - shown + 1;
}

/* The row is @by further, or the last one in that direction. */
static void move(struct view *view, const struct rates *rates, bool up,
		 size_t by)
{
	size_t row = view_row(view, rates);

	if (!rates->count)
		return;
	if (up)
		row -= by < row ? by : row;
	else
		row += by < rates->count - 1 - row ? by :
						     rates->count - 1 - row;
	view->selected = rates->rows[row].vm->vm.id;
}

static void begin_filter(struct view *view)
{
	view->mode = VIEW_FILTER;
	snprintf(view->typed, sizeof(view->typed), "%s", view->filter);
}

/* From here on the selection is that VM, wherever its row goes. */
static void begin_kill(struct view *view, const struct rates *rates)
{
	if (!rates->count)
		return;
	view->selected = rates->rows[view_row(view, rates)].vm->vm.id;
	view->mode = VIEW_KILL;
}

static enum view_action press_filter(struct view *view, int key)
{
	size_t length = strlen(view->typed);

	switch (key) {
	case VIEW_KEY_ENTER:
		snprintf(view->filter, sizeof(view->filter), "%s", view->typed);
		view->mode = VIEW_LIST;
		break;
	case VIEW_KEY_ESCAPE:
		view->mode = VIEW_LIST;
		break;
	case VIEW_KEY_BACKSPACE:
		if (length)
			view->typed[length - 1] = '\0';
		break;
	default:
		if (key > ' ' && key < VIEW_KEY_BACKSPACE &&
		    length < sizeof(view->typed) - 1) {
			view->typed[length] = key;
			view->typed[length + 1] = '\0';
		}
		break;
	}
	return VIEW_REDRAW;
}

/* A VM that is gone meanwhile is not killed, nor is another one in its place. */
static enum view_action press_kill(struct view *view, const struct rates *rates,
				   int key)
{
	view->mode = VIEW_LIST;
	if (key != 'y' && key != 'Y')
		return VIEW_REDRAW;
	if (rates_find(rates, view->selected) < rates->count)
		return VIEW_DO_KILL;
	snprintf(view->message, sizeof(view->message), "the VM is gone");
	return VIEW_REDRAW;
}

static enum view_action press_list(struct view *view, const struct rates *rates,
				   size_t shown, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
		return VIEW_QUIT;
	case ' ':
		return VIEW_REFRESH;
	case 'h':
	case '?':
		view->mode = VIEW_HELP;
		break;
	case '/':
		begin_filter(view);
		break;
	case VIEW_KEY_ESCAPE:
		view->filter[0] = '\0';
		break;
	case 'k':
		begin_kill(view, rates);
		break;
	case 'r':
		view->reverse = !view->reverse;
		break;
	case '<':
	case VIEW_KEY_LEFT:
		view->column =
			(view->column + RATES_COLUMNS - 1) % RATES_COLUMNS;
		break;
	case '>':
	case VIEW_KEY_RIGHT:
		view->column = (view->column + 1) % RATES_COLUMNS;
		break;
	case VIEW_KEY_UP:
	case VIEW_KEY_DOWN:
		move(view, rates, key == VIEW_KEY_UP, 1);
		break;
	case VIEW_KEY_PAGE_UP:
	case VIEW_KEY_PAGE_DOWN:
		move(view, rates, key == VIEW_KEY_PAGE_UP, shown ?: 1);
		break;
	case VIEW_KEY_HOME:
	case VIEW_KEY_END:
		move(view, rates, key == VIEW_KEY_HOME, rates->count);
		break;
	}
	return VIEW_REDRAW;
}

enum view_action view_press(struct view *view, const struct rates *rates,
			    size_t shown, int key)
{
	view->message[0] = '\0';
	switch (view->mode) {
	case VIEW_HELP:
		view->mode = VIEW_LIST;
		return VIEW_REDRAW;
	case VIEW_FILTER:
		return press_filter(view, key);
	case VIEW_KILL:
		return press_kill(view, rates, key);
	case VIEW_LIST:
		break;
	}
	return press_list(view, rates, shown, key);
}
