/*
 * drawbridge-signer: the process around the core (signer.h).
 *
 * It is started with everything it will ever have and gives up the rest
 * before it reads a byte:
 *
 *	2	the log
 *	3	requests, from whoever builds the transactions: a pipe in both
 *		directions
 *	4	the custodian's
 *	5	the journal, to read and write; locked (flock(2)) while we live
 *	6	the sealed seed
 *	7	or nothing: a file with the passphrase, read once
 *
 * It opens nothing, makes no socket and starts nobody; the calls that it may
 * make are listed in lib/sandbox_sign.c (`--calls` prints them).  One loop,
 * one thread.  Each pipe is in its own place in a frame, so that one whose
 * other side stalls does not keep the other from being heard.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bitcoin/curve.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/secret.h"
#include "signer/signer.h"
#include "wire/sign.h"

#define REQUESTS_FD	3
#define CUSTODIAN_FD	4
#define JOURNAL_FD	5
#define SEED_FD		6
#define PASSPHRASE_FD	7

#define PASSPHRASE_MAX	((size_t)1024)
#define TICK_MS		60000	/* the core knows when there is something to
				 * write down */
#define LOG_MS		10000		/* in so long, at most so many */
#define LOG_LINES	200
#define ROOM_FIRST	((size_t)2048)	/* lib/secret.h's largest that shares
					 * its pages */
/*
 * Argon2id's 256 MiB, two questions and their answers, the keys ahead; and
 * what was ever signed, several times what it is in the journal now.
 */
#define MEMORY_MAX	((size_t)2 << 30)
#define MEMORY_TIMES	((size_t)8)

struct pipe {
	int		 fd;
	bool		 custodian;
	bool		 deaf;		/* said what is no frame */
	unsigned char	*in;		/* locked while it is small */
	size_t		 in_room, in_len;
	unsigned char	*out;
	size_t		 out_len, out_at;
};

struct process {
	struct signer	*signer;
	struct pipe	 pipes[2];	/* the custodian's first: a halt must
					 * not wait */
	int64_t		 ticked_ms;
	int64_t		 log_ms, logged;	/* lines since then */
};

static int64_t
clock_ms(clockid_t which)
{
	struct timespec	 t;

	(void)clock_gettime(which, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct signer_clock
now(void)
{
	struct signer_clock	 c = {
		.boot_ms = clock_ms(CLOCK_BOOTTIME),
		.now_ms = clock_ms(CLOCK_REALTIME),
	};

	return c;
}

static void __attribute__((noreturn))
give_up(const char *why)
{
	log_event(LOG_BROKEN, "ends", "why", 's', why, NULL);
	_exit(1);
}

/* One frame in */

static void
in_free(struct pipe *p)
{
	if (p->in_room <= ROOM_FIRST) {
		secret_free(p->in, p->in_room);
	} else {
		explicit_bzero(p->in, p->in_room);
		free(p->in);
	}
	p->in = NULL;
	p->in_room = p->in_len = 0;
}

/* As the bytes come, not because a head says so. */
static bool
in_more(struct pipe *p, size_t want)
{
	size_t		 room = p->in_room == 0 ? ROOM_FIRST : p->in_room * 2;
	size_t		 len = p->in_len;
	unsigned char	*bigger;

	if (len < p->in_room)
		return true;
	if (p->in_room > 0 && room > want)
		room = want;
	bigger = room <= ROOM_FIRST ? secret_new(room) : malloc(room);
	if (bigger == NULL)
		return false;
	if (len > 0)
		memcpy(bigger, p->in, len);
	in_free(p);
	p->in = bigger;
	p->in_room = room;
	p->in_len = len;
	return true;
}

/* 1: a whole frame is there; 0: later; -1: no frame begins like this. */
static int
read_frame(struct pipe *p)
{
	size_t	 want, room;
	ssize_t	 n;

	for (;;) {
		if (sign_message_len(&want, p->in, p->in_len, NULL) != RC_OK)
			return -1;
		if (want > 0 && p->in_len == want)
			return 1;
		if (!in_more(p, want))
			give_up("no memory for a question");
		/* Not a byte of the next one. */
		room = (want > 0 ? want : 4) - p->in_len;
		if (room > p->in_room - p->in_len)
			room = p->in_room - p->in_len;
		n = read(p->fd, p->in + p->in_len, room);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		/* Whoever started us is gone, or starts another. */
		if (n <= 0) {
			log_event(LOG_INFO_, "ends", "why", 's', n == 0 ?
			    "its other side is gone" : strerror(errno), NULL);
			_exit(0);
		}
		p->in_len += (size_t)n;
	}
}

/* One frame out */

static void
write_answer(struct pipe *p)
{
	ssize_t	 n;

	while (p->out_at < p->out_len) {
		n = write(p->fd, p->out + p->out_at, p->out_len - p->out_at);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			log_event(LOG_INFO_, "ends", "why", 's',
			    strerror(errno), NULL);
			_exit(0);
		}
		p->out_at += (size_t)n;
	}
	free(p->out);
	p->out = NULL;
	p->out_len = p->out_at = 0;
}

/* The core's answer is gone with its next question, and the other pipe may
 * have one while this one is written. */
static void
answer(struct pipe *p, struct text t)
{
	assert(p->out == NULL && t.len >= SIGN_FRAME_HEAD);
	if ((p->out = malloc(t.len)) == NULL)
		give_up("no memory for an answer");
	memcpy(p->out, t.p, t.len);
	p->out_len = t.len;
	/* A passphrase is gone before anybody hears that it was right. */
	in_free(p);
	write_answer(p);
}

/* The log */

static bool
only_reads(enum sign_type t)
{
	return t == SIGN_STATUS || t == SIGN_DESCRIPTORS || t == SIGN_SIGNED;
}

/* Is there room for one more line?  Whoever asks much does not fill the
 * disk. */
static bool
may_log(struct process *s, int64_t now_ms)
{
	if (now_ms - s->log_ms >= LOG_MS || now_ms < s->log_ms) {
		if (s->logged > LOG_LINES)
			log_event(LOG_ODD, "not-logged", "answers", 'd',
			    s->logged - LOG_LINES, NULL);
		s->log_ms = now_ms;
		s->logged = 0;
	}
	return s->logged++ < LOG_LINES;
}

static void
note(struct process *s, const struct pipe *p, enum sign_type asked,
    struct text t, int64_t now_ms)
{
	struct sign_message	 m;
	const char		*name = sign_type_text(asked);
	bool			 refused = t.p[4] == SIGN_REFUSED;

	if ((!refused && only_reads(asked)) || !may_log(s, now_ms))
		return;
	if (!refused)
		log_event(LOG_INFO_, "done", "asked", 's', name, "by", 's',
		    p->custodian ? "custodian" : "requests", NULL);
	else if (sign_message_unpack(&m, (const unsigned char *)t.p, t.len,
	    NULL) == RC_OK)
		log_event(LOG_INFO_, "refused", "asked", 's',
		    name != NULL ? name : "?", "by", 's', p->custodian ?
		    "custodian" : "requests", "why", 's',
		    sign_refusal_text(m.refusal), "reason", 't',
		    m.reason.p != NULL ? m.reason : text_of(""), NULL);
}

static void
refuse_pipe(struct pipe *p)
{
	struct sign_message	 m;
	unsigned char		 frame[256];
	struct text		 t = { (const char *)frame, 0 };

	log_event(LOG_BROKEN, "deaf", "why", 's', "no frame begins like this",
	    "pipe", 'd', (int64_t)p->fd, NULL);
	p->deaf = true;
	sign_message_clear(&m, SIGN_REFUSED, 0);
	m.refusal = SIGN_REFUSE_MALFORMED;
	m.reason = text_of("no frame begins like this");
	assert(sign_message_room(&m) <= sizeof(frame));
	t.len = sign_message_pack(&m, frame);
	answer(p, t);
}

static void
serve(struct process *s, struct pipe *p, short came)
{
	struct signer_clock	 c;
	struct text		 frame, said;
	int			 n;

	if (p->out != NULL) {
		if (came != 0)
			write_answer(p);
		return;
	}
	if (came == 0)
		return;
	if (p->deaf)
		give_up("a pipe is of no use any more");
	if ((n = read_frame(p)) < 0)
		refuse_pipe(p);
	if (n != 1)
		return;
	frame.p = (const char *)p->in;
	frame.len = p->in_len;
	c = now();
	said = signer_take(s->signer, frame, p->custodian, &c);
	/* Before it is told: whoever has the answer may find it in the log. */
	note(s, p, (enum sign_type)p->in[4], said, c.boot_ms);
	answer(p, said);
}

static void
turn(struct process *s)
{
	struct pollfd		 p[2];
	struct signer_clock	 c = now();
	int			 i;

	/* Sleep of the machine counts as time, and poll() does not see it. */
	if (c.boot_ms - s->ticked_ms >= TICK_MS) {
		signer_tick(s->signer, &c);
		s->ticked_ms = c.boot_ms;
	}
	for (i = 0; i < 2; i++) {
		p[i].fd = s->pipes[i].fd;
		p[i].events = s->pipes[i].out != NULL ? POLLOUT :
		    s->pipes[i].deaf ? 0 : POLLIN;
		p[i].revents = 0;
	}
	if (poll(p, 2, 60000) <= 0)
		return;
	for (i = 0; i < 2; i++)
		serve(s, &s->pipes[i], p[i].revents);
}

/* The start */

/* A request, a journal, a seed: each must be there and what it is. */
static enum rc
check_files(struct err *e)
{
	static const struct {
		int		 fd;
		const char	*what;
	} need[] = {
		{ REQUESTS_FD, "requests (3)" },
		{ CUSTODIAN_FD, "the custodian's (4)" },
		{ JOURNAL_FD, "the journal (5)" }, { SEED_FD, "the seed (6)" },
	};
	size_t	 i;
	int	 flags, fd;

	/* 0 to 2 are what they are everywhere, or a log line would go into
	 * the journal. */
	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd < 3)
		;
	if (fd >= 3)
		(void)close(fd);
	for (i = 0; i < sizeof(need) / sizeof(need[0]); i++) {
		if ((flags = fcntl(need[i].fd, F_GETFL)) == -1)
			return err_set(e, "%s is not open: drawbridge-relay "
			    "starts this program", need[i].what);
		if (i < 2 && fcntl(need[i].fd, F_SETFL, flags | O_NONBLOCK)
		    == -1)
			return err_set(e, "%s: %s", need[i].what,
			    strerror(errno));
	}
	if (close_range(PASSPHRASE_FD + 1, ~0U, 0) != 0)
		return err_set(e, "other files: %s", strerror(errno));
	if (flock(JOURNAL_FD, LOCK_EX | LOCK_NB) != 0)
		return err_set(e, "the journal: %s", errno == EWOULDBLOCK ?
		    "another signer works on it" : strerror(errno));
	return RC_OK;
}

/* What libraries ask once, they ask now. */
static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, 1);
}

static enum rc
warm_up(struct err *e)
{
	unsigned char	 bytes[4096] = { 0 };

	/* How much memory the machine has: glibc's larger sorts. */
	qsort(bytes, sizeof(bytes), 1, compare);
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG |
	    OPENSSL_INIT_NO_ATEXIT, NULL);
	return curve_begin(e);
}

static enum rc
begin(struct process *s, struct err *e)
{
	struct sandbox		 box = { .kind = SANDBOX_SIGN,
				    /* One is Landlock's while it begins. */
				    .files_max = PASSPHRASE_FD + 2 };
	struct signer_clock	 c = now();
	struct rlimit		 l;
	off_t			 len;

	if (secret_begin(e) != RC_OK || check_files(e) != RC_OK)
		return RC_FAILED;
	if (getrlimit(RLIMIT_MEMLOCK, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_MEMLOCK, &l);
	}
	if ((len = lseek(JOURNAL_FD, 0, SEEK_END)) < 0)
		return err_set(e, "the journal: %s", strerror(errno));
	box.memory_max = MEMORY_MAX + MEMORY_TIMES * (size_t)len;
	if (warm_up(e) != RC_OK || sandbox_enter(&box, e) != RC_OK)
		return RC_FAILED;
	s->pipes[0] = (struct pipe){ .fd = CUSTODIAN_FD, .custodian = true };
	s->pipes[1] = (struct pipe){ .fd = REQUESTS_FD };
	s->ticked_ms = c.boot_ms;
	return signer_new(&s->signer, JOURNAL_FD, SEED_FD, &c, e);
}

/*
 * The passphrase from a file that we were given: read, used, wiped, closed.
 * One newline at its end is not part of it.
 */
static void
unlock(struct process *s)
{
	struct signer_clock	 c = now();
	struct text		 t;
	struct err		 e;
	ssize_t			 n = 1;
	char			*p = secret_new(PASSPHRASE_MAX + 1);

	if (p == NULL)
		give_up("no locked memory for the passphrase");
	t.p = p;
	t.len = 0;
	while (t.len <= PASSPHRASE_MAX && n > 0) {
		n = pread(PASSPHRASE_FD, p + t.len, PASSPHRASE_MAX + 1 - t.len,
		    (off_t)t.len);
		if (n > 0)
			t.len += (size_t)n;
	}
	if (t.len > 0 && p[t.len - 1] == '\n')
		t.len--;
	if (n < 0)
		(void)err_set(&e, "its file: %s", strerror(errno));
	else if (t.len == 0 || t.len > PASSPHRASE_MAX)
		(void)err_set(&e, "its file has no passphrase of 1 to %zu "
		    "bytes", PASSPHRASE_MAX);
	else if (signer_unlock(s->signer, t, &c, &e) == RC_OK)
		e.text[0] = '\0';
	secret_free(p, PASSPHRASE_MAX + 1);
	(void)close(PASSPHRASE_FD);
	if (e.text[0] == '\0')
		log_event(LOG_INFO_, "unlocked", "by", 's', "credential",
		    NULL);
	else
		log_event(LOG_BROKEN, "stays-locked", "why", 's', e.text,
		    NULL);
}

static int
print_calls(void)
{
	const char	*name, *why;
	size_t		 i;

	for (i = 0; i < sandbox_sign_count(); i++) {
		name = sandbox_sign_name(i, &why);
		(void)printf("%-16s %s\n", name, why);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

int
main(int argc, char *argv[])
{
	static struct process	 s;
	struct err		 e;
	bool			 credential;

	if (argc == 2 && strcmp(argv[1], "--calls") == 0)
		return print_calls();
	if (argc != 1) {
		(void)fputs("usage: drawbridge-signer [--calls]\n", stderr);
		return 2;
	}
	log_begin("signer", LOG_INFO_);
	(void)signal(SIGPIPE, SIG_IGN);
	credential = fcntl(PASSPHRASE_FD, F_GETFD) != -1;
	if (begin(&s, &e) != RC_OK)
		give_up(e.text);
	if (credential)
		unlock(&s);
	else
		log_event(LOG_INFO_, "locked", "why", 's', "no credential: "
		    "`drawbridge signer unlock`", NULL);
	for (;;)
		turn(&s);
}
