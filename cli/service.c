/*
 * Finding the service, asking it, and signing what an operator wants.
 */
#include "cli/service.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bitcoin/address.h"
#include "link/channel.h"
#include "wire/approval.h"

/* A signature is good for this long: enough for a slow link and a clock that
 * is a little off, too short to be kept for another day (H6). */
#define GOOD_FOR_MS	600000

struct service {
	struct channel_client *client;
	char		data[512];
	uint64_t	tag;
	struct service_facts facts;
	bool		known;
};

/* Where it is */

static bool
try_folder(struct service *s, const char *folder)
{
	char	 path[600];

	(void)snprintf(path, sizeof(path), "%s/drawbridge.sock", folder);
	if (access(path, F_OK) != 0)
		return false;
	(void)snprintf(s->data, sizeof(s->data), "%s", folder);
	return true;
}

static enum rc
find(struct service *s, char *path, size_t room, struct err *e)
{
	static const char *const	 usual[] = { "data",
		"/var/lib/drawbridge" };
	const char			*socket_ = getenv("DRAWBRIDGE_SOCKET");
	const char			*data = getenv("DRAWBRIDGE_DATA");
	const char			*slash;
	size_t				 i;

	if (socket_ != NULL) {
		slash = strrchr(socket_, '/');
		(void)snprintf(path, room, "%s", socket_);
		(void)snprintf(s->data, sizeof(s->data), "%.*s",
		    slash != NULL ? (int)(slash - socket_) : 1,
		    slash != NULL ? socket_ : ".");
		return RC_OK;
	}
	if (data != NULL && !try_folder(s, data))
		return err_set(e, "no service in %s: %s/drawbridge.sock is "
		    "not there", data, data);
	for (i = 0; data == NULL && i < 2; i++) {
		if (try_folder(s, usual[i]))
			break;
	}
	if (s->data[0] == '\0')
		return err_set(e, "no service found; is drawbridged running? "
		    "DRAWBRIDGE_DATA names its data folder");
	(void)snprintf(path, room, "%s/drawbridge.sock", s->data);
	return RC_OK;
}

enum rc
service_open(struct service **out, struct err *e)
{
	struct service	*s = calloc(1, sizeof(*s));
	char		 path[600];

	if (s == NULL)
		return err_set(e, "no memory");
	if (find(s, path, sizeof(path), e) != RC_OK ||
	    channel_connect(&s->client, path, e) != RC_OK) {
		service_close(&s);
		return RC_FAILED;
	}
	*out = s;
	return RC_OK;
}

void
service_close(struct service **s)
{
	if (*s != NULL)
		channel_disconnect(&(*s)->client);
	free(*s);
	*s = NULL;
}

const char *
service_data(const struct service *s)
{
	return s->data;
}

/* Asking */

enum rc
service_call(struct service *s, struct message *ask, struct message *answer,
    struct err *e)
{
	ask->tag = ++s->tag;
	return err_wrap(e, channel_call(s->client, ask, answer, e),
	    "the service");
}

/* What the service says against it: the text of its JSON, or the status. */
static enum rc
refusal(const struct message *m, struct err *e)
{
	json_t		*j = json_loadb(m->body.p != NULL ? m->body.p : "",
	    m->body.len, 0, NULL);
	const char	*why = json_string_value(json_object_get(j, "error"));
	const char	*msg = json_string_value(json_object_get(j, "msg"));

	if (why == NULL)
		why = msg;
	if (why != NULL)
		(void)err_set(e, "%s", why);
	else if (m->reason.p != NULL)
		(void)err_set(e, "%.*s", (int)m->reason.len, m->reason.p);
	else
		(void)err_set(e, "the service refused (%d)", (int)m->status);
	json_decref(j);
	return RC_FAILED;
}

static json_t *
body_of(const struct message *m, struct err *e)
{
	json_t	*j;

	if (m->status < 200 || m->status > 299) {
		(void)refusal(m, e);
		return NULL;
	}
	j = json_loadb(m->body.p != NULL ? m->body.p : "", m->body.len, 0,
	    NULL);
	if (j == NULL)
		(void)err_set(e, "the service's answer is not JSON");
	return j;
}

json_t *
service_query(struct service *s, const struct message *q, struct err *e)
{
	struct message	 ask = *q, answer;

	if (service_call(s, &ask, &answer, e) != RC_OK)
		return NULL;
	return body_of(&answer, e);
}

json_t *
service_get(struct service *s, enum endpoint of, const char *account,
    const char *id, struct err *e)
{
	struct message	 q;

	message_clear(&q, MESSAGE_QUERY, 0);
	q.endpoint = of;
	q.account = text_of(account);
	q.id = text_of(id);
	return service_query(s, &q, e);
}

static bool
hex_field(const json_t *j, const char *name, unsigned char *out, size_t len)
{
	const char	*t = json_string_value(json_object_get(j, name));
	size_t		 n;

	return t != NULL && sodium_hex2bin(out, len, t, strlen(t), NULL, &n,
	    NULL) == 0 && n == len;
}

enum rc
service_facts(struct service *s, struct service_facts *out, struct err *e)
{
	struct service_facts	*f = &s->facts;
	const char		*network;
	enum network		 net;
	json_t			*j, *halt;
	bool			 ok;

	if (s->known) {
		*out = *f;
		return RC_OK;
	}
	j = service_get(s, ENDPOINT_LOCAL_STATUS, NULL, NULL, e);
	if (j == NULL)
		return RC_FAILED;
	network = json_string_value(json_object_get(j, "network"));
	halt = json_object_get(j, "halt_seq");
	ok = hex_field(j, "deployment", f->deployment,
	    sizeof(f->deployment)) && hex_field(j, "policy", f->policy,
	    sizeof(f->policy)) && network != NULL &&
	    network_of(&net, network, strlen(network));
	f->network = ok ? (uint8_t)net : 0;
	f->demo = json_is_true(json_object_get(j, "demo"));
	f->t_ms = json_integer_value(json_object_get(j, "t_ms"));
	f->halt_seq = json_is_integer(halt) ? json_integer_value(halt) : -1;
	json_decref(j);
	if (!ok)
		return err_set(e, "the service says too little of itself");
	s->known = true;
	*out = *f;
	return RC_OK;
}

/* Acting */

static enum rc
load_key(struct keyfile *key, const struct service *s, const char *name,
    const struct service_facts *f, struct err *e)
{
	const char	*path = getenv("DRAWBRIDGE_OPERATOR_KEY");
	char		 demo[700];

	if (path == NULL && !f->demo)
		return err_set(e, "--as %s: DRAWBRIDGE_OPERATOR_KEY names no "
		    "key file", name);
	(void)snprintf(demo, sizeof(demo), "%s/operators/%s.key", s->data,
	    name);
	return err_wrap(e, keyfile_load(key, path != NULL ? path : demo, e),
	    "the key of %s", name);
}

/* What is signed is shown: nobody signs what he has not seen. */
static enum rc
show_and_ask(const struct approval *p, const struct service_act *a,
    struct err *e)
{
	char	*text, answer[8] = "";
	size_t	 len;
	enum rc	 rc;

	if (a->yes || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return RC_OK;
	if ((text = malloc(APPROVAL_TEXT_MAX)) == NULL)
		return err_set(e, "no memory");
	rc = approval_text(text, APPROVAL_TEXT_MAX, &len, p, e);
	if (rc == RC_OK) {
		(void)fprintf(stderr, "%.*sSign this as %s? [y/N] ",
		    (int)len, text, a->as);
		if (fgets(answer, sizeof(answer), stdin) == NULL ||
		    (answer[0] != 'y' && answer[0] != 'Y'))
			rc = err_set(e, "not signed");
	}
	free(text);
	return rc;
}

static enum rc
sign(struct service *s, struct message *m, unsigned char signature[64],
    const struct command *c, const struct service_act *a, struct err *e)
{
	struct service_facts	 f;
	struct approval		 p = { .amount_sat = a->amount_sat };
	struct keyfile		 key;
	enum rc			 rc;

	if ((rc = service_facts(s, &f, e)) != RC_OK ||
	    (rc = load_key(&key, s, a->as, &f, e)) != RC_OK)
		return rc;
	p.purpose = a->approve ? APPROVAL_APPROVE : APPROVAL_ACT;
	memcpy(p.deployment, f.deployment, sizeof(p.deployment));
	p.network = f.network;
	p.by = text_of(a->as);
	p.answers = a->answers;
	p.expires_ms = f.t_ms + GOOD_FOR_MS;
	p.command = c;
	p.script = a->script;
	if (c->type == COMMAND_POLICY)
		memcpy(p.replaces, f.policy, sizeof(p.replaces));
	m->t_ms = p.expires_ms;
	if ((rc = show_and_ask(&p, a, e)) == RC_OK)
		rc = approval_sign(signature, &p, key.secret, e);
	keyfile_wipe(&key);
	m->signature.p = (const char *)signature;
	m->signature.len = 64;
	return rc;
}

static enum rc
send_act(struct service *s, struct message *m, bool *waiting_out,
    json_t **answer_out, struct err *e)
{
	struct message	 answer;
	json_t		*j;

	if (service_call(s, m, &answer, e) != RC_OK)
		return RC_FAILED;
	if ((j = body_of(&answer, e)) == NULL)
		return RC_FAILED;
	*waiting_out = answer.status == 202;
	if (answer_out != NULL)
		*answer_out = j;
	else
		json_decref(j);
	/* A signature answers what was in force when it was made. */
	s->known = false;
	return RC_OK;
}

enum rc
service_act(struct service *s, struct command *c, const struct service_act *a,
    bool *waiting_out, json_t **answer_out, struct err *e)
{
	unsigned char	 signature[64], *open, *sealed;
	struct message	 m;
	size_t		 open_len, sealed_len;
	enum rc		 rc;

	*waiting_out = false;
	c->t_ms = 0;
	if (!a->approve) {
		c->by = text_of(a->as != NULL ? a->as : "socket");
		c->reason = text_of(a->reason);
	}
	if (command_check(c, e) != RC_OK)
		return RC_FAILED;
	open = malloc(command_open_room(c));
	sealed = malloc(command_sealed_room(c));
	if (open == NULL || sealed == NULL) {
		rc = err_set(e, "no memory");
		goto done;
	}
	message_clear(&m, MESSAGE_ACT, 0);
	command_pack(c, open, &open_len, sealed, &sealed_len);
	m.open.p = (const char *)open;
	m.open.len = open_len;
	m.sealed.p = (const char *)sealed;
	m.sealed.len = sealed_len;
	m.by = text_of(a->as);
	m.number = a->answers;
	m.state = a->approve;
	m.query = a->script;
	if (a->as == NULL ||
	    (rc = sign(s, &m, signature, c, a, e)) == RC_OK)
		rc = send_act(s, &m, waiting_out, answer_out, e);
done:
	free(open);
	free(sealed);
	return rc;
}
