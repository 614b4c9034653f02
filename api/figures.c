#include "api/figures.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/bounds.h"

#define N_STATUS	15	/* the last: any other */
#define N_BUCKETS	14
#define TELLERS		4
#define PREFIX_MAX	32

static const int statuses[N_STATUS] = {
	200, 400, 401, 403, 404, 405, 409, 413, 418, 422, 429, 431, 500, 503,
	0
};

static const struct {
	int64_t		 us;
	const char	*text;		/* seconds */
} buckets[N_BUCKETS] = {
	{ 100, "0.0001" }, { 250, "0.00025" }, { 500, "0.0005" },
	{ 1000, "0.001" }, { 2500, "0.0025" }, { 5000, "0.005" },
	{ 10000, "0.01" }, { 25000, "0.025" }, { 50000, "0.05" },
	{ 100000, "0.1" }, { 250000, "0.25" }, { 500000, "0.5" },
	{ 1000000, "1" }, { 10000000, "10" },
};

struct at_endpoint {
	uint64_t	by_status[N_STATUS];
	uint64_t	by_time[N_BUCKETS];
	uint64_t	n;
	uint64_t	sum_us;
};

/* One process's lines, known by the beginning of their names. */
struct teller {
	char	prefix[PREFIX_MAX];
	char	lines[STATS_MAX];
	size_t	len;
};

static struct at_endpoint	 at[ENDPOINT__COUNT];
static uint64_t			 refused[REFUSED__COUNT];
static uint64_t			 accepted;
static struct teller		 tellers[TELLERS];
static bool			 engine_up = true;
static char			 out[512 << 10];
static size_t			 out_len;

static const char *const refused_texts[REFUSED__COUNT] = {
	"head", "forwarded", "long", "slow", "proxy", "rate", "ban", "full",
	"address", "memory", "away", "late", "accept",
};

const char *
refused_text(enum refused r)
{
	return refused_texts[r];
}

void
figures_request(enum endpoint e, int status, int64_t us)
{
	struct at_endpoint	*a = &at[e];
	int			 i;

	for (i = 0; statuses[i] != status && i < N_STATUS - 1; i++)
		;
	a->by_status[i]++;
	for (i = 0; i < N_BUCKETS && us > buckets[i].us; i++)
		;
	if (i < N_BUCKETS)
		a->by_time[i]++;
	a->n++;
	a->sum_us += (uint64_t)us;
}

void
figures_refused(enum refused r)
{
	refused[r]++;
}

void
figures_accepted(void)
{
	accepted++;
}

/* Others' lines */

/* `name value`, or `name{label="text"} value`: integers, printable. */
static bool
is_line(const char *p, size_t len)
{
	size_t	 i;

	if (len < 3 || len > 300 || p[len - 1] < '0' || p[len - 1] > '9' ||
	    memchr(p, ' ', len) == NULL || p[0] < 'a' || p[0] > 'z')
		return false;
	for (i = 0; i < len; i++) {
		if (p[i] < 0x20 || p[i] >= 0x7f)
			return false;
	}
	return true;
}

/* "drawbridge_engine_" of "drawbridge_engine_held 3". */
static size_t
prefix_len(const char *p, size_t len)
{
	size_t	 i;
	int	 n = 0;

	for (i = 0; i < len && i < PREFIX_MAX - 1; i++) {
		if (p[i] == '_' && ++n == 2)
			return i + 1;
	}
	return 0;
}

static struct teller *
teller_of(const char *p, size_t len)
{
	size_t	 n = prefix_len(p, len);
	int	 i;

	for (i = 0; n > 0 && i < TELLERS; i++) {
		if (tellers[i].prefix[0] == '\0')
			memcpy(tellers[i].prefix, p, n);
		if (strlen(tellers[i].prefix) == n &&
		    memcmp(tellers[i].prefix, p, n) == 0)
			return &tellers[i];
	}
	return NULL;
}

static void
tell_line(const char *p, size_t len)
{
	static const char	 up[] = "drawbridge_engine_up ";
	struct teller		*t = teller_of(p, len);

	if (t == NULL || t->len + len + 1 > sizeof(t->lines))
		return;
	memcpy(t->lines + t->len, p, len);
	t->len += len;
	t->lines[t->len++] = '\n';
	if (len == sizeof(up) && memcmp(p, up, sizeof(up) - 1) == 0)
		engine_up = p[len - 1] != '0';
}

void
figures_tell(struct text lines)
{
	const char	*p = lines.p, *end = lines.p + lines.len, *nl;
	struct teller	*t;
	struct teller	*fresh[TELLERS] = { NULL };
	size_t		 len;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			nl = end;
		len = (size_t)(nl - p);
		if (!is_line(p, len) || (t = teller_of(p, len)) == NULL)
			continue;
		/* Its first line replaces all that it said before. */
		if (fresh[t - tellers] == NULL) {
			fresh[t - tellers] = t;
			t->len = 0;
		}
		tell_line(p, len);
	}
}

bool
figures_engine_up(void)
{
	return engine_up;
}

void
figures_forget(void)
{
	memset(tellers, 0, sizeof(tellers));
	engine_up = true;
}

/* Printing */

static void	 put(const char *fmt, ...) PRINTF(1, 2);

static void
put(const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(out + out_len, sizeof(out) - out_len, fmt, ap);
	va_end(ap);
	/* Room for all is made above; what does not fit is left out. */
	if (n > 0 && (size_t)n < sizeof(out) - out_len)
		out_len += (size_t)n;
}

static void
put_head(const char *name, const char *type, const char *help)
{
	put("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
put_one(const char *name, const char *type, const char *help, int64_t n)
{
	put_head(name, type, help);
	put("%s %" PRId64 "\n", name, n);
}

static void
put_requests(void)
{
	int	 e, s;

	put_head("drawbridge_api_requests_total", "counter",
	    "Requests that were answered.");
	for (e = 0; e < ENDPOINT__COUNT; e++) {
		for (s = 0; s < N_STATUS; s++) {
			if (at[e].by_status[s] > 0)
				put("drawbridge_api_requests_total{endpoint="
				    "\"%s\",status=\"%d\"} %" PRIu64 "\n",
				    endpoints[e].name, statuses[s],
				    at[e].by_status[s]);
		}
	}
}

static void
put_times(void)
{
	static const char	 n[] = "drawbridge_api_answer_seconds";
	const struct at_endpoint *a;
	uint64_t		 sum;
	int			 e, i;

	put_head(n, "histogram", "From a whole request to its answer.");
	for (e = 0; e < ENDPOINT__COUNT; e++) {
		a = &at[e];
		if (a->n == 0)
			continue;
		for (i = 0, sum = 0; i < N_BUCKETS; i++) {
			sum += a->by_time[i];
			put("%s_bucket{endpoint=\"%s\",le=\"%s\"} %" PRIu64
			    "\n", n, endpoints[e].name, buckets[i].text, sum);
		}
		put("%s_bucket{endpoint=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", n,
		    endpoints[e].name, a->n);
		put("%s_sum{endpoint=\"%s\"} %" PRIu64 ".%06" PRIu64 "\n", n,
		    endpoints[e].name, a->sum_us / 1000000,
		    a->sum_us % 1000000);
		put("%s_count{endpoint=\"%s\"} %" PRIu64 "\n", n,
		    endpoints[e].name, a->n);
	}
}

static void
put_refused(void)
{
	int	 i;

	put_head("drawbridge_api_refused_total", "counter",
	    "Connections and requests that were refused here, by reason.");
	for (i = 0; i < REFUSED__COUNT; i++)
		put("drawbridge_api_refused_total{reason=\"%s\"} %" PRIu64
		    "\n", refused_texts[i], refused[i]);
}

static bool
ends_total(const char *p, size_t len)
{
	return len > 6 && memcmp(p + len - 6, "_total", 6) == 0;
}

/* A HELP and a TYPE before the first line of each name. */
static void
put_told(const struct teller *t)
{
	const char	*p = t->lines, *end = t->lines + t->len, *nl;
	const char	*last = "";
	size_t		 last_len = 0, n;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		assert(nl != NULL);
		n = 0;
		while (p[n] != ' ' && p[n] != '{')
			n++;
		if (n != last_len || memcmp(p, last, n) != 0)
			put("# HELP %.*s As its process tells it.\n"
			    "# TYPE %.*s %s\n", (int)n, p, (int)n, p,
			    ends_total(p, n) ? "counter" : "gauge");
		last = p;
		last_len = n;
		put("%.*s\n", (int)(nl - p), p);
	}
}

struct text
figures_print(const struct figures_now *now)
{
	struct text	 t = { out, 0 };
	int		 i;

	out_len = 0;
	put_requests();
	put_times();
	put_refused();
	put_one("drawbridge_api_accepted_total", "counter",
	    "Connections.", (int64_t)accepted);
	put_one("drawbridge_api_connections", "gauge",
	    "Connections that are open.", now->connections);
	put_one("drawbridge_api_connections_idle", "gauge",
	    "Those between two requests.", now->idle);
	put_one("drawbridge_api_waiting", "gauge",
	    "Requests that wait for auth.", now->waiting);
	put_one("drawbridge_api_long_bytes", "gauge",
	    "Memory of long bodies and of answers not read.",
	    now->long_bytes);
	put_one("drawbridge_api_banned", "gauge",
	    "Addresses that are banned.", now->banned);
	put_one("drawbridge_api_addresses", "gauge",
	    "Addresses that are known.", now->addresses);
	put_one("drawbridge_api_link_up", "gauge",
	    "Is the link to auth there?", now->auth);
	put_one("drawbridge_api_link_bytes", "gauge",
	    "Bytes that wait to go to auth.", now->link_bytes);
	for (i = 0; i < TELLERS; i++)
		put_told(&tellers[i]);
	t.len = out_len;
	return t;
}
