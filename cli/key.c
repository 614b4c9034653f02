/*
 * drawbridge key: customers' API keys.
 *
 * A new key's secret is made by auth, which alone can open it again; what
 * goes into the journal is sealed.  It is shown once, here, and only after
 * the key is in the journal.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/acting.h"
#include "cli/commands.h"
#include "cli/day.h"
#include "wire/cidr.h"

#define SECRET_MAX	256
#define PEM_MAX		8192

enum { OPT_ACCOUNT = 256, OPT_TYPE, OPT_PUBLIC, OPT_WITHDRAW,
	OPT_NO_WITHDRAW, OPT_IP, OPT_EXPIRES, OPT_LABEL };

static const struct option	 names[] = {
	{ "account", required_argument, NULL, OPT_ACCOUNT },
	{ "type", required_argument, NULL, OPT_TYPE },
	{ "public-key", required_argument, NULL, OPT_PUBLIC },
	{ "withdraw", no_argument, NULL, OPT_WITHDRAW },
	{ "no-withdraw", no_argument, NULL, OPT_NO_WITHDRAW },
	{ "ip", required_argument, NULL, OPT_IP },
	{ "expires", required_argument, NULL, OPT_EXPIRES },
	{ "label", required_argument, NULL, OPT_LABEL },
	ACTING_OPTIONS,
	{ NULL, 0, NULL, 0 }
};

static const struct table_column	 columns[] = {
	{ "key", "key", TABLE_TEXT },
	{ "account", "account", TABLE_TEXT },
	{ "type", "type", TABLE_TEXT },
	{ "withdraw", "withdraw", TABLE_TEXT },
	{ "from", "ips", TABLE_LIST },
	{ "expires", "expires_ms", TABLE_TIME },
	{ "label", "label", TABLE_TEXT },
	{ "state", "state", TABLE_TEXT },
	{ "last used", "used_ms", TABLE_TIME },
	{ "by", "used_ip", TABLE_TEXT },
	{ NULL, NULL, TABLE_TEXT }
};

struct asked {
	struct acting	 acting;
	struct command	 c;
	struct cidr	 cidrs[COMMAND_CIDRS_MAX];
	const char	*public_key;
	bool		 said_withdraw;	/* --withdraw or --no-withdraw */
	bool		 said_ips;
	bool		 said_expires;
	char		 pem[PEM_MAX];
	/* Of a key that was made. */
	char		 key[COMMAND_NAME_MAX + 1];
	char		 secret[SECRET_MAX];
	unsigned char	 blob[COMMAND_BLOB_MAX];
};

static const char *const	 types[] = { "", "hmac", "rsa", "ed25519" };

static enum rc
type_of(enum key_type *out, const char *text, struct err *e)
{
	int	 i;

	for (i = KEY_TYPE_HMAC; i <= KEY_TYPE_ED25519; i++) {
		if (strcmp(types[i], text) == 0) {
			*out = (enum key_type)i;
			return RC_OK;
		}
	}
	return err_set(e, "--type %s: hmac, rsa or ed25519", text);
}

static enum rc
add_ip(struct asked *a, const char *text, struct err *e)
{
	a->said_ips = true;
	if (a->c.n_cidrs == COMMAND_CIDRS_MAX)
		return err_set(e, "--ip: more than %d", COMMAND_CIDRS_MAX);
	a->c.cidrs = a->cidrs;
	return err_wrap(e, cidr_parse(&a->cidrs[a->c.n_cidrs++],
	    text_of(text), e), "--ip %s", text);
}

static bool
take(struct asked *a, int option, int *status_out)
{
	struct err	 e = { "" };
	enum rc		 rc = RC_OK;

	switch (option) {
	case OPT_ACCOUNT:
		a->c.account = text_of(optarg);
		break;
	case OPT_TYPE:
		rc = type_of(&a->c.key_type, optarg, &e);
		break;
	case OPT_PUBLIC:
		a->public_key = optarg;
		break;
	case OPT_WITHDRAW:
	case OPT_NO_WITHDRAW:
		a->c.withdraw = option == OPT_WITHDRAW;
		a->said_withdraw = true;
		break;
	case OPT_IP:
		rc = add_ip(a, optarg, &e);
		break;
	case OPT_EXPIRES:
		a->said_expires = true;
		if (!day_parse(&a->c.expires_ms, optarg))
			rc = err_set(&e, "--expires %s: a day, like "
			    "2026-12-31", optarg);
		break;
	case OPT_LABEL:
		a->c.name = text_of(optarg);
		break;
	case ACTING_AS:
	case ACTING_REASON:
	case ACTING_JSON:
	case ACTING_YES:
	case ACTING_HELP:
	case '?':
		return acting_option(&a->acting, option, "key", status_out);
	}
	if (rc != RC_OK)
		*status_out = acting_failed("key", &e);
	return rc == RC_OK;
}

/* Making one */

static enum rc
read_pem(struct asked *a, struct err *e)
{
	int	 fd = open(a->public_key, O_RDONLY | O_CLOEXEC);
	ssize_t	 n;

	if (fd == -1)
		return err_set(e, "%s: %s", a->public_key, strerror(errno));
	n = read(fd, a->pem, sizeof(a->pem));
	(void)close(fd);
	if (n <= 0 || n == (ssize_t)sizeof(a->pem))
		return err_set(e, "%s: not a public key in PEM",
		    a->public_key);
	a->pem[n] = '\0';
	return RC_OK;
}

static enum rc
keep(void *out, size_t room, size_t *len_out, struct text t, const char *what,
    struct err *e)
{
	if (t.p == NULL || t.len >= room)
		return err_set(e, "the service gave no %s", what);
	memcpy(out, t.p, t.len);
	((char *)out)[t.len] = '\0';
	*len_out = t.len;
	return RC_OK;
}

/* auth makes the key; its answer is gone with the next call. */
static enum rc
prepare(struct asked *a, struct service *s, struct err *e)
{
	struct message	 ask, m;
	size_t		 len;

	message_clear(&ask, MESSAGE_PREPARE, 0);
	ask.endpoint = ENDPOINT_SELF_KEY_CREATE;
	ask.account = a->c.account;
	ask.key_type = a->c.key_type;
	if (a->public_key != NULL) {
		if (read_pem(a, e) != RC_OK)
			return RC_FAILED;
		ask.body = text_of(a->pem);
	}
	if (service_call(s, &ask, &m, e) != RC_OK)
		return RC_FAILED;
	if (m.status != 200)
		return err_set(e, "%.*s", (int)m.reason.len, m.reason.p !=
		    NULL ? m.reason.p : "");
	if (keep(a->key, sizeof(a->key), &len, m.key, "key", e) != RC_OK ||
	    keep(a->blob, sizeof(a->blob), &a->c.blob.len, m.open,
	    "sealed secret", e) != RC_OK)
		return RC_FAILED;
	a->c.key = text_of(a->key);
	a->c.blob.p = (const char *)a->blob;
	return a->c.key_type != KEY_TYPE_HMAC ? RC_OK :
	    keep(a->secret, sizeof(a->secret), &len, m.signature, "secret",
	    e);
}

/* The contract's shape: scripts read it. */
static json_t *
shown(const struct asked *a, bool waiting)
{
	json_t	*j = json_object(), *ips = json_array();
	char	 text[64];
	size_t	 i;

	for (i = 0; i < a->c.n_cidrs; i++)
		(void)json_array_append_new(ips, json_string(
		    cidr_text(text, &a->cidrs[i])));
	(void)json_object_set_new(j, "account", json_stringn(a->c.account.p,
	    a->c.account.len));
	(void)json_object_set_new(j, "api_key", json_string(a->key));
	if (a->c.key_type == KEY_TYPE_HMAC)
		(void)json_object_set_new(j, "secret",
		    json_string(a->secret));
	(void)json_object_set_new(j, "type",
	    json_string(types[a->c.key_type]));
	(void)json_object_set_new(j, "withdraw", json_boolean(a->c.withdraw));
	(void)json_object_set_new(j, "ips", ips);
	if (waiting)
		(void)json_object_set_new(j, "waiting", json_true());
	return j;
}

static void
show(const struct asked *a, bool waiting)
{
	json_t	*j;

	if (a->acting.json) {
		j = shown(a, waiting);
		acting_print(j);
		json_decref(j);
		return;
	}
	(void)printf("api key  %s\n", a->key);
	if (a->c.key_type == KEY_TYPE_HMAC)
		(void)printf("secret   %s\n\nThe secret is shown this once.\n",
		    a->secret);
	if (waiting)
		(void)puts("The key is good once the proposal is done.");
}

static int
create(struct asked *a)
{
	struct service	*s = NULL;
	struct err	 e;
	bool		 waiting = false;
	enum rc		 rc;

	if (a->c.account.p == NULL || a->c.key_type == KEY_TYPE_NONE ||
	    (a->public_key != NULL) == (a->c.key_type == KEY_TYPE_HMAC))
		return usage("key");
	if ((rc = service_open(&s, &e)) == RC_OK &&
	    (rc = prepare(a, s, &e)) == RC_OK)
		rc = service_act(s, &a->c, &a->acting.act, &waiting, NULL,
		    &e);
	service_close(&s);
	if (rc == RC_OK)
		show(a, waiting);
	sodium_memzero(a->secret, sizeof(a->secret));
	return rc != RC_OK ? acting_failed("key create", &e) :
	    waiting ? STATUS_WAITING : STATUS_DONE;
}

/* The others */

/* What is not said stays: the key as it is, first. */
static enum rc
as_it_is(struct asked *a, struct service *s, json_t **kept, struct err *e)
{
	json_t		*rows = service_get(s, ENDPOINT_LOCAL_KEYS, NULL,
		    a->c.key.p, e), *k, *ips;
	const char	*text;
	size_t		 i;

	if (rows == NULL)
		return RC_FAILED;
	*kept = rows;
	k = json_array_get(rows, 0);
	if (k == NULL)
		return err_set(e, "no key %.*s", (int)a->c.key.len,
		    a->c.key.p);
	a->c.account = text_of(json_string_value(json_object_get(k,
	    "account")));
	if (!a->said_withdraw)
		a->c.withdraw = json_is_true(json_object_get(k, "withdraw"));
	if (!a->said_expires && json_is_integer(json_object_get(k,
	    "expires_ms")))
		a->c.expires_ms = json_integer_value(json_object_get(k,
		    "expires_ms"));
	if (a->c.name.p == NULL)
		a->c.name = text_of(json_string_value(json_object_get(k,
		    "label")));
	if (a->c.name.p != NULL && a->c.name.len == 0)
		a->c.name.p = NULL;
	ips = json_object_get(k, "ips");
	for (i = 0; !a->said_ips && i < json_array_size(ips) &&
	    i < COMMAND_CIDRS_MAX; i++) {
		text = json_string_value(json_array_get(ips, i));
		a->c.cidrs = a->cidrs;
		if (text == NULL || cidr_parse(&a->cidrs[a->c.n_cidrs++],
		    text_of(text), e) != RC_OK)
			return err_set(e, "the service's list of networks "
			    "cannot be read");
	}
	return RC_OK;
}

static int
change(struct asked *a)
{
	struct service	*s = NULL;
	struct err	 e;
	json_t		*kept = NULL;
	int		 status;

	if (service_open(&s, &e) != RC_OK)
		return acting_failed("key set", &e);
	if (as_it_is(a, s, &kept, &e) != RC_OK)
		status = acting_failed("key set", &e);
	else
		status = acting_send(&a->acting, s, &a->c, "done", NULL);
	json_decref(kept);
	service_close(&s);
	return status;
}

static int
plain(struct asked *a, enum command_type type, const char *done)
{
	struct text	 key = a->c.key;

	command_clear(&a->c, type, 0);
	a->c.key = key;
	return acting_run(&a->acting, &a->c, done);
}

int
cmd_key(int argc, char **argv)
{
	static struct asked	 a;
	struct message		 q = acting_question(ENDPOINT_LOCAL_KEYS);
	const char		*what;
	int			 option, status;

	acting_begin(&a.acting);
	command_clear(&a.c, COMMAND_KEY, 0);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!take(&a, option, &status))
			return status;
	}
	what = optind < argc ? argv[optind++] : "";
	if (strcmp(what, "create") == 0 && optind == argc)
		return create(&a);
	if (strcmp(what, "list") == 0 && optind == argc) {
		q.account = a.c.account;
		return acting_list(&a.acting, "key", &q, columns, "no keys");
	}
	if (argc - optind != 1)
		return usage("key");
	a.c.key = text_of(argv[optind]);
	if (strcmp(what, "set") == 0)
		return change(&a);
	if (strcmp(what, "revoke") == 0)
		return plain(&a, COMMAND_KEY_REVOKE, "revoked");
	if (strcmp(what, "freeze") == 0)
		return plain(&a, COMMAND_FREEZE, "frozen");
	if (strcmp(what, "unfreeze") == 0)
		return plain(&a, COMMAND_UNFREEZE, "no longer frozen");
	return usage("key");
}
