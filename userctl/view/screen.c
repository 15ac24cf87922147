// SPDX-License-Identifier: GPL-2.0
/*
 * The screen of `lodge top` as text: three lines on all VMs, a line for messages, the
 * rates, what the selected VM does, and the keys.
 */
#include "view/screen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/size.h"
#include "view/word.h"

#define HEAD_LINES 4
#define TITLE_LINES 1
/* Of the selected VM: its title, and lines of exits. */
#define DETAIL_LINES 4
/* A smaller terminal shows no details. */
#define ROWS_FOR_DETAIL 16
#define ROWS_FOR_KEYS 8
/* A cell of the list of exits. */
#define EXIT_CELL 20
/* What a row of the table takes besides the name, with an ID of five digits. */
#define ROW_REST 64
#define NAME_MIN 8

static const char *const titles[RATES_COLUMNS] = {
	[RATES_ID] = "ID",	  [RATES_USER] = "USER",
	[RATES_NAME] = "NAME",	  [RATES_VCPUS] = "CPUS",
	[RATES_GUEST] = "%GUEST", [RATES_HOST] = "%HOST",
	[RATES_STEAL] = "%STEAL", [RATES_EXITS] = "EXITS/s",
	[RATES_RESIDENT] = "RES", [RATES_SHARED] = "SHR",
};

static const char *const keys[] = {
	"Up, Down, PgUp, PgDn, Home, End   select a VM",
	"< > or Left, Right                sort by the column before or behind",
	"r                                 reverse the order",
	"/                                 show VMs with this text in name or user",
	"Esc                               show all VMs",
	"k                                 kill the selected VM, after a question",
	"Space                             read the VMs now",
	"h or ?                            this list",
	"q                                 quit",
	"",
	"%GUEST, %HOST, %STEAL             100 is one CPU: in the guest, for it",
	"                                  outside, and ready but not run",
	"RES                               guest memory that its tables map",
	"SHR                               memory that other processes may share",
	"S                                 R runs, S sleeps, T is not run by its",
	"                                  process, K killed, B broken",
};

#define NR_KEYS (sizeof(keys) / sizeof(keys[0]))

static char *line(struct screen *screen, size_t row)
{
	return screen->text + row * (screen->columns + 1);
}

/* Adds to a line what fits; other processes chose the names, so only what is printable. */
__attribute__((format(printf, 3, 4))) static void
add(struct screen *screen, size_t row, const char *format, ...)
{
	char text[512];
	va_list arguments;
	size_t used;
	char *end;

	if (row >= screen->rows)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	end = line(screen, row);
	used = strlen(end);
	for (const char *c = text; *c && used < screen->columns; c++)
		end[used++] = *c >= ' ' && *c <= '~' ? *c : '?';
}

static void set_look(struct screen *screen, size_t row, enum screen_look look)
{
	if (row < screen->rows)
		screen->looks[row] = look;
}

/* Writes a number of at most seven characters. */
static void rate_format(char *text, size_t size, double rate)
{
	static const char units[] = "kMGT";
	size_t unit = 0;

	if (rate < 0.05)
		snprintf(text, size, "0");
	else if (rate < 9.95)
		snprintf(text, size, "%.1f", rate);
	else if (rate < 99999.5)
		snprintf(text, size, "%.0f", rate);
	else {
		for (rate /= 1000; rate >= 9999.5 && units[unit + 1]; unit++)
			rate /= 1000;
		snprintf(text, size, "%.0f%c", rate, units[unit]);
	}
}

/* Puts the reasons for which there were exits in order, the most frequent first. */
static size_t sort_exits(const double *exits, unsigned int *order)
{
	size_t count = 0;

	for (unsigned int i = 0; i < LODGE_NR_STAT_EXITS; i++) {
		size_t place = count;

		if (exits[i] < 0.05)
			continue;
		for (; place && exits[order[place - 1]] < exits[i]; place--)
			order[place] = order[place - 1];
		order[place] = i;
		count++;
	}
	return count;
}

static void write_exits(struct screen *screen, const struct rates_row *sum)
{
	unsigned int order[LODGE_NR_STAT_EXITS];
	size_t count = sort_exits(sum->exits, order);
	char rate[16];

	rate_format(rate, sizeof(rate), sum->all_exits);
	add(screen, 1, "%s exits a second", rate);
	for (size_t i = 0; i < count; i++) {
		rate_format(rate, sizeof(rate), sum->exits[order[i]]);
		add(screen, 1, "%s %s %s", i ? "," : ":",
		    word_of_exit(order[i]), rate);
	}
}

static void write_sum(struct screen *screen, const struct rates *rates,
		      const char *clock)
{
	const struct rates_row *sum = &rates->sum;
	char memory[SIZE_TEXT_SIZE], resident[SIZE_TEXT_SIZE];
	char shared[SIZE_TEXT_SIZE], tables[SIZE_TEXT_SIZE];

	add(screen, 0,
	    "lodge top - %s, %zu VM%s, %" PRIu64 " vCPU%s: guest %.1f%%, host "
	    "%.1f%%, steal %.1f%%",
	    clock, rates->all, rates->all == 1 ? "" : "s", sum->vcpus,
	    sum->vcpus == 1 ? "" : "s", sum->guest * 100, sum->host * 100,
	    sum->steal * 100);
	set_look(screen, 0, SCREEN_STRONG);
	write_exits(screen, sum);
	size_format(memory, sizeof(memory), sum->memory);
	size_format(resident, sizeof(resident), sum->resident);
	size_format(shared, sizeof(shared), sum->shared);
	size_format(tables, sizeof(tables), sum->tables);
	add(screen, 2,
	    "guest memory %s: %s resident, %s shared; nested page tables %s",
	    memory, resident, shared, tables);
}

static void write_message(struct screen *screen, const struct view *view,
			  const struct rates *rates)
{
	size_t row = HEAD_LINES - 1;
	size_t selected;

	set_look(screen, row, SCREEN_STRONG);
	switch (view->mode) {
	case VIEW_FILTER:
		add(screen, row, "Show VMs with: %s_", view->typed);
		return;
	case VIEW_KILL:
		selected = rates_find(rates, view->selected);
		if (selected < rates->count)
			add(screen, row,
			    "Kill VM %s (ID %" PRIu32
			    ") for ever?  y: yes, other keys: no",
			    rates->rows[selected].vm->vm.name, view->selected);
		else
			add(screen, row, "The VM is gone.");
		return;
	case VIEW_HELP:
	case VIEW_LIST:
		break;
	}
	if (*view->message) {
		add(screen, row, "%s", view->message);
		return;
	}
	set_look(screen, row, SCREEN_PLAIN);
	add(screen, row, "by %s%s", titles[view->column],
	    view->reverse ? ", reversed" : "");
	if (*view->filter)
		add(screen, row, "; %zu of %zu VMs, with \"%s\"", rates->count,
		    rates->all, view->filter);
}

/* Return: digits of the largest ID, at least five. */
static int id_width(const struct rates *rates)
{
	uint32_t largest = 0;

	for (size_t i = 0; i < rates->count; i++)
		if (rates->rows[i].vm->vm.id > largest)
			largest = rates->rows[i].vm->vm.id;
	return snprintf(NULL, 0, "%5" PRIu32, largest);
}

/* The name has what the other columns leave. */
static int name_width(const struct screen *screen, int id)
{
	size_t rest = ROW_REST + id - 5;

	if (screen->columns < rest + NAME_MIN)
		return NAME_MIN;
	if (screen->columns > rest + LODGE_NAME_SIZE - 1)
		return LODGE_NAME_SIZE - 1;
	return screen->columns - rest;
}

/* Cuts what is too long for its column, and says so with a plus sign. */
static void cut(char *text, size_t size, const char *word, int width)
{
	size_t length = strlen(word);

	snprintf(text, size, "%.*s", width, word);
	if (length > (size_t)width && (size_t)width < size)
		text[width - 1] = '+';
}

static void write_title(struct screen *screen, size_t line, int id, int name)
{
	add(screen, line, " %*s %-8s %-*s S %4s %6s %6s %6s %7s %5s %5s", id,
	    titles[RATES_ID], titles[RATES_USER], name, titles[RATES_NAME],
	    titles[RATES_VCPUS], titles[RATES_GUEST], titles[RATES_HOST],
	    titles[RATES_STEAL], titles[RATES_EXITS], titles[RATES_RESIDENT],
	    titles[RATES_SHARED]);
	set_look(screen, line, SCREEN_TITLE);
}

static void write_row(struct screen *screen, size_t line,
		      const struct rates_row *row, bool selected, int id,
		      int name)
{
	char user[SAMPLE_USER_SIZE], vm[LODGE_NAME_SIZE], rate[16];
	char resident[SIZE_TEXT_SIZE], shared[SIZE_TEXT_SIZE];

	cut(user, sizeof(user), row->vm->user, 8);
	cut(vm, sizeof(vm), row->vm->vm.name, name);
	rate_format(rate, sizeof(rate), row->all_exits);
	size_format(resident, sizeof(resident), row->resident);
	size_format(shared, sizeof(shared), row->shared);
	add(screen, line,
	    "%c%*" PRIu32 " %-8s %-*s %c %4" PRIu64
	    " %6.1f %6.1f %6.1f %7s %5s %5s",
	    selected ? '>' : ' ', id, row->vm->vm.id, user, name, vm,
	    row->state, row->vcpus, row->guest * 100, row->host * 100,
	    row->steal * 100, rate, resident, shared);
	if (selected)
		set_look(screen, line, SCREEN_SELECTED);
}

static void write_table(struct screen *screen, const struct view *view,
			const struct rates *rates, size_t shown)
{
	int id = id_width(rates);
	int name = name_width(screen, id);
	size_t selected = view_row(view, rates);
	size_t line = HEAD_LINES;

	write_title(screen, line++, id, name);
	if (!rates->count)
		add(screen, line, " no VMs");
	for (size_t i = view->first; i < rates->count && shown--; i++)
		write_row(screen, line++, &rates->rows[i],
			  !view->batch && i == selected, id, name);
}

static void write_cgroup(struct screen *screen, size_t line,
			 const struct cgroup *cgroup)
{
	char most[SIZE_TEXT_SIZE];

	if (!*cgroup->path)
		return;
	add(screen, line, ", cgroup %s", cgroup->path);
	if (cgroup->cpu_weight)
		add(screen, line, ", CPU weight %" PRIu64, cgroup->cpu_weight);
	if (cgroup->memory_max && cgroup->memory_max != CGROUP_NO_LIMIT) {
		size_format(most, sizeof(most), cgroup->memory_max);
		add(screen, line, ", at most %s", most);
	}
}

/* Writes the selected VM's own line, and the rates of its exits. */
static void write_detail(struct screen *screen, const struct rates_row *row,
			 size_t line)
{
	unsigned int order[LODGE_NR_STAT_EXITS];
	size_t count = sort_exits(row->exits, order);
	size_t in_line = screen->columns / EXIT_CELL ?: 1;
	char rate[16];

	add(screen, line, "%s: %s, process %" PRIu32, row->vm->vm.name,
	    word_of_vm_state(row->vm->vm.state), row->vm->vm.pid);
	write_cgroup(screen, line, &row->vm->cgroup);
	set_look(screen, line++, SCREEN_TITLE);
	if (!count)
		add(screen, line, " no exits");
	for (size_t i = 0; i < count; i++) {
		if (i / in_line >= DETAIL_LINES - 1)
			break;
		rate_format(rate, sizeof(rate), row->exits[order[i]]);
		add(screen, line + i / in_line, " %-11s %6s ",
		    word_of_exit(order[i]), rate);
	}
}

static void write_help(struct screen *screen, size_t end)
{
	for (size_t i = 0; i < NR_KEYS && HEAD_LINES + i < end; i++)
		add(screen, HEAD_LINES + i, "%s", keys[i]);
}

static bool has_detail(const struct view *view, const struct rates *rates,
		       size_t rows)
{
	return !view->batch && rates->count && rows >= ROWS_FOR_DETAIL;
}

static bool has_keys(const struct view *view, size_t rows)
{
	return !view->batch && rows >= ROWS_FOR_KEYS;
}

size_t screen_shown(const struct view *view, const struct rates *rates,
		    size_t rows)
{
	size_t rest = HEAD_LINES + TITLE_LINES;

	if (has_detail(view, rates, rows))
		rest += DETAIL_LINES;
	if (has_keys(view, rows))
		rest++;
	return rows > rest ? rows - rest : 0;
}

static void write_all(struct screen *screen, const struct view *view,
		      const struct rates *rates, const char *clock)
{
	size_t end = screen->rows;

	write_sum(screen, rates, clock);
	write_message(screen, view, rates);
	if (has_keys(view, screen->rows))
		add(screen, --end,
		    "q quit  h help  < > sort  r reverse  / filter  k kill");
	if (view->mode == VIEW_HELP) {
		write_help(screen, end);
		return;
	}
	write_table(screen, view, rates,
		    screen_shown(view, rates, screen->rows));
	if (has_detail(view, rates, screen->rows))
		write_detail(screen, &rates->rows[view_row(view, rates)],
			     end - DETAIL_LINES);
}

int screen_make(struct screen *screen, const struct view *view,
		const struct rates *rates, const char *clock, size_t rows,
		size_t columns)
{
	if (view->batch && !rows)
		rows = HEAD_LINES + TITLE_LINES + (rates->count ?: 1);
	screen->rows = rows;
	screen->columns = columns;
	screen->looks = calloc(rows + 1, sizeof(*screen->looks));
	screen->text = calloc(rows + 1, columns + 1);
	if (!screen->looks || !screen->text) {
		screen_free(screen);
		return -ENOMEM;
	}
	write_all(screen, view, rates, clock);
	return 0;
}

void screen_free(struct screen *screen)
{
	free(screen->looks);
	free(screen->text);
	memset(screen, 0, sizeof(*screen));
}

const char *screen_line(const struct screen *screen, size_t row)
{
	return screen->text + row * (screen->columns + 1);
}

void screen_print(const struct screen *screen, FILE *file)
{
	for (size_t row = 0; row < screen->rows; row++) {
		const char *text = screen_line(screen, row);
		int length = strlen(text);

		while (length && text[length - 1] == ' ')
			length--;
		fprintf(file, "%.*s\n", length, text);
	}
}
