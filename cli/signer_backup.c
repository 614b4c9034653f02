/*
 * The backup: the master key as Bitcoin Core reads it, shown once, and proved
 * before there is a signer.  What was never read back is no backup.
 *
 * Whoever has it and this text gets the coins without any of this program:
 * descriptors with private keys, ready for `importdescriptors`.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/signer.h"
#include "lib/civil.h"
#include "lib/secret.h"

#define TEXT_MAX	(8 * DESCRIPTOR_TEXT_MAX)
#define GROUP		4
#define GROUPS_A_LINE	7
#define TRIES		3

/* All that is secret here, in locked memory. */
struct backup {
	char		 key[BIP32_TEXT_MAX];
	char		 external[DESCRIPTOR_TEXT_MAX];
	char		 internal[DESCRIPTOR_TEXT_MAX];
	char		 typed[BIP32_TEXT_MAX + 16];
	char		 line[SIGNER_SECRET_MAX];
	char		 text[TEXT_MAX];
	struct bip32_key read;
	uint8_t		 network;
	char		 cosigner[SIGNER_COSIGNER_MAX];
};

/* "xprv 9s21 ...": numbered lines of groups. */
static size_t
put_groups(char *buf, size_t room, const char *key)
{
	size_t	 len = strlen(key), n = 0, i;

	for (i = 0; i < len; i++) {
		if (i % (GROUP * GROUPS_A_LINE) == 0)
			n += (size_t)snprintf(buf + n, room - n, "%s  %zu  ",
			    i > 0 ? "\n" : "",
			    i / (GROUP * GROUPS_A_LINE) + 1);
		else if (i % GROUP == 0)
			n += (size_t)snprintf(buf + n, room - n, " ");
		n += (size_t)snprintf(buf + n, room - n, "%c", key[i]);
	}
	return n + (size_t)snprintf(buf + n, room - n, "\n");
}

/* What importdescriptors takes: from an hour before now on. */
static size_t
put_import(char *buf, size_t room, const struct backup *b)
{
	int64_t	 from_s = signer_read_now_ms() / MS_PER_S - 3600;

	return (size_t)snprintf(buf, room, "[{\"desc\":\"%s\","
	    "\"active\":true,\"internal\":false,\"range\":[0,999],"
	    "\"timestamp\":%" PRId64 "},{\"desc\":\"%s\",\"active\":true,"
	    "\"internal\":true,\"range\":[0,999],\"timestamp\":%" PRId64
	    "}]\n", b->external, from_s, b->internal, from_s);
}

static void
write_terminal(struct backup *b)
{
	char	*p = b->text;
	size_t	 n;

	n = (size_t)snprintf(p, TEXT_MAX, "\nThe backup.  Write it on paper, "
	    "twice; it is shown once.  Whoever has it has the\ncoins.  The "
	    "master key, upper and lower case as they are:\n\n");
	n += put_groups(p + n, TEXT_MAX - n, b->key);
	if (b->external[0] != '\0') {
		n += (size_t)snprintf(p + n, TEXT_MAX - n, "\nIts "
		    "descriptors, for Bitcoin Core alone "
		    "(`importdescriptors`, in a wallet with\nprivate keys):"
		    "\n\n");
		n += put_import(p + n, TEXT_MAX - n, b);
	}
	(void)snprintf(p + n, TEXT_MAX - n, "\n");
	signer_secret_say(p);
}

static enum rc
write_file(struct backup *b, const char *path, struct err *e)
{
	size_t	 len;
	bool	 ok;
	int	 fd;

	len = (size_t)snprintf(b->text, TEXT_MAX, "%s\n", b->key);
	if (b->external[0] != '\0') {
		len += (size_t)snprintf(b->text + len, TEXT_MAX - len,
		    "%s\n%s\n", b->external, b->internal);
		len += put_import(b->text + len, TEXT_MAX - len, b);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	ok = write(fd, b->text, len) == (ssize_t)len && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	if (!ok)
		(void)err_set(e, "%s: %s", path, strerror(errno));
	return ok ? RC_OK : RC_FAILED;
}

/* All lines until there is as much as a key has. */
static enum rc
type_back(struct backup *b, struct err *e)
{
	size_t	 want = strlen(b->key), have = 0, len, i;
	enum rc	 rc = RC_OK;

	signer_secret_say("Now type the master key back from the paper; "
	    "blanks and lines as you like.\n");
	while (rc == RC_OK && have < want) {
		rc = signer_secret_line(b->line, &len, "> ", true, e);
		if (rc == RC_OK && len == 0)
			break;
		for (i = 0; rc == RC_OK && i < len; i++) {
			if (b->line[i] == ' ' || b->line[i] == '\t')
				continue;
			if (have == sizeof(b->typed) - 1)
				return err_set(e, "longer than a key");
			b->typed[have++] = b->line[i];
		}
	}
	b->typed[have] = '\0';
	return rc;
}

/* What was typed gives the same wallet, from the key on: that, and not equal
 * letters, is what will be needed one day. */
static enum rc
prove(struct backup *b, const struct sign_settings *s,
    const struct signer_public *p, struct err *e)
{
	struct signer_public	 again;
	char			 cosigner[SIGNER_COSIGNER_MAX];

	if (bip32_parse(&b->read, b->typed, strlen(b->typed), e) != RC_OK)
		return RC_FAILED;
	if (!b->read.has_secret || b->read.depth != 0)
		return err_set(e, "not a master key with its secret");
	if (s == NULL)
		return signer_public_cosigner(cosigner, &b->read,
		    b->network, e) == RC_OK && strcmp(cosigner,
		    b->cosigner) == 0 ? RC_OK : err_set(e, "another key");
	if (signer_public_of(&again, &b->read, s, e) != RC_OK)
		return RC_FAILED;
	if (strcmp(again.external, p->external) != 0 ||
	    strcmp(again.internal, p->internal) != 0)
		return err_set(e, "a key, but of another wallet");
	return RC_OK;
}

static enum rc
read_back(struct backup *b, const struct sign_settings *s,
    const struct signer_public *p, struct err *e)
{
	char	 said[1200];
	int	 i;

	for (i = 0; i < TRIES; i++) {
		if (type_back(b, e) != RC_OK)
			return RC_FAILED;
		if (prove(b, s, p, e) == RC_OK) {
			signer_secret_say("Proved: it gives the same wallet."
			    "\n");
			return RC_OK;
		}
		(void)snprintf(said, sizeof(said), "Not the backup: %s\n",
		    e->text);
		signer_secret_say(said);
	}
	return err_set(e, "the backup was not read back; no signer was made");
}

enum rc
signer_backup_make(const struct signer_options *o,
    const struct bip32_key *master, const struct sign_settings *s,
    const struct signer_public *p, struct err *e)
{
	struct backup	*b;
	enum rc		 rc = RC_OK;

	if (o->no_backup)
		return RC_OK;
	if (o->backup_to == NULL && !signer_secret_terminal())
		return err_set(e, "the backup is shown on a terminal, and "
		    "there is none; or --backup-to FILE");
	if ((b = secret_new(sizeof(*b))) == NULL)
		return err_set(e, "no memory for secrets");
	memset(b, 0, sizeof(*b));
	bip32_print(b->key, master, true);
	b->network = master->test ? NETWORK_TEST : NETWORK_MAIN;
	rc = s != NULL ? signer_descriptors(b->external, b->internal, master,
	    s, true, e) : signer_public_cosigner(b->cosigner, master,
	    b->network, e);
	if (rc == RC_OK && o->backup_to != NULL)
		rc = write_file(b, o->backup_to, e);
	else if (rc == RC_OK)
		write_terminal(b);
	if (rc == RC_OK)
		rc = read_back(b, s, p, e);
	secret_free(b, sizeof(*b));
	return rc;
}
