/*
 * llhttp is what Node, and so most of the clients, read and write HTTP with.
 * It is lenient where we are not; the point of it is the other direction:
 * what we took for one thing and it takes for another is refused.
 */
#include "api/agree.h"

#include <string.h>

#include <llhttp/llhttp.h>

#include "api/bounds.h"

struct opinion {
	llhttp_t	 parser;	/* first: callbacks get this address */
	const char	*target;
	size_t		 target_len;
	int		 headers;
	int		 heads;
	unsigned	 flags;		/* as they were then: a request
					 * that is whole clears them */
	uint64_t	 body_len;
	int		 bodies;
	bool		 broken;
};

static int
on_url(llhttp_t *p, const char *at, size_t len)
{
	struct opinion	*o = p->data;

	o->broken = o->broken || o->target != NULL;
	o->target = at;
	o->target_len = len;
	return 0;
}

static int
on_field(llhttp_t *p)
{
	struct opinion	*o = p->data;

	o->headers++;
	return 0;
}

static int
on_head(llhttp_t *p)
{
	struct opinion	*o = p->data;

	o->heads++;
	o->flags = p->flags;
	o->body_len = p->content_length;
	return 0;
}

static int
on_body(llhttp_t *p, const char *at, size_t len)
{
	struct opinion	*o = p->data;

	(void)at;
	(void)len;
	o->bodies++;
	return 0;
}

bool
agree(const struct head *h, const char *p)
{
	static llhttp_settings_t	 settings;
	static bool			 set;
	struct opinion			 o = { .target = NULL };
	const char			*name;
	llhttp_errno_t			 failed;

	if (!set) {
		llhttp_settings_init(&settings);
		settings.on_url = on_url;
		settings.on_header_field_complete = on_field;
		settings.on_headers_complete = on_head;
		settings.on_body = on_body;
		set = true;
	}
	llhttp_init(&o.parser, HTTP_REQUEST, &settings);
	o.parser.data = &o;
	failed = llhttp_execute(&o.parser, p, h->len);
	if (failed != HPE_OK || o.broken || o.heads != 1 || o.bodies != 0)
		return false;
	name = llhttp_method_name((llhttp_method_t)o.parser.method);
	return text_equal(text_of(name), h->method) &&
	    o.target == h->target.p && o.target_len == h->target.len &&
	    o.headers == h->lines && o.parser.http_major == 1 &&
	    o.parser.http_minor == (h->old ? 0 : 1) && !o.parser.upgrade &&
	    (o.flags & (F_CHUNKED | F_UPGRADE | F_TRANSFER_ENCODING |
	    F_CONNECTION_UPGRADE)) == 0 &&
	    ((o.flags & F_CONTENT_LENGTH) != 0) == h->has_length &&
	    o.body_len == h->body_len;
}
