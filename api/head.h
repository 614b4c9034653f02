/*
 * The head of a request, read strictly: what two readers could take for two
 * different things is refused, not repaired.
 *
 * Two readers look at it.  Ours, here, takes the bytes one by one as they
 * come and so refuses the first that is wrong; llhttp (api/agree.h) reads the
 * whole head again, and both must have understood the same.  RFC 9112 is the
 * grammar; stricter than it: no Transfer-Encoding, one Content-Length, no
 * Expect, no Upgrade, no header twice of those that matter, no
 * absolute-form, no body where none belongs.
 */
#ifndef API_HEAD_H
#define API_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/text.h"

/* Why a request is not taken. */
struct refusal {
	int		 status;	/* of HTTP */
	const char	*why;		/* plain ASCII without quotes */
	bool		 forwarded;	/* a forwarding header, for metrics */
};

enum head_state {
	HEAD_MORE,		/* good so far */
	HEAD_WHOLE,
	HEAD_BAD,
};

/* Where the reader of bytes stands; all zero at the start. */
struct head_scan {
	size_t	 at;		/* bytes read */
	size_t	 line;		/* where this line began */
	int	 lines;
	bool	 cr;		/* the last byte was one */
};

struct head {
	size_t		len;		/* with the empty line */
	struct text	method;
	struct text	target;		/* path, and `?` and query if there */
	struct text	path;
	struct text	query;		/* absent: no `?` */
	bool		old;		/* HTTP/1.0 */
	bool		keep;		/* may be used again */
	int		lines;		/* headers */
	bool		has_length;
	size_t		body_len;
	/* Absent or as received, without blanks around. */
	struct text	host;
	struct text	mbx_key;	/* X-MBX-APIKEY */
	struct text	key;		/* Drawbridge-Key */
	struct text	when;		/* Drawbridge-Time */
	struct text	signature;	/* Drawbridge-Signature */
	struct text	code;		/* Drawbridge-Code */
	struct text	client;		/* the trusted proxy's header */
};

/*
 * Read on in `p`, which holds `len` bytes from the request's first; those
 * before s->at were read already.  HEAD_WHOLE: s->at is behind the head.
 */
enum head_state head_scan(struct head_scan *s, const char *p, size_t len,
    struct refusal *no);

/*
 * The meaning of a head that head_scan() took.  Texts point into `p`.
 * `proxy_header`: this one header of forwarding is taken, because a listed
 * proxy sends it; NULL: none is.
 */
bool head_read(struct head *h, const char *p, size_t len,
    const char *proxy_header, struct refusal *no);

#endif
