/*
 * A withdrawal, from the very bytes that were signed.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/secrets.h"
#include "wire/bytes.h"

/* A parameter that must be there and plain. */
static bool
plain(struct request *r, const char *name, struct text *out, bool must)
{
	*out = params_value(&r->params, name);
	if (out->p == NULL || out->len == 0) {
		if (must)
			auth_named_error(r, -1102, "Mandatory parameter was "
			    "not sent, was empty/null, or malformed:",
			    text_of(name));
		out->p = NULL;
		return !must;
	}
	if (params_is_plain(*out))
		return true;
	/* A bare `+` is a blank to every parser of forms, and a plus to one
	 * of the clients: the wrong address is never guessed. */
	auth_named_error(r, -1100, "Illegal characters found in parameter",
	    text_of(name));
	return false;
}

static bool
coin(struct request *r)
{
	struct text	 c, network, tag;

	if (!plain(r, "coin", &c, true) ||
	    !plain(r, "network", &network, false) ||
	    !plain(r, "addressTag", &tag, false))
		return false;
	if (!text_equal(c, text_of("BTC"))) {
		auth_error(r, 400, -4018, "The coin does not exist.");
		return false;
	}
	if (network.p != NULL && !text_equal(network, text_of("BTC"))) {
		auth_error(r, 400, -4019, "The network is not available for "
		    "this coin.");
		return false;
	}
	if (tag.p != NULL) {
		auth_error(r, 400, -4106, "This network does not support "
		    "tags.");
		return false;
	}
	return true;
}

/* What is accepted and means nothing here. */
static bool
ignored(struct request *r)
{
	struct text	 t;
	bool		 flag;

	(void)params_value(&r->params, "name");
	t = params_value(&r->params, "transactionFeeFlag");
	if (t.p != NULL && !params_flag(&flag, t)) {
		auth_named_error(r, -1130, "Invalid data for parameter",
		    text_of("transactionFeeFlag"));
		return false;
	}
	t = params_value(&r->params, "walletType");
	if (t.p != NULL && !text_equal(t, text_of("0")) &&
	    !text_equal(t, text_of("1"))) {
		auth_named_error(r, -1130, "Invalid data for parameter",
		    text_of("walletType"));
		return false;
	}
	t = params_unread(&r->params);
	if (t.p != NULL) {
		/* No other signed endpoint's message is a withdrawal. */
		auth_named_error(r, -1104, "Not all sent parameters were "
		    "read; not expected:", t);
		return false;
	}
	return true;
}

static bool
amount(struct request *r, struct command *c)
{
	struct text	 t;
	int		 code;

	if (!plain(r, "amount", &t, true))
		return false;
	code = params_amount(&c->amount_sat, t);
	if (code == 0 && c->amount_sat < 1000)
		code = -4022;
	if (code == 0)
		return true;
	auth_error(r, 400, code, code == -1111 ? "Precision is over the "
	    "maximum defined for this asset." : code == -1100 ? "Illegal "
	    "characters found in parameter 'amount'." : code == -4022 ?
	    "The amount is below the minimum." :
	    "The amount exceeds the maximum.");
	return false;
}

static bool
address(struct request *r, struct command *c, struct address *to)
{
	struct text	 t;
	struct err	 e;

	if (!plain(r, "address", &t, true))
		return false;
	if (address_parse(to, r->a->network, t.p, t.len, &e) != RC_OK) {
		auth_error(r, 400, -4033, "The address is not valid.");
		return false;
	}
	c->script.p = (const char *)to->script;
	c->script.len = to->len;
	return true;
}

/*
 * The same intent has the same id, whatever was forgotten (C5): of the
 * customer's own id, or else of the message he signed.
 */
static void
make_id(char out[33], struct request *r, struct text order)
{
	static const char	 head[] = "drawbridge withdrawal 1\n";
	unsigned char		 hash[SHA256_LEN];
	char			 canonical[VERIFY_MAX];
	struct sha256		 h;
	int			 len;

	sha256_begin(&h);
	sha256_add(&h, head, sizeof(head) - 1);
	sha256_add(&h, r->key->account, strlen(r->key->account));
	if (order.p != NULL) {
		sha256_add(&h, "\no\n", 3);
		sha256_add(&h, order.p, order.len);
	} else {
		len = params_canonical(&r->params, canonical,
		    sizeof(canonical));
		sha256_add(&h, "\nm\n", 3);
		sha256_add(&h, canonical, len > 0 ? (size_t)len : 0);
	}
	sha256_end(&h, hash);
	(void)sodium_bin2hex(out, 33, hash, 16);
}

/* For those who check afterwards who asked: command.h. */
static struct text
proof(struct request *r, unsigned char *buf)
{
	struct text	 sig = { (const char *)r->verify.signature,
		    r->verify.signature_len };
	struct text	 t = { (const char *)buf, 1 };
	unsigned char	*p = buf;
	int		 len;

	*p++ = (unsigned char)r->key->type;
	if (r->key->type == KEY_TYPE_HMAC)
		return t;
	p = put_text(p, sig);
	/* Which of the three it was: the checker tries them alike. */
	len = params_received(&r->params, (char *)p, VERIFY_MAX);
	t.len = (size_t)(p - buf) + (len > 0 ? (size_t)len : 0);
	return t;
}

void
apply_request(struct request *r)
{
	unsigned char	 bytes[VERIFY_MAX + VERIFY_SIGNATURE_MAX + 32];
	struct address	 to;
	struct command	 c;
	struct text	 order;
	char		 id[33];

	command_clear(&c, COMMAND_WITHDRAW, 0);
	if (!coin(r) || !amount(r, &c) || !address(r, &c, &to) ||
	    !plain(r, "withdrawOrderId", &order, false) || !ignored(r))
		return;
	if (order.len > COMMAND_NAME_MAX) {
		auth_named_error(r, -1130, "Invalid data for parameter",
		    text_of("withdrawOrderId"));
		return;
	}
	make_id(id, r, order);
	c.id = text_of(id);
	c.account = text_of(r->key->account);
	c.key = text_of(r->key->id);
	c.via = VIA_API;
	c.order = order;
	c.has_ip = r->m->has_ip;
	memcpy(c.ip, r->m->ip, sizeof(c.ip));
	c.proof = proof(r, bytes);
	c.code = TRI_NO;
	if (r->m->code.p != NULL && !secrets_code(r, &c))
		return;
	(void)auth_take(r->a, ROOM_API, r->m->tag, r->used, ENDPOINT_APPLY,
	    c.account, &c);
}
