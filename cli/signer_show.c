/*
 * What a signer says of itself: status, show, descriptors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/signer.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "lib/term.h"

#define RANGE	999	/* what a wallet looks ahead */

/* Lines of `name value`, one after the other. */
static bool
next_line(struct text *rest, struct text *name, struct text *value)
{
	const char	*nl, *blank;

	if (rest->len == 0)
		return false;
	nl = memchr(rest->p, '\n', rest->len);
	name->p = rest->p;
	name->len = nl != NULL ? (size_t)(nl - rest->p) : rest->len;
	rest->len -= name->len + (nl != NULL);
	rest->p += name->len + (nl != NULL);
	blank = memchr(name->p, ' ', name->len);
	value->p = blank != NULL ? blank + 1 : name->p + name->len;
	value->len = (size_t)(name->p + name->len - value->p);
	if (blank != NULL)
		name->len = (size_t)(blank - name->p);
	return true;
}

static bool
is_number(struct text t)
{
	size_t	 i;

	for (i = 0; i < t.len; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
	}
	return t.len > 0 && t.len <= 15 && (t.len == 1 || t.p[0] != '0');
}

static bool
is_one_of(struct text name, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (text_equal(name, text_of(*list)))
			return true;
	}
	return false;
}

/* What is money, and what is time: the names of signer/tell.c. */
static const char *const	 amounts[] = { "per-transaction",
	"short-spent", "short-max", "long-spent", "long-max", "fee-max",
	"approve-above", NULL };
static const char *const	 times[] = { "running", "armed-running",
	"waiting-until-running", NULL };

static void
put_status(struct json *j, struct text lines)
{
	struct text	 name, value;
	char		 key[64];

	while (next_line(&lines, &name, &value)) {
		(void)snprintf(key, sizeof(key), "%.*s", (int)name.len,
		    name.p);
		if (is_number(value))
			json_put_int(j, key, strtoll(value.p, NULL, 10));
		else if (text_equal(value, text_of("yes")))
			json_put_bool(j, key, true);
		else if (text_equal(value, text_of("no")))
			json_put_bool(j, key, false);
		else
			json_put_bytes(j, key, value.p, value.len);
	}
}

static void
say_status(struct text lines)
{
	struct text	 name, value;
	struct term	 t = term_of(stdout);
	char		 text[1024];

	while (next_line(&lines, &name, &value)) {
		(void)printf("%-22.*s ", (int)name.len, name.p);
		if (is_number(value) && is_one_of(name, amounts))
			(void)printf("%s BTC\n", amount_format_short(text,
			    strtoll(value.p, NULL, 10)));
		else if (is_number(value) && is_one_of(name, times))
			(void)printf("%s\n", duration_format(text,
			    strtoll(value.p, NULL, 10)));
		else
			(void)printf("%s\n", term_safe(&t, text,
			    sizeof(text), value.p, value.len));
	}
}

int
signer_show_status(const struct signer_options *o)
{
	static struct json	 j;
	struct signer_line	*l = NULL;
	struct text		 lines;
	struct err		 e;
	int			 status = STATUS_DONE;

	if (signer_line_open(&l, o, false, &e) != RC_OK ||
	    signer_line_status(l, &lines, &e) != RC_OK) {
		status = signer_read_failed(o, &e);
	} else if (o->json) {
		signer_read_json(&j);
		put_status(&j, lines);
		status = signer_read_json_end(&j);
	} else {
		say_status(lines);
	}
	signer_line_close(&l);
	return status;
}

/* The public file, and how it goes if somebody answers. */
int
signer_show_run(const struct signer_options *o)
{
	static struct signer_public	 p;
	static struct json		 j;
	struct signer_line		*l = NULL;
	struct text			 lines = { NULL, 0 };
	struct err			 e;
	bool				 has_public, runs;
	int				 status = STATUS_DONE;

	has_public = o->host == NULL && signer_public_find(&p, o, &e) ==
	    RC_OK;
	if (!has_public && o->host == NULL)
		return signer_read_failed(o, &e);
	runs = (o->data != NULL || o->host != NULL) && signer_line_open(&l, o,
	    false, &e) == RC_OK && signer_line_status(l, &lines, &e) ==
	    RC_OK;
	if (!has_public && !runs) {
		status = signer_read_failed(o, &e);
	} else if (o->json) {
		signer_read_json(&j);
		if (has_public)
			signer_public_json(&j, &p);
		json_put_bool(&j, "running", runs);
		if (runs) {
			json_open_object(&j, "status");
			put_status(&j, lines);
			json_close(&j);
		}
		status = signer_read_json_end(&j);
	} else {
		if (has_public)
			signer_public_say(&p);
		if (runs)
			say_status(lines);
		else
			(void)puts("not running, or not to be reached");
	}
	signer_line_close(&l);
	return status;
}

/* Of the running one; or of the public file. */
static enum rc
find_descriptors(struct signer_public *p, const struct signer_options *o,
    struct err *e)
{
	struct signer_line	*l = NULL;
	struct sign_message	 ask, answer;
	struct text		 lines, one, none;
	struct err		 drop;
	bool			 got = false;

	if ((o->data != NULL || o->signer != NULL) &&
	    signer_public_find(p, o, &drop) == RC_OK)
		return RC_OK;
	if (signer_line_open(&l, o, false, e) != RC_OK)
		return RC_FAILED;
	sign_message_clear(&ask, SIGN_DESCRIPTORS, 0);
	if (signer_line_ask(l, &ask, &answer, e) != RC_OK) {
		signer_line_close(&l);
		return RC_FAILED;
	}
	lines = answer.body;
	if (answer.type == SIGN_DONE && next_line(&lines, &one, &none)) {
		(void)snprintf(p->external, sizeof(p->external), "%.*s",
		    (int)one.len, one.p);
		got = next_line(&lines, &one, &none);
		(void)snprintf(p->internal, sizeof(p->internal), "%.*s",
		    (int)one.len, one.p);
	}
	if (!got)
		(void)err_set(e, "%s", sign_refusal_meaning(answer.refusal));
	signer_line_close(&l);
	return got ? RC_OK : RC_FAILED;
}

static void
put_descriptor(struct json *j, const char *text, bool internal)
{
	json_open_object(j, NULL);
	json_put_text(j, "desc", text);
	json_put_bool(j, "active", true);
	json_put_bool(j, "internal", internal);
	json_open_array(j, "range");
	json_put_int(j, NULL, 0);
	json_put_int(j, NULL, RANGE);
	json_close(j);
	json_put_text(j, "timestamp", "now");
	json_close(j);
}

/* With --json what Bitcoin Core's importdescriptors takes. */
int
signer_show_descriptors(const struct signer_options *o)
{
	static struct signer_public	 p;
	static struct json		 j;
	struct err			 e;

	if (find_descriptors(&p, o, &e) != RC_OK)
		return signer_read_failed(o, &e);
	if (!o->json) {
		(void)printf("%s\n%s\n", p.external, p.internal);
		return STATUS_DONE;
	}
	json_to_file(&j, stdout, false);
	json_open_array(&j, NULL);
	put_descriptor(&j, p.external, false);
	put_descriptor(&j, p.internal, true);
	return signer_read_json_end(&j);
}
