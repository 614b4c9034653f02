#include "api/intake.h"

#include <string.h>

#include "api/agree.h"
#include "api/bounds.h"
#include "api/route.h"

static enum intake_state
refuse(struct intake *in, int status, const char *why)
{
	in->no.status = status;
	in->no.why = why;
	in->no.forwarded = false;
	return in->state = INTAKE_BAD;
}

static enum intake_state
take_head(struct intake *in, const char *p, const char *proxy_header)
{
	size_t	 most;

	if (!head_read(&in->head, p, in->scan.at, proxy_header, &in->no))
		return in->state = INTAKE_BAD;
	if (!agree(&in->head, p))
		return refuse(in, 400, "a head that can be read in two ways");
	in->endpoint = route_find(in->head.method, in->head.path, &in->part,
	    &in->known);
	most = in->endpoint == ENDPOINT_V1_FACTS ? BODY_FACTS_MAX : BODY_MAX;
	if (in->head.body_len > most)
		return refuse(in, 413, "the body is too long");
	return in->state = INTAKE_BODY;
}

void
intake_moved(struct intake *in, const char *p)
{
	struct head	*h = &in->head;
	struct text	*all[] = { &h->target, &h->path, &h->query, &h->host,
		&h->mbx_key, &h->key, &h->when, &h->signature, &h->code,
		&h->client, &in->part };
	const char	*old = h->method.p;
	size_t		 i;

	if (in->state == INTAKE_HEAD || in->state == INTAKE_BAD)
		return;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i]->p != NULL)
			all[i]->p = p + (all[i]->p - old);
	}
	h->method.p = p;
}

enum intake_state
intake_read(struct intake *in, const char *p, size_t len,
    const char *proxy_header)
{
	enum head_state	 s;

	if (in->state == INTAKE_HEAD) {
		s = head_scan(&in->scan, p, len, &in->no);
		if (s == HEAD_BAD)
			return in->state = INTAKE_BAD;
		if (s == HEAD_MORE)
			return INTAKE_HEAD;
		if (take_head(in, p, proxy_header) == INTAKE_BAD)
			return INTAKE_BAD;
	}
	if (in->state == INTAKE_BAD)
		return INTAKE_BAD;
	if (len > intake_len(in))
		return refuse(in, 400, "bytes behind a request that is not "
		    "answered yet");
	if (len == intake_len(in))
		in->state = INTAKE_WHOLE;
	return in->state;
}
