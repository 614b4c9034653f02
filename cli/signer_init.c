/*
 * A signer's folder: made with its seed, or with a new journal for a seed
 * whose journal is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/signer.h"
#include "lib/secret.h"

#define PATH_MAX_	4096

struct folder {
	char		 seed[PATH_MAX_], journal[PATH_MAX_];
	char		 public[PATH_MAX_], old[PATH_MAX_];
	char		 begun[PATH_MAX_];	/* a seed without a wallet */
	int		 seed_fd, journal_fd;
	bool		 made_seed, made_journal;
};

struct founder {
	const struct signer_options *o;
	struct sign_settings settings;
	struct signer_public public;
	struct folder	 folder;
	struct bip32_key *master;	/* in locked memory */
	unsigned char	*seed;
	char		*phrase_memory;
	struct text	 phrase;
	uint64_t	 height, engine_seq, first_seq;
	bool		 begun;		/* the seed was made before */
	char		 cosigner[SIGNER_COSIGNER_MAX];
};

static void
paths(struct folder *f, const char *data)
{
	f->seed_fd = f->journal_fd = -1;
	(void)snprintf(f->seed, PATH_MAX_, "%s/seed", data);
	(void)snprintf(f->journal, PATH_MAX_, "%s/journal", data);
	(void)snprintf(f->begun, PATH_MAX_, "%s/seed.begun", data);
	(void)snprintf(f->public, PATH_MAX_, "%s/public", data);
	(void)snprintf(f->old, PATH_MAX_, "%s/journal.old-%" PRId64, data,
	    signer_read_now_ms());
}

static enum rc
make_file(int *fd, bool *made, const char *path, struct err *e)
{
	*fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*fd == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	*made = true;
	return RC_OK;
}

static enum rc
sync_folder(const char *path, struct err *e)
{
	int	 fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool	 ok = fd != -1 && fsync(fd) == 0;

	if (!ok)
		(void)err_set(e, "%s: %s", path, strerror(errno));
	if (fd != -1)
		(void)close(fd);
	return ok ? RC_OK : RC_FAILED;
}

/* What was made and did not become whole is in nobody's way. */
static void
end(struct founder *f, enum rc rc)
{
	if (f->folder.seed_fd != -1)
		(void)close(f->folder.seed_fd);
	if (f->folder.journal_fd != -1)
		(void)close(f->folder.journal_fd);
	if (rc != RC_OK && f->folder.made_journal)
		(void)unlink(f->folder.journal);
	if (rc != RC_OK && f->folder.made_seed)
		(void)unlink(f->folder.seed);
	secret_free(f->phrase_memory, SIGNER_SECRET_MAX);
	secret_free(f->seed, SEED_LEN);
	secret_free(f->master, sizeof(*f->master));
}

/* Where the chain stands: nobody guesses it where coins are real. */
static enum rc
read_height(struct founder *f, struct err *e)
{
	if (f->o->height == NULL && f->settings.network == NETWORK_REGTEST)
		return RC_OK;
	if (signer_read_number(&f->height, "--height", f->o->height, e) !=
	    RC_OK)
		return RC_FAILED;
	return f->height < 500000000 ? RC_OK : err_set(e, "--height: not a "
	    "height");
}

static enum rc
begin(struct founder *f, const struct signer_options *o, struct err *e)
{
	f->o = o;
	f->folder.seed_fd = f->folder.journal_fd = -1;
	if (o->data == NULL)
		return err_set(e, "--data DIR is needed");
	paths(&f->folder, o->data);
	f->master = secret_new(sizeof(*f->master));
	f->seed = secret_new(SEED_LEN);
	return f->master != NULL && f->seed != NULL ? RC_OK :
	    err_set(e, "no memory for secrets");
}

static enum rc
begin_settings(struct founder *f, const struct signer_options *o,
    struct err *e)
{
	if (begin(f, o, e) != RC_OK || signer_read_settings(&f->settings,
	    o->settings, e) != RC_OK)
		return RC_FAILED;
	return read_height(f, e);
}

/* init */

static enum rc
check_new(struct founder *f, struct err *e)
{
	const struct signer_options	*o = f->o;

	f->begun = access(f->folder.begun, F_OK) == 0;
	if (f->begun && (o->dice || o->backup_to != NULL || o->no_backup))
		return err_set(e, "%s: the seed was made before, by `signer "
		    "seed`", f->folder.begun);
	if (o->no_backup && f->settings.network != NETWORK_REGTEST)
		return err_set(e, "--no-backup is for regtest alone");
	if (o->engine_sequence != NULL && signer_read_number(&f->engine_seq,
	    "--engine-sequence", o->engine_sequence, e) != RC_OK)
		return RC_FAILED;
	if (mkdir(o->data, 0700) == -1 && errno != EEXIST)
		return err_set(e, "%s: %s", o->data, strerror(errno));
	if (access(f->folder.seed, F_OK) == 0 ||
	    access(f->folder.journal, F_OK) == 0)
		return err_set(e, "%s: there is a signer in it", o->data);
	return RC_OK;
}

static enum rc
make_keys(struct founder *f, struct err *e)
{
	if (f->begun) {
		f->folder.seed_fd = open(f->folder.begun, O_RDONLY |
		    O_CLOEXEC);
		if (f->folder.seed_fd == -1)
			return err_set(e, "%s: %s", f->folder.begun,
			    strerror(errno));
		if (signer_open_seed(f->seed, f->folder.seed_fd, f->phrase,
		    e) != RC_OK)
			return RC_FAILED;
	} else if (signer_entropy_seed(f->seed, f->o->dice, e) != RC_OK)
		return RC_FAILED;
	if (signer_master_of_seed(f->master, f->seed, f->settings.network,
	    e) != RC_OK)
		return RC_FAILED;
	return signer_public_of(&f->public, f->master, &f->settings, e);
}

/* The seed gets its name last: what has it has a journal. */
static enum rc
found(struct founder *f, struct err *e)
{
	struct folder	*d = &f->folder;

	if (make_file(&d->journal_fd, &d->made_journal, d->journal, e) !=
	    RC_OK || signer_found_journal(d->journal_fd, f->seed,
	    &f->settings, (uint32_t)f->height, f->engine_seq, e) != RC_OK ||
	    signer_public_write(&f->public, d->public, e) != RC_OK)
		return RC_FAILED;
	if (f->begun && rename(d->begun, d->seed) == -1)
		return err_set(e, "%s: %s", d->seed, strerror(errno));
	if (!f->begun && (make_file(&d->seed_fd, &d->made_seed, d->seed, e)
	    != RC_OK || signer_found_seed(d->seed_fd, f->seed, f->phrase,
	    f->settings.network, e) != RC_OK))
		return RC_FAILED;
	return sync_folder(f->o->data, e);
}

static int
say(const struct founder *f, const char *what)
{
	static struct json	 j;

	if (f->o->json) {
		signer_read_json(&j);
		json_put_text(&j, "data", f->o->data);
		signer_public_json(&j, &f->public);
		return signer_read_json_end(&j);
	}
	(void)printf("%s %s\n", what, f->o->data);
	signer_public_say(&f->public);
	return STATUS_DONE;
}

int
signer_init_run(const struct signer_options *o)
{
	static struct founder	 f;
	struct err		 e;
	enum rc			 rc;

	rc = begin_settings(&f, o, &e);
	if (rc == RC_OK)
		rc = check_new(&f, &e);
	if (rc == RC_OK && f.begun)
		rc = signer_secret_phrase(&f.phrase_memory, &f.phrase, o,
		    false, &e);
	/* The settings give a wallet, and somebody has read the backup, before
	 * there is a signer. */
	if (rc == RC_OK)
		rc = make_keys(&f, &e);
	if (rc == RC_OK && !f.begun)
		rc = signer_secret_phrase(&f.phrase_memory, &f.phrase, o,
		    true, &e);
	if (rc == RC_OK && !f.begun)
		rc = signer_backup_make(o, f.master, &f.settings, &f.public,
		    &e);
	if (rc == RC_OK)
		rc = found(&f, &e);
	end(&f, rc);
	return rc == RC_OK ? say(&f, "a signer in") :
	    signer_read_failed(o, &e);
}

/* seed: before the other signers of a quorum are known */

static enum rc
check_seed(struct founder *f, struct err *e)
{
	const struct signer_options	*o = f->o;
	enum network			 net;

	if (o->network == NULL || !network_of(&net, o->network,
	    strlen(o->network)))
		return err_set(e, "--network main, test, signet or regtest");
	f->settings.network = (uint8_t)net;
	if (check_new(f, e) != RC_OK)
		return RC_FAILED;
	return f->begun ? err_set(e, "%s: there is a seed in it", o->data) :
	    RC_OK;
}

static enum rc
make_seed(struct founder *f, struct err *e)
{
	struct folder	*d = &f->folder;

	if (signer_entropy_seed(f->seed, f->o->dice, e) != RC_OK ||
	    signer_master_of_seed(f->master, f->seed, f->settings.network,
	    e) != RC_OK || signer_public_cosigner(f->cosigner, f->master,
	    f->settings.network, e) != RC_OK || signer_secret_phrase(
	    &f->phrase_memory, &f->phrase, f->o, true, e) != RC_OK ||
	    signer_backup_make(f->o, f->master, NULL, NULL, e) != RC_OK)
		return RC_FAILED;
	(void)snprintf(d->seed, sizeof(d->seed), "%s", d->begun);
	if (make_file(&d->seed_fd, &d->made_seed, d->seed, e) != RC_OK ||
	    signer_found_seed(d->seed_fd, f->seed, f->phrase,
	    f->settings.network, e) != RC_OK)
		return RC_FAILED;
	return sync_folder(f->o->data, e);
}

int
signer_init_seed(const struct signer_options *o)
{
	static struct founder	 f;
	static struct json	 j;
	struct err		 e;
	enum rc			 rc;

	rc = begin(&f, o, &e);
	if (rc == RC_OK)
		rc = check_seed(&f, &e);
	if (rc == RC_OK)
		rc = make_seed(&f, &e);
	end(&f, rc);
	if (rc != RC_OK)
		return signer_read_failed(o, &e);
	if (!o->json)
		return printf("cosigner %s\n", f.cosigner) < 0 ?
		    STATUS_FAILED : STATUS_DONE;
	signer_read_json(&j);
	json_put_text(&j, "cosigner", f.cosigner);
	return signer_read_json_end(&j);
}

/* recover */

/* Is a signer running on it? */
static enum rc
check_stopped(const struct signer_options *o, struct err *e)
{
	struct signer_line	*l = NULL;

	if (signer_line_open(&l, o, false, NULL) != RC_OK)
		return RC_OK;
	signer_line_close(&l);
	return err_set(e, "%s: its signer runs; stop it first", o->data);
}

/* The same seed, with settings that give the wallet it had. */
static enum rc
check_wallet(struct founder *f, struct err *e)
{
	struct signer_public	 was;
	struct err		 drop;

	f->folder.seed_fd = open(f->folder.seed, O_RDONLY | O_CLOEXEC);
	if (f->folder.seed_fd == -1)
		return err_set(e, "%s: %s", f->folder.seed, strerror(errno));
	if (signer_master(f->master, f->folder.seed_fd, f->phrase,
	    f->settings.network, e) != RC_OK || signer_public_of(&f->public,
	    f->master, &f->settings, e) != RC_OK)
		return RC_FAILED;
	if (access(f->folder.public, F_OK) == -1 ||
	    signer_public_read(&was, f->folder.public, &drop) != RC_OK)
		return RC_OK;
	if (strcmp(was.external, f->public.external) != 0 ||
	    memcmp(was.deployment, f->public.deployment, 16) != 0)
		return err_set(e, "these settings are of another wallet or "
		    "deployment than %s", f->folder.public);
	return RC_OK;
}

/* Above whatever the lost journal may have reached: no journal ever got a
 * record a millisecond since 1970. */
static enum rc
read_first(struct founder *f, struct err *e)
{
	const struct signer_options	*o = f->o;
	struct sign_head		 h;
	struct text			 t;
	char				*buf;

	f->first_seq = (uint64_t)signer_read_now_ms();
	if (o->first_sequence != NULL && signer_read_number(&f->first_seq,
	    "--first-sequence", o->first_sequence, e) != RC_OK)
		return RC_FAILED;
	if (o->head == NULL)
		return RC_OK;
	if (signer_read_file(&buf, &t.len, o->head, 1024, e) != RC_OK)
		return RC_FAILED;
	t.p = buf;
	if (signer_line_head(&h, t, e) != RC_OK) {
		free(buf);
		return err_wrap(e, RC_FAILED, "%s", o->head);
	}
	free(buf);
	return h.seq < f->first_seq ? RC_OK : err_set(e, "--first-sequence "
	    "%" PRIu64 ": %s says that the journal had reached %" PRIu64,
	    f->first_seq, o->head, h.seq);
}

static enum rc
replace(struct founder *f, struct err *e)
{
	struct folder	*d = &f->folder;
	bool		 had = access(d->journal, F_OK) == 0;

	if (had && !signer_secret_agreed(f->o, "The journal that is there is "
	    "put aside, and never used again.  Go on?"))
		return err_set(e, "nothing was changed");
	if (had && rename(d->journal, d->old) == -1)
		return err_set(e, "%s: %s", d->journal, strerror(errno));
	if (make_file(&d->journal_fd, &d->made_journal, d->journal, e) ==
	    RC_OK && signer_recover(d->seed_fd, d->journal_fd, f->phrase,
	    &f->settings, (uint32_t)f->height, f->engine_seq, f->first_seq,
	    e) == RC_OK && signer_public_write(&f->public, d->public, e) ==
	    RC_OK)
		return sync_folder(f->o->data, e);
	/* An old journal refuses by itself, if somebody shows it a head; none
	 * at all refuses too. */
	return RC_FAILED;
}

int
signer_init_recover(const struct signer_options *o)
{
	static struct founder	 f;
	struct err		 e;
	enum rc			 rc;

	rc = begin_settings(&f, o, &e);
	if (rc == RC_OK)
		rc = signer_read_number(&f.engine_seq, "--floor", o->floor,
		    &e);
	if (rc == RC_OK)
		rc = read_first(&f, &e);
	if (rc == RC_OK)
		rc = check_stopped(o, &e);
	if (rc == RC_OK)
		rc = signer_secret_phrase(&f.phrase_memory, &f.phrase, o,
		    false, &e);
	if (rc == RC_OK)
		rc = check_wallet(&f, &e);
	if (rc == RC_OK)
		rc = replace(&f, &e);
	end(&f, rc);
	return rc == RC_OK ? say(&f, "a new journal, all spent, in") :
	    signer_read_failed(o, &e);
}
