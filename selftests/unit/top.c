// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what `lodge top` shows of two samples, and of its keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "samples.h"
#include "view/screen.h"
#include "view/rates.h"
#include "view/view.h"

#define ROWS 24
#define COLUMNS 80

static struct fixed before, now;
static struct view view;
static struct rates rates;
static struct screen screen;

static void show_at(size_t rows, size_t columns)
{
	rates_free(&rates);
	screen_free(&screen);
	if (rates_make(&rates, &before.sample, &now.sample, view.column,
		       view.reverse, view.filter))
		abort();
	view_scroll(&view, &rates, screen_shown(&view, &rates, rows));
	if (screen_make(&screen, &view, &rates, "12:34:56", rows, columns))
		abort();
}

static void show(void)
{
	show_at(ROWS, COLUMNS);
}

static enum view_action press(int key)
{
	enum view_action action = view_press(
		&view, &rates, screen_shown(&view, &rates, ROWS), key);

	show();
	return action;
}

static void type(const char *text)
{
	while (*text)
		press(*text++);
}

/* Return: the line that has this text, or an empty one. */
static const char *line_with(const char *text)
{
	for (size_t row = 0; row < screen.rows; row++)
		if (strstr(screen_line(&screen, row), text))
			return screen_line(&screen, row);
	return "";
}

FIXTURE(top){};

FIXTURE_SETUP(top)
{
	memset(&view, 0, sizeof(view));
	view.column = RATES_GUEST;
	fixed_make(&before);
	fixed_make(&now);
	fixed_advance(&now);
	show();
}

FIXTURE_TEARDOWN(top)
{
	rates_free(&rates);
	screen_free(&screen);
}

TEST_F(top, the_screen_of_two_samples_is_this_text)
{
	static const char *const lines[ROWS] = {
		"lodge top - 12:34:56, 2 VMs, 3 vCPUs: guest 160.0%, host "
		"25.0%, steal 5.0%",
		"12555 exits a second: io 12345, cpuid 200, hlt 10",
		"guest memory 1.5G: 700M resident, 310M shared; nested page "
		"tables 3M",
		"by %GUEST",
		"    ID USER     NAME             S CPUS %GUEST  %HOST %STEAL "
		"EXITS/s   RES   SHR",
		">    3 alice    web              R    2  150.0   25.0    5.0 "
		"  12545  600M  300M",
		"     7 bob      batch            S    1   10.0    0.0    0.0 "
		"     10  100M   10M",
		[19] = "web: alive, process 301, cgroup /lodge-301, CPU weight "
		       "50, at most 512M",
		[20] = " io           12345  cpuid          200 ",
		[23] = "q quit  h help  < > sort  r reverse  / filter  k kill",
	};

	for (size_t row = 0; row < ROWS; row++)
		EXPECT_STREQ(lines[row] ? lines[row] : "",
			     screen_line(&screen, row));
}

TEST_F(top, the_first_look_shows_the_averages_of_a_life)
{
	/* It is 12 seconds old. */
	now.vcpus[2].guest = 6 * SECOND;
	rates_free(&rates);
	ASSERT_EQ(0,
		  rates_make(&rates, NULL, &now.sample, RATES_ID, false, ""));
	EXPECT_EQ(50, (int)(rates.rows[1].guest * 100 + 0.5));
}

TEST_F(top, a_new_vm_with_the_number_of_an_old_one_is_new)
{
	before.vcpus[2].guest = 1;
	before.stats[2].exits[LODGE_STAT_HLT] = 1;
	now.vms[1].vm.start = 111 * SECOND;
	now.vcpus[2].guest = SECOND;
	show();
	/* A second old, and always in the guest. */
	EXPECT_EQ(100, (int)(rates.rows[1].guest * 100 + 0.5));
	EXPECT_EQ(20, (int)(rates.rows[1].all_exits + 0.5));
}

TEST_F(top, counters_that_go_back_count_as_nothing)
{
	before.vcpus[0].guest = before.vcpus[1].guest = 1000 * SECOND;
	before.stats[0].exits[LODGE_STAT_IO] = UINT64_MAX;
	show();
	EXPECT_EQ(0, (int)rates.rows[rates_find(&rates, 3)].guest);
	EXPECT_EQ(200, (int)rates.rows[rates_find(&rates, 3)].all_exits);
}

TEST_F(top, samples_of_the_same_moment_divide_nothing_by_zero)
{
	now.sample.time = before.sample.time;
	show();
	EXPECT_EQ(0, (int)rates.sum.guest);
	EXPECT_STREQ("0 exits a second", screen_line(&screen, 1));
}

TEST_F(top, a_state_is_that_of_the_liveliest_vcpu_unless_the_vm_is_dead)
{
	EXPECT_EQ('R', rates.rows[0].state);
	EXPECT_EQ('S', rates.rows[1].state);
	now.vcpus[2].state = LODGE_VCPU_OUTSIDE;
	now.vms[0].vm.state = LODGE_VM_KILLED;
	show();
	EXPECT_EQ('K', rates.rows[0].state);
	EXPECT_EQ('T', rates.rows[1].state);
	now.vms[0].vm.state = LODGE_VM_BROKEN;
	show();
	EXPECT_EQ('B', rates.rows[0].state);
}

TEST_F(top, keys_choose_the_column_and_the_order)
{
	EXPECT_EQ(3, rates.rows[0].vm->vm.id);
	press('r');
	EXPECT_EQ(7, rates.rows[0].vm->vm.id);
	EXPECT_STREQ("by %GUEST, reversed", screen_line(&screen, 3));
	press('r');
	press('<');
	press('<');
	EXPECT_STREQ("by NAME", screen_line(&screen, 3));
	EXPECT_STREQ("batch", rates.rows[0].vm->vm.name);
	press(VIEW_KEY_RIGHT);
	EXPECT_STREQ("by CPUS", screen_line(&screen, 3));
	EXPECT_STREQ("web", rates.rows[0].vm->vm.name);
}

TEST_F(top, each_column_orders_and_the_order_goes_round)
{
	for (int column = 0; column < RATES_COLUMNS; column++) {
		view.column = column;
		show();
		/* web has the smaller ID, the earlier user, and more of all else. */
		EXPECT_EQ(column == RATES_NAME ? 7 : 3, rates.rows[0].vm->vm.id)
		{
			TH_LOG("column %d", column);
		}
	}
	view.column = RATES_SHARED;
	press('>');
	EXPECT_EQ(RATES_ID, view.column);
	press('<');
	EXPECT_EQ(RATES_SHARED, view.column);
}

TEST_F(top, the_selection_stays_with_its_vm)
{
	press(VIEW_KEY_DOWN);
	EXPECT_EQ('>', line_with("batch")[0]);
	press('r');
	EXPECT_EQ('>', line_with("batch")[0]);
	EXPECT_EQ(7, rates.rows[0].vm->vm.id);
	press(VIEW_KEY_UP);
	EXPECT_EQ('>', line_with("batch")[0]);
	press(VIEW_KEY_END);
	EXPECT_EQ('>', line_with("alice")[0]);
	press(VIEW_KEY_HOME);
	EXPECT_EQ('>', line_with("bob")[0]);
}

TEST_F(top, a_filter_takes_names_and_users_without_regard_to_case)
{
	press('/');
	type("BOX");
	EXPECT_STREQ("Show VMs with: BOX_", screen_line(&screen, 3));
	press(VIEW_KEY_BACKSPACE);
	EXPECT_EQ(2, rates.count);
	press(VIEW_KEY_ENTER);
	EXPECT_EQ(1, rates.count);
	EXPECT_EQ(7, rates.rows[0].vm->vm.id);
	EXPECT_STREQ("by %GUEST; 1 of 2 VMs, with \"BO\"",
		     screen_line(&screen, 3));
	/* The head is on all VMs. */
	EXPECT_EQ(3, rates.sum.vcpus);
	press(VIEW_KEY_ESCAPE);
	EXPECT_EQ(2, rates.count);
}

TEST_F(top, escape_leaves_the_filter_as_it_was)
{
	press('/');
	type("zzz");
	press(VIEW_KEY_ESCAPE);
	EXPECT_EQ(2, rates.count);
	EXPECT_EQ(VIEW_LIST, view.mode);
}

TEST_F(top, a_filter_is_cut_to_its_room)
{
	press('/');
	for (int i = 0; i < 3 * VIEW_TEXT_SIZE; i++)
		press('a');
	press(VIEW_KEY_ENTER);
	EXPECT_EQ(VIEW_TEXT_SIZE - 1, strlen(view.filter));
	EXPECT_EQ(0, rates.count);
	EXPECT_STREQ(" no VMs", screen_line(&screen, 5));
}

TEST_F(top, a_vm_is_killed_after_y_alone)
{
	EXPECT_EQ(VIEW_REDRAW, press('k'));
	EXPECT_STREQ("Kill VM web (ID 3) for ever?  y: yes, other keys: no",
		     screen_line(&screen, 3));
	EXPECT_EQ(VIEW_REDRAW, press('k'));
	EXPECT_EQ(VIEW_LIST, view.mode);
	press('k');
	EXPECT_EQ(VIEW_REDRAW, press(VIEW_KEY_ENTER));
	press('k');
	EXPECT_EQ(VIEW_DO_KILL, press('y'));
	EXPECT_EQ(3, view.selected);
}

TEST_F(top, a_vm_that_is_gone_before_the_answer_leaves_no_other_in_its_place)
{
	press('k');
	now.sample.vms++;
	now.sample.nr_vms--;
	show();
	EXPECT_STREQ("The VM is gone.", screen_line(&screen, 3));
	EXPECT_EQ(VIEW_REDRAW, press('y'));
	EXPECT_STREQ("the VM is gone", screen_line(&screen, 3));
}

TEST_F(top, there_is_nothing_to_kill_without_vms)
{
	now.sample.nr_vms = 0;
	show();
	EXPECT_EQ(VIEW_REDRAW, press('k'));
	EXPECT_EQ(VIEW_LIST, view.mode);
	press(VIEW_KEY_DOWN);
	press(VIEW_KEY_PAGE_UP);
	EXPECT_STREQ(" no VMs", screen_line(&screen, 5));
}

TEST_F(top, the_other_keys_quit_help_and_refresh)
{
	EXPECT_EQ(VIEW_QUIT, press('q'));
	EXPECT_EQ(VIEW_REFRESH, press(' '));
	press('h');
	EXPECT_NE(0, *line_with("kill the selected VM"));
	EXPECT_NE(0, *line_with("broken"));
	/* Any key leaves it, q too. */
	EXPECT_EQ(VIEW_REDRAW, press('q'));
	EXPECT_EQ('>', line_with("alice")[0]);
}

TEST_F(top,
       what_a_name_brings_that_is_not_printable_does_not_reach_the_terminal)
{
	strcpy(now.vms[0].vm.name, "\x1b[2J\xc3\xa4");
	strcpy(now.vms[0].user, "\x9b"
				"1m");
	strcpy(now.vms[0].cgroup.path, "/\n\x7f");
	show();
	for (size_t row = 0; row < ROWS; row++)
		for (const char *c = screen_line(&screen, row); *c; c++)
			EXPECT_TRUE(*c >= ' ' && *c <= '~');
	EXPECT_NE(0, *line_with("?[2J??"));
}

TEST_F(top, long_names_are_cut_at_80_columns_and_whole_on_a_wide_screen)
{
	memset(now.vms[0].vm.name, 'n', LODGE_NAME_SIZE - 1);
	memset(now.vms[0].user, 'u', SAMPLE_USER_SIZE - 1);
	now.vms[0].vm.id = now.vcpus[0].vm = now.vcpus[1].vm = now.stats[0].vm =
		now.stats[1].vm = UINT32_MAX;
	sample_sort(&now.sample);
	show();
	EXPECT_NE(0, *line_with("4294967295 uuuuuuu+ nnnnnnnnnn+ R "));
	EXPECT_EQ(COLUMNS, strlen(line_with("4294967295")));
	show_at(ROWS, 200);
	EXPECT_NE(0, *line_with(now.vms[1].vm.name));
}

TEST_F(top, large_numbers_stay_in_their_columns)
{
	now.vms[0].vm.memory = now.vms[0].vm.resident = UINT64_MAX;
	now.vms[0].shared = UINT64_MAX;
	for (size_t i = 0; i < LODGE_NR_STAT_EXITS; i++)
		now.stats[0].exits[i] = UINT64_MAX;
	show();
	EXPECT_GE(COLUMNS, strlen(line_with("alice")));
}

TEST_F(top, no_size_of_terminal_is_too_small)
{
	static const int keys[] = { 'h', ' ', '/', VIEW_KEY_ESCAPE, 'k', 'n' };

	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		press(keys[k]);
		for (size_t rows = 0; rows <= 30; rows++)
			for (size_t columns = 0; columns <= 90; columns += 3) {
				show_at(rows, columns);
				for (size_t row = 0; row < rows; row++)
					EXPECT_GE(columns,
						  strlen(screen_line(&screen,
								     row)));
			}
	}
}

/* As many VMs as fill several screens. */
static void make_many(size_t count)
{
	now.sample.vms = calloc(count, sizeof(*now.sample.vms));
	now.sample.nr_vms = count;
	for (size_t i = 0; i < count; i++) {
		now.sample.vms[i].vm.id = i + 1;
		snprintf(now.sample.vms[i].vm.name, LODGE_NAME_SIZE, "vm-%zu",
			 i + 1);
	}
}

TEST_F(top, a_list_longer_than_the_screen_scrolls_with_the_selection)
{
	make_many(100);
	view.column = RATES_ID;
	show();
	EXPECT_EQ('>', line_with("vm-1 ")[0]);
	EXPECT_EQ(14, screen_shown(&view, &rates, ROWS));
	EXPECT_NE(0, *line_with("vm-14 "));
	EXPECT_EQ(0, *line_with("vm-15 "));
	press(VIEW_KEY_PAGE_DOWN);
	EXPECT_EQ('>', line_with("vm-15 ")[0]);
	EXPECT_EQ(0, *line_with("vm-1 "));
	press(VIEW_KEY_END);
	EXPECT_EQ('>', line_with("vm-100 ")[0]);
	press(VIEW_KEY_DOWN);
	EXPECT_EQ('>', line_with("vm-100 ")[0]);
	press(VIEW_KEY_PAGE_UP);
	EXPECT_EQ('>', line_with("vm-86 ")[0]);
	press(VIEW_KEY_HOME);
	EXPECT_EQ('>', line_with("vm-1 ")[0]);
	/* When the list gets short, no room is left empty. */
	press(VIEW_KEY_END);
	view.selected = 15;
	now.sample.nr_vms = 15;
	show();
	EXPECT_EQ(1, view.first);
	free(now.sample.vms);
}

TEST_F(top, batch_has_all_vms_and_neither_keys_nor_selection)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	make_many(100);
	view.batch = true;
	show_at(0, COLUMNS);
	screen_print(&screen, file);
	fclose(file);
	EXPECT_NE(NULL, strstr(text, " vm-100 "));
	EXPECT_EQ(NULL, strstr(text, "q quit"));
	EXPECT_EQ(NULL, strchr(text, '>'));
	EXPECT_EQ(NULL, strstr(text, " \n"));
	free(text);
	free(now.sample.vms);
}

TEST_HARNESS_MAIN
