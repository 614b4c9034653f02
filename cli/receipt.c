/*
 * drawbridge receipt: what whoever pays asks before he does.
 *
 * `verify` looks, `redeem` looks and remembers: an id is paid once, and
 * whoever pays uses that.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bitcoin/address.h"
#include "cli/acting.h"
#include "cli/commands.h"
#include "cli/ledger.h"
#include "cli/receipt_own.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "lib/json.h"
#include "sim/jsonline.h"
#include "wire/receipt.h"

#define FILE_MAX	65536
#define TRUST		"drawbridge-receipts-1"

enum { OPT_KEY = 256, OPT_SERVICE, OPT_TRUST, OPT_LEDGER, OPT_NEW, OPT_JSON,
	OPT_HELP, OPT_TO, OPT_AMOUNT, OPT_HEAD };

static const struct option	 names[] = {
	{ "key", required_argument, NULL, OPT_KEY },
	{ "service", no_argument, NULL, OPT_SERVICE },
	{ "trust", required_argument, NULL, OPT_TRUST },
	{ "ledger", required_argument, NULL, OPT_LEDGER },
	{ "new", no_argument, NULL, OPT_NEW },
	{ "to", required_argument, NULL, OPT_TO },
	{ "amount", required_argument, NULL, OPT_AMOUNT },
	{ "head", required_argument, NULL, OPT_HEAD },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

/* Whose receipts are good. */
struct trust {
	unsigned char	key[32];
	unsigned char	deployment[16];
	enum network	network;
	bool		whole;		/* not the key alone */
};

struct asked {
	const char	*key, *trust_path, *ledger, *to, *amount, *head;
	bool		 service, make, json;
	struct trust	 trust;
	unsigned char	 bytes[RECEIPT_LEN];
	struct receipt	 r;
	char		 address[ADDRESS_TEXT_MAX];
	bool		 redeemed;
};

static int64_t
now_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * MS_PER_S + t.tv_nsec / 1000000;
}

static bool
hex(unsigned char *out, size_t room, const char *text, size_t len)
{
	size_t	 n = 0;

	return len == 2 * room && sodium_hex2bin(out, room, text, len, NULL,
	    &n, NULL) == 0 && n == room;
}

/* Reading */

static enum rc
read_file(char *buf, size_t room, size_t *len_out, const char *path,
    struct err *e)
{
	size_t	 len = 0;
	ssize_t	 n = 1;
	int	 fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) :
	    open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	while (len < room && (n = read(fd, buf + len, room - len)) > 0)
		len += (size_t)n;
	(void)close(fd);
	if (n < 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	if (len == room)
		return err_set(e, "%s: too long", path);
	*len_out = len;
	return RC_OK;
}

/* Base64 by itself, or an answer of /v1 that has one in it. */
static enum rc
find_text(struct jsonline *line, struct text *out, struct text all,
    struct err *e)
{
	struct jsonline_member	 m;
	bool			 more;
	enum rc			 rc;

	*out = all;
	if (all.len == 0 || all.p[0] != '{')
		return RC_OK;
	out->p = NULL;
	if ((rc = jsonline_begin(line, all.p, all.len, e)) != RC_OK)
		return rc;
	while ((rc = jsonline_next(line, &m, &more, e)) == RC_OK && more) {
		if (m.name.len == 7 && memcmp(m.name.p, "receipt", 7) == 0 &&
		    m.kind == JSONLINE_STRING) {
			out->p = m.text.p;
			out->len = m.text.len;
		}
	}
	if (rc == RC_OK && out->p == NULL)
		return err_set(e, "there is no receipt in it");
	return rc;
}

static enum rc
read_receipt(struct asked *a, const char *path, struct err *e)
{
	static struct jsonline	 line;
	static char		 buf[FILE_MAX];
	struct text		 t, all = { buf, 0 };
	enum rc			 rc;

	if ((rc = read_file(buf, sizeof(buf), &all.len, path, e)) != RC_OK)
		return rc;
	while (all.len > 0 && (buf[all.len - 1] == '\n' ||
	    buf[all.len - 1] == '\r'))
		all.len--;
	if ((rc = find_text(&line, &t, all, e)) == RC_OK)
		rc = receipt_of_text(a->bytes, t, e);
	if (rc == RC_OK)
		rc = receipt_unpack(&a->r, a->bytes, e);
	return err_wrap(e, rc, "%s", path);
}

/* Whom to believe */

/* "drawbridge-receipts-1 DEPLOYMENT NETWORK KEY" */
static enum rc
read_trust(struct trust *t, const char *path, struct err *e)
{
	char	 buf[256], deployment[64], network[16], key[80], end;
	size_t	 len;
	enum rc	 rc;

	if ((rc = read_file(buf, sizeof(buf), &len, path, e)) != RC_OK)
		return rc;
	buf[len] = '\0';
	if (sscanf(buf, TRUST " %63s %15s %79s %c", deployment, network, key,
	    &end) != 3 || !hex(t->deployment, 16, deployment,
	    strlen(deployment)) || !network_of(&t->network, network,
	    strlen(network)) || !hex(t->key, 32, key, strlen(key)))
		return err_set(e, "%s: not what `drawbridge receipt trust` "
		    "writes", path);
	t->whole = true;
	return RC_OK;
}

static enum rc
ask_service(struct trust *t, struct err *e)
{
	struct service_facts	 f;
	struct service		*s = NULL;
	const char		*key;
	json_t			*j = NULL;
	enum rc			 rc;

	if ((rc = service_open(&s, e)) != RC_OK)
		return rc;
	if ((rc = service_facts(s, &f, e)) == RC_OK && (j = service_get(s,
	    ENDPOINT_LOCAL_STATUS, NULL, NULL, e)) == NULL)
		rc = RC_FAILED;
	if (rc == RC_OK) {
		key = json_string_value(json_object_get(j, "engine_key"));
		memcpy(t->deployment, f.deployment, sizeof(t->deployment));
		t->network = (enum network)f.network;
		t->whole = key != NULL && hex(t->key, 32, key, strlen(key));
		if (!t->whole)
			rc = err_set(e, "the service does not tell its key");
	}
	json_decref(j);
	service_close(&s);
	return rc;
}

static enum rc
find_trust(struct asked *a, struct err *e)
{
	if (a->trust_path != NULL)
		return read_trust(&a->trust, a->trust_path, e);
	if (a->service)
		return ask_service(&a->trust, e);
	if (a->key != NULL && hex(a->trust.key, 32, a->key, strlen(a->key)))
		return RC_OK;
	return err_set(e, "whose receipt?  --trust FILE (of `receipt trust`),"
	    " --service or --key HEX");
}

/* Checking */

static enum rc
check_wanted(const struct asked *a, struct err *e)
{
	int64_t	 sat;

	if (a->to != NULL && strcmp(a->to, a->address) != 0)
		return err_set(e, "it is for %s, not for %s", a->address,
		    a->to);
	if (a->amount == NULL)
		return RC_OK;
	if (amount_parse(&sat, a->amount, strlen(a->amount), e) != RC_OK)
		return err_wrap(e, RC_FAILED, "--amount");
	return sat == a->r.amount_sat ? RC_OK : err_set(e, "it is for another "
	    "amount than %s", a->amount);
}

static enum rc
check(struct asked *a, int64_t t_ms, struct err *e)
{
	const struct trust	*t = &a->trust;

	/* Nothing in it is looked at before it is clear whose it is. */
	if (!receipt_verify(a->bytes, t->key))
		return err_set(e, "not signed by that engine");
	if (t->whole && (memcmp(t->deployment, a->r.deployment, 16) != 0 ||
	    (uint8_t)t->network != a->r.network))
		return err_set(e, "of another deployment or network");
	/* What our own signer is told is nobody else's to pay by. */
	if (a->r.purpose != RECEIPT_PAY)
		return err_set(e, "its purpose is `%s`: meant for Drawbridge's "
		    "own signer", receipt_purpose_text(a->r.purpose));
	if (address_encode(a->address, (enum network)a->r.network,
	    (const unsigned char *)a->r.script.p, a->r.script.len) <= 0)
		return err_set(e, "its script has no address");
	if (a->r.expires_ms <= t_ms)
		return err_set(e, "expired %" PRId64 " s ago",
		    (t_ms - a->r.expires_ms) / 1000);
	return check_wanted(a, e);
}

static enum rc
redeem(struct asked *a, int64_t t_ms, struct err *e)
{
	enum ledger_said	 said;
	enum rc			 rc;

	if (!a->trust.whole)
		return err_set(e, "to redeem, deployment and network must be "
		    "known: --trust FILE or --service");
	rc = ledger_redeem(&said, a->ledger, a->make, &a->r, a->bytes, t_ms,
	    e);
	if (rc != RC_OK)
		return rc;
	if (said == LEDGER_BEFORE)
		return err_set(e, "%.*s was redeemed before: whether it was "
		    "paid, its payer must know; never pay it again",
		    (int)a->r.id.len, a->r.id.p);
	/* Syncing may have taken long. */
	if (a->r.expires_ms <= now_ms())
		return err_set(e, "expired while it was written down; it is "
		    "used up");
	a->redeemed = true;
	return RC_OK;
}

/* Saying */

static void
put_hex(struct json *j, const char *key, const unsigned char *bytes,
    size_t len)
{
	char	 text[65];

	json_put_text(j, key, sodium_bin2hex(text, sizeof(text), bytes, len));
}

static int
say(const struct asked *a)
{
	static struct json	 j;
	const struct receipt	*r = &a->r;
	char			 amount[AMOUNT_TEXT_MAX];

	if (!a->json) {
		(void)printf("%s: pay %s BTC to %s\n", a->redeemed ?
		    "redeemed" : "good", amount_format(amount, r->amount_sat),
		    a->address);
		return STATUS_DONE;
	}
	json_to_file(&j, stdout, false);
	json_open_object(&j, NULL);
	json_put_bool(&j, "good", true);
	json_put_bool(&j, "redeemed", a->redeemed);
	json_put_bytes(&j, "id", r->id.p, r->id.len);
	json_put_text(&j, "address", a->address);
	json_put_sat(&j, "amount", r->amount_sat);
	json_put_sat(&j, "fee_max", r->fee_max_sat);
	json_put_int(&j, "expires", r->expires_ms);
	json_put_text(&j, "network", network_text((enum network)r->network));
	put_hex(&j, "deployment", r->deployment, 16);
	json_put_uint(&j, "epoch", r->epoch);
	json_put_uint(&j, "seq", r->seq);
	put_hex(&j, "head", r->head, 32);
	put_hex(&j, "policy", r->policy, 32);
	put_hex(&j, "account_tag", r->account_tag, 16);
	json_close(&j);
	json_line(&j);
	return json_end(&j) == RC_OK && fflush(stdout) == 0 ? STATUS_DONE :
	    STATUS_FAILED;
}

static int
refused(const struct asked *a, const struct err *e)
{
	static struct json	 j;

	if (a->json) {
		json_to_file(&j, stdout, false);
		json_open_object(&j, NULL);
		json_put_bool(&j, "good", false);
		json_put_text(&j, "error", e->text);
		json_close(&j);
		json_line(&j);
		if (json_end(&j) != RC_OK)
			return STATUS_FAILED;
	}
	return acting_failed("receipt", e);
}

/* For --trust, on the machine that pays. */
static int
trust(void)
{
	char		 deployment[33], key[65];
	struct trust	 t;
	struct err	 e;

	if (ask_service(&t, &e) != RC_OK)
		return acting_failed("receipt", &e);
	(void)printf(TRUST " %s %s %s\n", sodium_bin2hex(deployment,
	    sizeof(deployment), t.deployment, 16), network_text(t.network),
	    sodium_bin2hex(key, sizeof(key), t.key, 32));
	return fflush(stdout) == 0 ? STATUS_DONE : STATUS_FAILED;
}

static bool
take(struct asked *a, int option)
{
	switch (option) {
	case OPT_KEY:
		a->key = optarg;
		return true;
	case OPT_SERVICE:
		a->service = true;
		return true;
	case OPT_TRUST:
		a->trust_path = optarg;
		return true;
	case OPT_LEDGER:
		a->ledger = optarg;
		return true;
	case OPT_NEW:
		a->make = true;
		return true;
	case OPT_TO:
		a->to = optarg;
		return true;
	case OPT_AMOUNT:
		a->amount = optarg;
		return true;
	case OPT_HEAD:
		a->head = optarg;
		return true;
	case OPT_JSON:
		a->json = true;
		return true;
	}
	return false;
}

/* About our own signer? */
static bool
is_own(struct receipt_own *own, const struct asked *a, const char *what,
    int n_args, char **args)
{
	own->what = what;
	own->arg = n_args > 0 ? args[0] : NULL;
	own->head = a->head;
	own->json = a->json;
	return n_args <= 1 && receipt_own_knows(own) && !a->make &&
	    !a->service && a->key == NULL && a->trust_path == NULL &&
	    a->ledger == NULL && a->to == NULL && a->amount == NULL;
}

int
cmd_receipt(int argc, char **argv)
{
	static struct asked	 a;
	struct receipt_own	 own;
	const char		*what;
	struct err		 e;
	int64_t			 t_ms;
	int			 option;
	bool			 take_it;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!take(&a, option))
			return option == OPT_HELP ? help("receipt") :
			    usage("receipt");
	}
	what = optind < argc ? argv[optind++] : "";
	if (is_own(&own, &a, what, argc - optind, argv + optind))
		return receipt_own_run(&own);
	if (strcmp(what, "trust") == 0 && optind == argc)
		return trust();
	take_it = strcmp(what, "redeem") == 0;
	if (argc - optind != 1 || a.head != NULL ||
	    (!take_it && strcmp(what, "verify") != 0) ||
	    take_it != (a.ledger != NULL) || (a.make && !take_it))
		return usage("receipt");
	t_ms = now_ms();
	if (find_trust(&a, &e) != RC_OK || read_receipt(&a, argv[optind],
	    &e) != RC_OK || check(&a, t_ms, &e) != RC_OK ||
	    (take_it && redeem(&a, t_ms, &e) != RC_OK))
		return refused(&a, &e);
	return say(&a);
}
