/*
 * drawbridge drill: the theft of a scenario, played over HTTP against the
 * running service, with real API keys, while the same minute's ordinary
 * customers withdraw.  It ends with what left and what was stopped.
 *
 * The service's folder was made with `init --demo --drill --history`, so
 * that accounts, habits and keys are as the thief found them.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/totp.h"
#include "bitcoin/address.h"
#include "cli/acting.h"
#include "cli/commands.h"
#include "cli/customer.h"
#include "cli/drill.h"
#include "cli/founding.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "lib/term.h"
#include "sim/command.h"
#include "sim/scenario.h"

enum { OPT_URL = 256, OPT_SPEED };

static const struct option	 names[] = {
	{ "url", required_argument, NULL, OPT_URL },
	{ "speed", required_argument, NULL, OPT_SPEED },
	{ "json", no_argument, NULL, ACTING_JSON },
	{ "help", no_argument, NULL, ACTING_HELP },
	{ NULL, 0, NULL, 0 }
};

struct drill {
	struct acting	 acting;
	struct service	*service;
	struct customer	*customer;
	const char	*url;
	char		 url_text[128];
	int64_t		 speed;
	json_t		*file;		/* DATA/drill.keys */
	enum network	 net;		/* of the service */
	struct drill_asked *asked;
	size_t		 n;
	size_t		 room;
	json_t		*steps;		/* account: its last code's step */
	bool		 again;		/* not the first drill here */
	int64_t		 start_ms;	/* of the play, real time */
	uint32_t	 run;		/* makes this play's ids its own */
};

static int64_t
now_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * MS_PER_S + t.tv_nsec / 1000000;
}

/* What is to be played */

/* "binance-2019" is .../binance-2019.jsonl, and so is its path. */
static bool
is_named(const char *path, const char *name)
{
	const char	*base = strrchr(path, '/');
	size_t		 len = strlen(name);

	base = base != NULL ? base + 1 : path;
	return strcmp(path, name) == 0 || (strncmp(base, name, len) == 0 &&
	    (base[len] == '\0' || base[len] == '.')) ||
	    (strchr(name, '/') != NULL && strlen(path) > len &&
	    strcmp(path + strlen(path) - len, name) == 0);
}

static enum rc
load_keys(struct drill *d, const char *scenario, struct err *e)
{
	const char	*made_with;
	char		 path[600];

	(void)snprintf(path, sizeof(path), "%s/drill.keys",
	    service_data(d->service));
	if ((d->file = json_load_file(path, 0, NULL)) == NULL)
		return err_set(e, "%s is not there: the folder was not made "
		    "with `init --demo --drill --history %s`", path,
		    scenario);
	made_with = json_string_value(json_object_get(d->file, "scenario"));
	if (made_with == NULL || !is_named(made_with, scenario))
		return err_set(e, "this folder was made for the drill %s",
		    made_with != NULL ? made_with : "?");
	return RC_OK;
}

/* Where the customers' door is: --url; or what `make run` wrote down. */
static void
find_url(struct drill *d)
{
	char	 path[600];
	FILE	*f;

	if (d->url != NULL)
		return;
	d->url = "http://127.0.0.1:8080";
	(void)snprintf(path, sizeof(path), "%s/url",
	    service_data(d->service));
	if ((f = fopen(path, "re")) == NULL)
		return;
	if (fgets(d->url_text, sizeof(d->url_text), f) != NULL) {
		d->url_text[strcspn(d->url_text, "\n")] = '\0';
		d->url = d->url_text;
	}
	(void)fclose(f);
}

/* The same script, spelled for the service's network. */
static enum rc
spell(char out[ADDRESS_TEXT_MAX], const struct scenario_event *ev,
    enum network from, enum network to, struct err *e)
{
	struct address	 a;

	if (address_parse(&a, from, ev->address.p, ev->address.len, e) !=
	    RC_OK)
		return RC_FAILED;
	return address_encode(out, to, a.script, a.len) ? RC_OK :
	    err_set(e, "a script without an address");
}

static enum rc
add(struct drill *d, const struct scenario_event *ev, enum network from,
    const json_t *key, struct err *e)
{
	struct drill_asked	*a, *more;

	if (d->n == d->room) {
		d->room = d->room > 0 ? 2 * d->room : 128;
		more = realloc(d->asked, d->room * sizeof(*more));
		if (more == NULL)
			return err_set(e, "no memory");
		d->asked = more;
	}
	a = &d->asked[d->n++];
	memset(a, 0, sizeof(*a));
	a->t_ms = ev->t_ms;
	a->attack = ev->label == LABEL_ATTACK;
	a->amount_sat = ev->amount_sat;
	a->key = key;
	a->with_code = ev->code == TRI_YES;
	(void)amount_format(a->amount, ev->amount_sat);
	(void)snprintf(a->name, sizeof(a->name), "%.*s", (int)ev->id.len,
	    ev->id.p);
	if (ev->ip.p != NULL)
		(void)snprintf(a->from, sizeof(a->from),
		    DRILL_HEADER ": %.*s", (int)ev->ip.len, ev->ip.p);
	return spell(a->address, ev, from, d->net, e);
}

static enum rc
consider(struct drill *d, const struct scenario_event *ev, enum network from,
    struct err *e)
{
	char	 id[FOUNDING_ID_MAX];
	json_t	*key;

	if (ev->type != SCENARIO_WITHDRAW)
		return RC_OK;
	key = json_object_get(json_object_get(d->file, "keys"),
	    founding_key_id(id, ev->key, ev->account));
	return key == NULL ? RC_OK : add(d, ev, from, key, e);
}

static enum rc
load(struct drill *d, struct err *e)
{
	const char		*path = json_string_value(json_object_get(
		    d->file, "scenario"));
	json_int_t		 from = json_integer_value(json_object_get(
		    d->file, "from"));
	json_int_t		 until = json_integer_value(json_object_get(
		    d->file, "until"));
	struct scenario_reader	*r = NULL;
	struct scenario_event	 ev;
	bool			 more = true;
	enum rc			 rc;

	rc = scenario_reader_open(&r, path, e);
	while (rc == RC_OK && (rc = scenario_read(r, &ev, &more, e)) ==
	    RC_OK && more && ev.t_ms <= until) {
		if (ev.t_ms >= from)
			rc = consider(d, &ev, scenario_reader_network(r), e);
	}
	scenario_reader_free(&r);
	return rc == RC_OK && d->n == 0 ? err_set(e, "%s: nothing to play",
	    path) : rc;
}

/* The play */

static void
wait_for(const struct drill *d, const struct drill_asked *a)
{
	int64_t		 at = d->start_ms + (a->t_ms - d->asked[0].t_ms) /
		    d->speed, left = at - now_ms();
	struct timespec	 t = { left / MS_PER_S, left % MS_PER_S * 1000000 };

	if (left > 0)
		(void)nanosleep(&t, NULL);
}

/*
 * What his telephone shows.  A code is good once: whoever withdraws twice in
 * half a minute takes the one before and the one after as well, which are
 * good for as long, and then waits.  False: he has none.
 */
static bool
next_code(struct drill *d, const struct drill_asked *a,
    char code[TOTP_CODE_MAX])
{
	const char	*account = json_string_value(json_object_get(a->key,
		    "account"));
	const char	*seed = json_string_value(json_object_get(
		    json_object_get(d->file, "codes"), account));
	const json_t	*last = json_object_get(d->steps, account);
	const struct timespec	 pause = { 0, 100000000 };
	struct totp	 t = { TOTP_SHA1, 6, 30, 0, { 0 } };
	int64_t		 step;
	int		 len;

	if (!a->with_code || seed == NULL || (len = totp_unbase32(t.seed,
	    sizeof(t.seed), text_of(seed))) < 0)
		return false;
	t.seed_len = (size_t)len;
	step = totp_step(&t, now_ms()) - 1;
	if (last != NULL && json_integer_value(last) >= step)
		step = json_integer_value(last) + 1;
	while (step > totp_step(&t, now_ms()) + 1)
		(void)nanosleep(&pause, NULL);
	totp_code(code, &t, (uint64_t)step);
	sodium_memzero(&t, sizeof(t));
	(void)json_object_set_new(d->steps, account, json_integer(step));
	return true;
}

/* Which codes were used stays beside the keys, for the next drill. */
static char *
steps_path(const struct drill *d, char path[600])
{
	(void)snprintf(path, 600, "%s/drill.steps", service_data(d->service));
	return path;
}

static void
load_steps(struct drill *d)
{
	char	 path[600];

	d->steps = json_load_file(steps_path(d, path), 0, NULL);
	if (d->steps != NULL)
		d->again = true;
	else
		d->steps = json_object();
}

static void
save_steps(const struct drill *d)
{
	char	 path[600];

	if (json_dump_file(d->steps, steps_path(d, path), JSON_COMPACT) != 0)
		(void)fprintf(stderr, "drawbridge drill: %s: not written\n",
		    path);
}

static enum rc
ask(struct drill *d, struct drill_asked *a, struct err *e)
{
	char			 order[32], code[TOTP_CODE_MAX];
	struct customer_ask	 c = {
		.api_key = json_string_value(json_object_get(a->key,
		    "api_key")),
		.secret = json_string_value(json_object_get(a->key,
		    "secret")),
		.address = a->address, .amount = a->amount, .order = order,
		.code = next_code(d, a, code) ? code : NULL,
		.from = a->from[0] != '\0' ? a->from : NULL,
		.t_ms = now_ms() };
	json_t			*answer = NULL;
	const char		*text;
	enum rc			 rc;

	(void)snprintf(order, sizeof(order), "%08x-%.16s", (unsigned)d->run,
	    a->name);
	rc = customer_withdraw(d->customer, &c, &a->status, &answer, e);
	if (rc == RC_OK) {
		text = json_string_value(json_object_get(answer, "id"));
		(void)snprintf(a->id, sizeof(a->id), "%s",
		    text != NULL ? text : "");
		a->code = json_integer_value(json_object_get(answer,
		    "code"));
		text = json_string_value(json_object_get(answer, "msg"));
		(void)snprintf(a->why, sizeof(a->why), "%s",
		    text != NULL ? text : "");
	}
	json_decref(answer);
	return rc;
}

/* What the service says of it; the client was told only that it was taken. */
static enum rc
look(struct drill *d, struct drill_asked *a, struct err *e)
{
	const char	*state, *verdict;
	json_t		*j;

	if (a->id[0] == '\0') {
		(void)snprintf(a->state, sizeof(a->state), "refused");
		return RC_OK;
	}
	if ((j = service_get(d->service, ENDPOINT_LOCAL_WITHDRAWAL, NULL,
	    a->id, e)) == NULL)
		return RC_FAILED;
	state = json_string_value(json_object_get(j, "state"));
	verdict = json_string_value(json_object_get(j, "verdict"));
	(void)snprintf(a->state, sizeof(a->state), "%s",
	    state != NULL ? state : "?");
	(void)snprintf(a->verdict, sizeof(a->verdict), "%s",
	    verdict != NULL ? verdict : "");
	json_decref(j);
	return RC_OK;
}

static enum rc
play(struct drill *d, struct err *e)
{
	size_t	 i;
	enum rc	 rc = RC_OK;

	d->start_ms = now_ms();
	for (i = 0; i < d->n && rc == RC_OK; i++) {
		wait_for(d, &d->asked[i]);
		if ((rc = ask(d, &d->asked[i], e)) == RC_OK &&
		    (rc = look(d, &d->asked[i], e)) == RC_OK &&
		    !d->acting.json)
			drill_line(&d->asked[i], d->start_ms, now_ms());
	}
	/* Some waited, and have left or been stopped meanwhile. */
	for (i = 0; i < d->n && rc == RC_OK; i++)
		rc = look(d, &d->asked[i], e);
	return rc;
}

static enum rc
run(struct drill *d, const char *scenario, struct err *e)
{
	struct service_facts	 f;
	enum rc			 rc;

	if ((rc = service_open(&d->service, e)) != RC_OK ||
	    (rc = service_facts(d->service, &f, e)) != RC_OK)
		return rc;
	d->net = (enum network)f.network;
	if (!f.demo || d->net != NETWORK_REGTEST)
		return err_set(e, "a drill is for a folder made with --demo: "
		    "here it would be a theft");
	find_url(d);
	if ((rc = load_keys(d, scenario, e)) != RC_OK ||
	    (rc = load(d, e)) != RC_OK ||
	    (rc = customer_new(&d->customer, d->url, e)) != RC_OK)
		return rc;
	load_steps(d);
	d->run = (uint32_t)now_ms();
	if (!d->acting.json)
		drill_begin(d->asked, d->n, d->url, d->again);
	rc = play(d, e);
	save_steps(d);
	return rc;
}

int
cmd_drill(int argc, char **argv)
{
	struct drill	 d = { .speed = 12 };
	struct err	 e;
	int		 option, status;
	enum rc		 rc;

	acting_begin(&d.acting);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == OPT_URL)
			d.url = optarg;
		else if (option == OPT_SPEED)
			d.speed = strtoll(optarg, NULL, 10);
		else if (!acting_option(&d.acting, option, "drill", &status))
			return status;
	}
	if (argc - optind != 1 || d.speed < 1 || d.speed > 1000)
		return usage("drill");
	if (sodium_init() < 0)
		return STATUS_FAILED;
	rc = run(&d, argv[optind], &e);
	if (rc == RC_OK)
		drill_report(d.asked, d.n, is_named(argv[optind],
		    "binance-2019"), d.acting.json);
	customer_free(&d.customer);
	service_close(&d.service);
	json_decref(d.file);
	json_decref(d.steps);
	free(d.asked);
	return rc == RC_OK ? STATUS_DONE : acting_failed("drill", &e);
}
