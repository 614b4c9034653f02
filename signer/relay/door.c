#include "signer/relay/door.h"

#include <openssl/rand.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/secret.h"
#include "signer/relay/line.h"

#define MEMORY_MAX	((size_t)384 << 20)

static int64_t
now_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum rc
begin(struct line **out, int hub, int listener, const char *identity,
    const char *pins, struct err *e)
{
	static struct pinned_keys	 keys;
	struct sandbox			 s = { .kind = SANDBOX_ACCEPT,
					    .memory_max = MEMORY_MAX,
					    .files_max = 64 };
	struct line_config		 c = { .name = "network",
					    .listener = listener };
	unsigned char			 byte;

	if (secret_begin(e) != RC_OK || pinned_read(&keys, pins, e) != RC_OK)
		return RC_FAILED;
	if (keys.n == 0)
		return err_set(e, "%s: no pins: nobody could connect", pins);
	if (pinned_context(&c.tls, true, identity, &keys, e) != RC_OK)
		return RC_FAILED;
	/* What it opens for this, it opens now. */
	if (RAND_bytes(&byte, 1) != 1)
		return err_set(e, "no random numbers");
	if (line_new(out, &c, e) != RC_OK)
		return RC_FAILED;
	line_upstream(*out, hub, now_ms());
	return sandbox_enter(&s, e);
}

void
door_main(int hub, int listener, const char *identity, const char *pins)
{
	struct pollfd	 p[LINE_FDS];
	struct line	*l = NULL;
	struct err	 e;
	int		 wait;

	log_begin("signer-door", LOG_INFO_);
	if (begin(&l, hub, listener, identity, pins, &e) != RC_OK) {
		log_event(LOG_BROKEN, "ends", "why", 's', e.text, NULL);
		_exit(1);
	}
	/* The hub is gone: another comes with another of us. */
	while (line_connected(l)) {
		wait = line_turn(l, now_ms());
		line_fds(l, p);
		if (poll(p, LINE_FDS, wait) > 0)
			line_serve(l, p, now_ms());
	}
	_exit(line_broken(l, &e) ? 1 : 0);
}
