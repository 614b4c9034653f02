/*
 * drawbridge init: a data folder for a new service.
 *
 * It makes what cannot be made later: the master key, the journal with its
 * keys, and the first operators, who need nobody's approval because there is
 * nobody yet.  Everything after that is done by them.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "auth/vault.h"
#include "bitcoin/address.h"
#include "cli/commands.h"
#include "cli/customer.h"
#include "cli/day.h"
#include "cli/drill.h"
#include "cli/founding.h"
#include "cli/keyfile.h"
#include "engine/journal.h"
#include "lib/civil.h"
#include "policy/shipped.h"
#include "wire/rights.h"

#define OPERATORS_MAX	32
#define PATH_MAX_	512
#define DATA_MAX	200	/* the configuration's limit, and files below */

enum { OPT_DATA = 256, OPT_OPERATOR, OPT_DEMO, OPT_NETWORK, OPT_POLICY,
	OPT_QUORUM, OPT_WAIT, OPT_LISTEN, OPT_HISTORY, OPT_DRILL, OPT_HELP };

struct options {
	const char	*data;
	const char	*policy;
	const char	*network;
	const char	*listen;
	const char	*history;	/* a scenario */
	const char	*operators[OPERATORS_MAX];	/* NAME=FILE */
	int		 n_operators;
	int64_t		 quorum;	/* 0: by their number */
	int64_t		 wait_ms;	/* -1: by demo */
	bool		 demo;
	bool		 drill;		/* leave the theft in it for later */
};

struct init {
	const struct options *o;
	char		 path[PATH_MAX_];
	char		 name[OPERATORS_MAX][COMMAND_NAME_MAX + 1];
	struct keyfile	 key[OPERATORS_MAX];
	int		 n;
	int64_t		 quorum;
	struct journal	*journal;
	struct founding	*founding;
	uint64_t	 n_taught;
	bool		 began;		/* the folder is ours to clean up */
};

static const char *
in_data(struct init *i, const char *file)
{
	(void)snprintf(i->path, sizeof(i->path), "%s/%s", i->o->data, file);
	return i->path;
}

/* Before anything is written: who they are. */

static enum rc
add(struct init *i, const char *name, size_t len, const char *file,
    struct err *e)
{
	int	 k;

	if (i->n == OPERATORS_MAX)
		return err_set(e, "more than %d operators", OPERATORS_MAX);
	if (len == 0 || len > COMMAND_NAME_MAX)
		return err_set(e, "--operator: a name of 1 to %d bytes",
		    COMMAND_NAME_MAX);
	for (k = 0; k < i->n; k++) {
		if (strncmp(i->name[k], name, len) == 0 &&
		    i->name[k][len] == '\0')
			return err_set(e, "operator %.*s is named twice",
			    (int)len, name);
	}
	(void)snprintf(i->name[i->n], sizeof(i->name[0]), "%.*s", (int)len,
	    name);
	if (file != NULL && keyfile_public(&i->key[i->n], file, e) != RC_OK)
		return RC_FAILED;
	if (i->key[i->n].demo && strcmp(i->o->network, "regtest") != 0)
		return err_set(e, "%s: a key made for trying; %s takes none",
		    file, i->o->network);
	for (k = 0; file != NULL && k < i->n; k++) {
		if (memcmp(i->key[k].public_key, i->key[i->n].public_key,
		    32) == 0)
			return err_set(e, "%s and %s have the same key: an "
			    "operator is a person", i->name[k],
			    i->name[i->n]);
	}
	i->n++;
	return RC_OK;
}

static enum rc
read_operators(struct init *i, struct err *e)
{
	const char	*o, *equals;
	int		 k;

	for (k = 0; k < i->o->n_operators; k++) {
		o = i->o->operators[k];
		if ((equals = strchr(o, '=')) == NULL)
			return err_set(e, "--operator %s: NAME=PUBLIC-KEY-"
			    "FILE", o);
		if (add(i, o, (size_t)(equals - o), equals + 1, e) != RC_OK)
			return RC_FAILED;
	}
	if (i->o->demo && i->n == 0 &&
	    (add(i, "alice", 5, NULL, e) != RC_OK ||
	    add(i, "bob", 3, NULL, e) != RC_OK))
		return RC_FAILED;
	if (i->n == 0)
		return err_set(e, "--operator NAME=PUBLIC-KEY-FILE is "
		    "needed: nobody could restart what has stopped "
		    "(or --demo, for trying)");
	i->quorum = i->o->quorum > 0 ? i->o->quorum :
	    i->o->demo || i->n == 1 ? 1 : 2;
	if (i->quorum > i->n)
		return err_set(e, "--quorum %d: there are only %d operators",
		    (int)i->quorum, i->n);
	return RC_OK;
}

/* The folder */

static enum rc
write_file(const char *path, mode_t mode, const char *text, struct err *e)
{
	size_t	 len = strlen(text);
	int	 fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	bool	 ok;

	if (fd == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	ok = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	if (!ok)
		(void)err_set(e, "%s: %s", path, strerror(errno));
	(void)close(fd);
	return ok ? RC_OK : RC_FAILED;
}

/* What a new folder must not have; the journal's own files as well. */
static const char *const	 made[] = {
	"journal.db", "journal.db-wal", "journal.db-shm", "journal.db.keys",
	"journal.db.lock", "journal.db.snapshots", "master.key", "policy",
	"drawbridged.conf", "drill.keys", "operators"
};

static enum rc
make_folder(struct init *i, struct err *e)
{
	size_t	 k;

	if (strlen(i->o->data) > DATA_MAX)
		return err_set(e, "--data: longer than %d bytes", DATA_MAX);
	if (mkdir(i->o->data, 0700) != 0 && errno != EEXIST)
		return err_set(e, "%s: %s", i->o->data, strerror(errno));
	for (k = 0; k < sizeof(made) / sizeof(*made); k++) {
		if (faccessat(AT_FDCWD, in_data(i, made[k]), F_OK,
		    AT_SYMLINK_NOFOLLOW) == 0)
			return err_set(e, "%s is there already: this folder "
			    "has a service's data, and nothing was changed",
			    i->path);
	}
	i->began = true;
	return RC_OK;
}

/* What was made before it failed, so that it can be tried again. */
static void
undo(struct init *i)
{
	char	 file[COMMAND_NAME_MAX + 32];
	size_t	 k;
	int	 n;

	if (!i->began)
		return;
	for (n = 0; i->o->demo && i->o->n_operators == 0 && n < i->n; n++) {
		(void)snprintf(file, sizeof(file), "operators/%s.key",
		    i->name[n]);
		(void)unlink(in_data(i, file));
		(void)snprintf(file, sizeof(file), "operators/%s.key.pub",
		    i->name[n]);
		(void)unlink(in_data(i, file));
	}
	for (k = 0; k < sizeof(made) / sizeof(*made); k++) {
		if (unlink(in_data(i, made[k])) != 0)
			(void)rmdir(i->path);
	}
}

static enum rc
demo_keys(struct init *i, struct err *e)
{
	char	 file[128];
	int	 k;

	if (!i->o->demo || i->o->n_operators > 0)
		return RC_OK;
	if (mkdir(in_data(i, "operators"), 0700) != 0 && errno != EEXIST)
		return err_set(e, "%s: %s", i->path, strerror(errno));
	for (k = 0; k < i->n; k++) {
		(void)snprintf(file, sizeof(file), "operators/%s.key",
		    i->name[k]);
		if (keyfile_make(in_data(i, file), true, e) != RC_OK ||
		    keyfile_public(&i->key[k], i->path, e) != RC_OK)
			return RC_FAILED;
	}
	return RC_OK;
}

/* The drill speaks for many customers, as a proxy does. */
static const char	 drill_lines[] =
    "# drawbridge drill comes from here and says whom it plays.\n"
    "proxies " CUSTOMER_PROXY "\n"
    "proxy-header " DRILL_HEADER "\n";

static enum rc
configuration(struct init *i, struct err *e)
{
	char	 text[2048], *policy = NULL, *data = NULL;

	if ((data = realpath(i->o->data, NULL)) == NULL)
		return err_set(e, "%s: %s", i->o->data, strerror(errno));
	if (i->o->policy != NULL &&
	    (policy = realpath(i->o->policy, NULL)) == NULL) {
		free(data);
		return err_set(e, "%s: %s", i->o->policy, strerror(errno));
	}
	(void)snprintf(text, sizeof(text),
	    "# drawbridged.conf(5) explains every line.\n"
	    "network %s\n"
	    "listen %s\n"
	    "master-key file:%s/master.key\n%s%s%s%s", i->o->network,
	    i->o->listen, data, policy != NULL ? "policy " : "",
	    policy != NULL ? policy : "", policy != NULL ? "\n" : "",
	    i->o->drill ? drill_lines : "");
	free(policy);
	free(data);
	return write_file(in_data(i, "drawbridged.conf"), 0640, text, e);
}

/* The journal's first events */

static enum rc
take(struct init *i, struct command *c, struct err *e)
{
	uint64_t	 seq;

	c->reason = text_of("the first of all");
	return journal_take(i->journal, c, NULL, &seq, e);
}

static enum rc
first_events(struct init *i, int64_t t_ms, struct err *e)
{
	struct command	 c;
	uint32_t	 rights = 0;
	int		 k;

	if (!rights_of(&rights, text_of("lead,custodian")))
		return err_set(e, "no such role");
	for (k = 0; k < i->n; k++) {
		command_clear(&c, COMMAND_OPERATOR, t_ms);
		c.name = text_of(i->name[k]);
		c.roles = rights;
		c.blob.p = (const char *)i->key[k].public_key;
		c.blob.len = sizeof(i->key[k].public_key);
		if (take(i, &c, e) != RC_OK)
			return RC_FAILED;
	}
	command_clear(&c, COMMAND_QUORUM, t_ms);
	c.count = i->quorum;
	c.wait_ms = i->o->wait_ms >= 0 ? i->o->wait_ms :
	    i->o->demo ? 0 : MS_PER_DAY;
	return take(i, &c, e);
}

static int64_t
now_ms(void)
{
	struct timespec	 now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * MS_PER_S + now.tv_nsec / 1000000;
}

/* What happened before, then the first operators. */
static enum rc
fill_journal(struct init *i, struct err *e)
{
	char		 where[PATH_MAX_];
	struct vault	*vault = NULL;
	enum rc		 rc;

	if (i->founding == NULL)
		return first_events(i, now_ms(), e);
	(void)snprintf(where, sizeof(where), "file:%s/master.key",
	    i->o->data);
	if ((rc = vault_new(&vault, where, NULL, text_of(NULL), e)) == RC_OK)
		rc = founding_teach(i->founding, i->journal, vault,
		    &i->n_taught, e);
	vault_free(&vault);
	return rc == RC_OK ? first_events(i, now_ms(), e) : rc;
}

static enum rc
shipped_policy(struct init *i, char *path, size_t room, struct err *e)
{
	(void)snprintf(path, room, "%s/policy", i->o->data);
	return write_file(path, 0640, policy_shipped, e);
}

static enum rc
make_journal(struct init *i, struct err *e)
{
	char			 url[PATH_MAX_], policy[PATH_MAX_];
	struct journal_config	 cfg = { .create = true,
		.demo = i->o->demo, .receipt_at_release = true,
		.policy_path = i->o->policy, .url = url,
		.t_ms = i->founding != NULL ?
		    founding_first_ms(i->founding) : now_ms() };
	enum network		 net = NETWORK_MAIN;
	enum rc			 rc, closed;
	struct err		 ignored;

	(void)network_of(&net, i->o->network, strlen(i->o->network));
	(void)snprintf(url, sizeof(url), "%s/journal.db", i->o->data);
	cfg.network = (uint8_t)net;
	if (cfg.policy_path == NULL) {
		cfg.policy_path = policy;
		if (shipped_policy(i, policy, sizeof(policy), e) != RC_OK)
			return RC_FAILED;
	}
	if ((rc = journal_open(&i->journal, &cfg, e)) != RC_OK)
		return rc;
	if ((rc = fill_journal(i, e)) == RC_OK)
		rc = journal_flush(i->journal, e);
	closed = journal_close(&i->journal, rc == RC_OK ? e : &ignored);
	return rc != RC_OK ? rc : closed;
}

static enum rc
read_history(struct init *i, struct err *e)
{
	struct founding_config	 c = { .scenario = i->o->history,
		.data = i->o->data, .drill = i->o->drill,
		.now_ms = now_ms() };

	(void)network_of(&c.net, i->o->network, strlen(i->o->network));
	return i->o->history == NULL ? RC_OK :
	    founding_new(&i->founding, &c, e);
}

static enum rc
make(struct init *i, struct err *e)
{
	enum rc	 rc;

	if ((rc = read_operators(i, e)) != RC_OK ||
	    (rc = read_history(i, e)) != RC_OK ||
	    (rc = make_folder(i, e)) != RC_OK ||
	    (rc = demo_keys(i, e)) != RC_OK ||
	    (rc = vault_make_file(in_data(i, "master.key"), e)) != RC_OK ||
	    (rc = configuration(i, e)) != RC_OK)
		return rc;
	return make_journal(i, e);
}

static void
say(const struct init *i)
{
	int	 k;

	(void)printf("%s is ready: network %s, operators", i->o->data,
	    i->o->network);
	for (k = 0; k < i->n; k++)
		(void)printf(" %s", i->name[k]);
	(void)printf(", %d of them for what loosens\n", (int)i->quorum);
	if (i->founding != NULL)
		(void)printf("%ju lines of what happened before were "
		    "taught\n", (uintmax_t)i->n_taught);
	if (i->o->demo)
		(void)puts("THIS IS FOR TRYING: the operators' keys lie in "
		    "the data folder, one person is enough, nothing waits, "
		    "and no network but regtest takes these keys.");
	(void)printf("start it with: drawbridged -c %s/drawbridged.conf "
	    "--data %s\n", i->o->data, i->o->data);
}

static const struct option	 names[] = {
	{ "data", required_argument, NULL, OPT_DATA },
	{ "operator", required_argument, NULL, OPT_OPERATOR },
	{ "demo", no_argument, NULL, OPT_DEMO },
	{ "network", required_argument, NULL, OPT_NETWORK },
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "quorum", required_argument, NULL, OPT_QUORUM },
	{ "wait", required_argument, NULL, OPT_WAIT },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "history", required_argument, NULL, OPT_HISTORY },
	{ "drill", no_argument, NULL, OPT_DRILL },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

static bool
option(struct options *o, int c)
{
	switch (c) {
	case OPT_DATA:
		o->data = optarg;
		return true;
	case OPT_OPERATOR:
		if (o->n_operators == OPERATORS_MAX)
			return false;
		o->operators[o->n_operators++] = optarg;
		return true;
	case OPT_DEMO:
		o->demo = true;
		return true;
	case OPT_NETWORK:
		o->network = optarg;
		return true;
	case OPT_POLICY:
		o->policy = optarg;
		return true;
	case OPT_QUORUM:
		o->quorum = strtoll(optarg, NULL, 10);
		return o->quorum > 0;
	case OPT_WAIT:
		return day_wait(&o->wait_ms, optarg);
	case OPT_LISTEN:
		o->listen = optarg;
		return true;
	case OPT_HISTORY:
		o->history = optarg;
		return true;
	case OPT_DRILL:
		o->drill = true;
		return true;
	}
	return false;
}

static enum rc
check_options(const struct options *o, struct err *e)
{
	enum network	 net;

	if (!network_of(&net, o->network, strlen(o->network)))
		return err_set(e, "--network %s: main, test, signet or "
		    "regtest", o->network);
	if (o->demo && net != NETWORK_REGTEST)
		return err_set(e, "--demo is for regtest: its keys are "
		    "nobody's secret");
	if (o->drill && (!o->demo || o->history == NULL))
		return err_set(e, "--drill goes with --demo and --history");
	return RC_OK;
}

int
cmd_init(int argc, char **argv)
{
	struct options		 o = { .wait_ms = -1,
		.listen = "127.0.0.1:8080" };
	static struct init	 i;
	struct err		 e;
	int			 c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == OPT_HELP)
			return help("init");
		if (!option(&o, c))
			return usage("init");
	}
	if (o.data == NULL || optind != argc)
		return usage("init");
	if (o.network == NULL)
		o.network = o.demo ? "regtest" : "main";
	i.o = &o;
	if (check_options(&o, &e) != RC_OK || make(&i, &e) != RC_OK) {
		undo(&i);
		founding_free(&i.founding);
		(void)fprintf(stderr, "drawbridge init: %s\n", e.text);
		return STATUS_FAILED;
	}
	say(&i);
	founding_free(&i.founding);
	return STATUS_DONE;
}
