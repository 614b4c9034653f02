#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tune.h"
#include "lib/json.h"
#include "lib/term.h"

/* The picture's size. */
#define WIDE	56
#define HIGH	14

/* Indices of the points played on everything, by friction, then loss. */
static int
order(const struct tuning *t, bool frontier, int *out)
{
	const struct tune_point	*a, *b;
	int			 i, k, n = 0;

	for (i = 0; i < t->found.n_points; i++) {
		a = &t->found.points[i];
		if (!a->whole || (frontier && !a->frontier))
			continue;
		for (k = n++; k > 0; k--) {
			b = &t->found.points[out[k - 1]];
			if (b->friction_ppm < a->friction_ppm ||
			    (b->friction_ppm == a->friction_ppm &&
			    b->loss_ppm <= a->loss_ppm))
				break;
			out[k] = out[k - 1];
		}
		out[k] = i;
	}
	return n;
}

static void
print_settings(const struct tuning *t, const struct tune_point *pt)
{
	char	 text[KNOB_TEXT_MAX];
	int	 k;

	for (k = 0; k < t->n_knobs; k++)
		(void)printf("%s %s %s", k == 0 ? " " : ",",
		    t->knobs[k].name, knob_format(&t->knobs[k],
		    tune_value(pt, t->knobs, k), text));
	(void)printf("\n");
}

static void
print_point(const struct tuning *t, const struct tune_point *pt, char mark)
{
	const int64_t	 figures[] = { pt->loss_ppm, pt->worst_ppm,
		pt->held_ppm, pt->value_ppm, pt->delayed_ppm, pt->code_ppm };
	char		 text[SCENES_TEXT_MAX];
	size_t		 i;

	(void)printf("%c", mark);
	for (i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		(void)printf(" %8s", scenes_percent(text, figures[i]));
	print_settings(t, pt);
}

static int
scaled(int64_t v, int64_t lo, int64_t hi, int steps)
{
	return hi == lo ? 0 : (int)((v - lo) * (steps - 1) / (hi - lo));
}

/* Loss upwards against friction to the right. */
static void
print_picture(const struct tuning *t, const int *points, int n)
{
	const struct term	 term = term_of(stdout);
	const struct tune_point	*pt;
	char			 grid[HIGH][WIDE + 1], text[SCENES_TEXT_MAX];
	int64_t			 x0 = INT64_MAX, x1 = 0, y0 = INT64_MAX,
				 y1 = 0;
	int			 i, x, y;

	for (i = 0; i < n; i++) {
		pt = &t->found.points[points[i]];
		x0 = pt->friction_ppm < x0 ? pt->friction_ppm : x0;
		x1 = pt->friction_ppm > x1 ? pt->friction_ppm : x1;
		y0 = pt->loss_ppm < y0 ? pt->loss_ppm : y0;
		y1 = pt->loss_ppm > y1 ? pt->loss_ppm : y1;
	}
	memset(grid, ' ', sizeof(grid));
	for (i = 0; i < n; i++) {
		pt = &t->found.points[points[i]];
		x = scaled(pt->friction_ppm, x0, x1, WIDE);
		y = HIGH - 1 - scaled(pt->loss_ppm, y0, y1, HIGH);
		if (points[i] == 0)
			grid[y][x] = 'F';
		else if (grid[y][x] != 'F' && pt->frontier)
			grid[y][x] = '*';
		else if (grid[y][x] == ' ')
			grid[y][x] = '.';
	}
	for (y = 0; y < HIGH; y++) {
		(void)printf("%9s %s", y == 0 ? scenes_percent(text, y1) :
		    y == HIGH - 1 ? scenes_percent(text, y0) : "",
		    term.utf8 ? "\u2502" : "|");
		for (x = 0; x < WIDE; x++)
			if (grid[y][x] == '*' && term.utf8)
				(void)printf("\u25cf");
			else if (grid[y][x] == '.' && term.utf8)
				(void)printf("\u00b7");
			else
				(void)printf("%c", grid[y][x]);
		(void)printf("\n");
	}
	(void)printf("%9s %s", "lost", term.utf8 ? "\u2514" : "+");
	for (x = 0; x < WIDE; x++)
		(void)printf("%s", term.utf8 ? "\u2500" : "-");
	(void)printf("\n%11s%-*s", "", WIDE - 8, scenes_percent(text, x0));
	(void)printf("%8s  %s\n", scenes_percent(text, x1),
	    tune_friction_text(t->o.friction));
}

/* No figure differs: only the first of such settings is worth a line. */
static bool
same_figures(const struct tune_point *a, const struct tune_point *b)
{
	return a->loss_ppm == b->loss_ppm && a->worst_ppm == b->worst_ppm &&
	    a->held_ppm == b->held_ppm && a->value_ppm == b->value_ppm &&
	    a->delayed_ppm == b->delayed_ppm && a->code_ppm == b->code_ppm;
}

static void
print_frontier(const struct tuning *t, const int *points, int n)
{
	const struct tune_point	*pt, *last = NULL;
	int			 i, more = 0;

	for (i = 0; i < n; i++) {
		pt = &t->found.points[points[i]];
		if (last != NULL && same_figures(last, pt)) {
			more++;
			continue;
		}
		if (more > 0)
			(void)printf("  (and %d with the same figures)\n",
			    more);
		print_point(t, pt, points[i] == 0 ? 'F' : '*');
		last = pt;
		more = 0;
	}
	if (more > 0)
		(void)printf("  (and %d with the same figures)\n", more);
}

void
tune_text(const struct tuning *t)
{
	int	*points = calloc(TUNE_POINTS_MAX, sizeof(*points));
	int	 n, all;

	if (points == NULL)
		return;
	all = order(t, false, points);
	(void)printf("%s: %d settings tried, %d on all scenes\n\n", t->path,
	    t->found.n_points, all);
	print_picture(t, points, all);
	n = order(t, true, points);
	(void)printf("\n  %8s %8s %8s %8s %8s %8s\n", "lost", "worst",
	    "held", "of value", "delayed", "code");
	print_frontier(t, points, n);
	if (!t->found.points[0].frontier)
		print_point(t, &t->found.points[0], 'F');
	(void)printf("\nF is the file as it is; * is the frontier: nothing "
	    "tried is better in both.\n");
	free(points);
}

static void
put_point(struct json *j, const struct tuning *t,
    const struct tune_point *pt, bool file)
{
	char	 text[KNOB_TEXT_MAX];
	int	 k;

	json_open_object(j, NULL);
	json_put_bool(j, "file", file);
	json_put_bool(j, "frontier", pt->frontier);
	json_put_bool(j, "all_scenes", pt->whole);
	json_put_ratio(j, "loss", pt->loss_ppm, 1000000, 6);
	json_put_ratio(j, "loss_worst", pt->worst_ppm, 1000000, 6);
	json_put_ratio(j, "held", pt->held_ppm, 1000000, 6);
	json_put_ratio(j, "held_of_value", pt->value_ppm, 1000000, 6);
	json_put_ratio(j, "delayed", pt->delayed_ppm, 1000000, 6);
	json_put_ratio(j, "code", pt->code_ppm, 1000000, 6);
	json_open_object(j, "settings");
	for (k = 0; k < t->n_knobs; k++)
		json_put_text(j, t->knobs[k].name, knob_format(&t->knobs[k],
		    tune_value(pt, t->knobs, k), text));
	json_close(j);
	json_close(j);
}

enum rc
tune_json(const struct tuning *t, struct err *e)
{
	struct json	 j;
	int		 i;

	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	json_put_text(&j, "policy", t->path);
	json_put_text(&j, "friction", tune_friction_text(t->o.friction));
	json_open_array(&j, "points");
	for (i = 0; i < t->found.n_points; i++)
		put_point(&j, t, &t->found.points[i], i == 0);
	json_close(&j);
	json_close(&j);
	if (json_end(&j) != RC_OK)
		return err_set(e, "standard output cannot be written");
	return RC_OK;
}
