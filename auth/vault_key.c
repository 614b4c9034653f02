/*
 * Reads and makes master keys.
 *
 * The file of a passphrase's parameters:
 *	drawbridge passphrase 1
 *	argon2id13 OPS MEMORY SALT ID
 * with OPS and MEMORY (bytes) in decimal, SALT and the id of the key in hex.
 * It is no secret, but who can write it could ask for a weak or an endless
 * computation: both are bounded.
 */
#define _GNU_SOURCE
#include "auth/vault_key.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/apikey.h"
#include "auth/vault.h"
#include "lib/secret.h"

#define CONTEXT		"dbvault1"
#define ID_SUBKEY	200
#define DERIVE		"drawbridge master key 1\n"
#define SALT_LEN	crypto_pwhash_SALTBYTES
#define PARAMS_HEAD	"drawbridge passphrase 1\nargon2id13 "
#define PARAMS_MAX	256
#define OPS_MAX		16
#define MEMORY_MAX	((uint64_t)1 << 30)
#define PHRASE_MIN	12	/* bytes: less is no passphrase */

void
vault_key_id(unsigned char id[VAULT_ID_LEN],
    const unsigned char key[VAULT_KEY_LEN])
{
	unsigned char	 out[crypto_kdf_BYTES_MIN];

	(void)crypto_kdf_derive_from_key(out, sizeof(out), ID_SUBKEY,
	    CONTEXT, key);
	memcpy(id, out, VAULT_ID_LEN);
}

/* The 260 bits of the line as 256 of a key. */
static enum rc
from_line(unsigned char key[VAULT_KEY_LEN], struct text line, struct err *e)
{
	while (line.len > 0 && (line.p[line.len - 1] == '\n' ||
	    line.p[line.len - 1] == '\r'))
		line.len--;
	if (apikey_check(line) != APIKEY_MASTER)
		return err_set(e, "not a master key, or mistyped: one line, "
		    "dbm_ and 58 characters");
	(void)crypto_generichash(key, VAULT_KEY_LEN,
	    (const unsigned char *)line.p, line.len,
	    (const unsigned char *)DERIVE, strlen(DERIVE));
	return RC_OK;
}

enum rc
vault_key_line(unsigned char key[VAULT_KEY_LEN], struct text line,
    struct err *e)
{
	return from_line(key, line, e);
}

static bool
owner_of_folder(const char *path, uid_t uid)
{
	char		 folder[512];
	const char	*slash = strrchr(path, '/');
	struct stat	 st;

	if (slash == NULL)
		(void)snprintf(folder, sizeof(folder), ".");
	else if ((size_t)(slash - path) + 2 > sizeof(folder))
		return false;
	else
		(void)snprintf(folder, sizeof(folder), "%.*s/",
		    (int)(slash - path), path);
	return stat(folder, &st) == 0 && st.st_uid == uid;
}

/*
 * Whoever owns the folder could put another file there, so he may own this
 * one: it is the service's user while we are still root.  `others`: what
 * mode bits nobody may have; systemd's credentials show their access list as
 * the group's.
 */
static enum rc
check_file(int fd, const char *path, mode_t others, struct err *e)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1)
		return err_set(e, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, "not a file");
	if ((st.st_mode & others) != 0)
		return err_set(e, "mode %03o: others may read it; chmod 600",
		    (unsigned int)st.st_mode & 0777);
	if (st.st_uid != 0 && st.st_uid != geteuid() &&
	    !owner_of_folder(path, st.st_uid))
		return err_set(e, "it belongs to somebody else");
	return RC_OK;
}

/* At most room - 1 bytes and a NUL; fails when there are more. */
static enum rc
slurp(int fd, char *buf, size_t room, size_t *len_out, struct err *e)
{
	size_t	 len = 0;
	ssize_t	 n;

	for (;;) {
		n = read(fd, buf + len, room - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return err_set(e, "%s", strerror(errno));
		if (n == 0)
			break;
		len += (size_t)n;
		if (len == room)
			return err_set(e, "too long");
	}
	buf[len] = '\0';
	*len_out = len;
	return RC_OK;
}

static enum rc
from_file(unsigned char key[VAULT_KEY_LEN], const char *path, mode_t others,
    struct err *e)
{
	size_t	 room = APIKEY_MAX + 8, len = 0;
	char	*buf;
	enum rc	 rc;
	int	 fd;

	/* Not to hang where it is a pipe. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	if ((buf = secret_new(room)) == NULL)
		rc = err_set(e, "no locked memory");
	else if ((rc = check_file(fd, path, others, e)) == RC_OK &&
	    (rc = slurp(fd, buf, room, &len, e)) == RC_OK)
		rc = from_line(key, (struct text){ buf, len }, e);
	secret_free(buf, room);
	(void)close(fd);
	return err_wrap(e, rc, "%s", path);
}

static enum rc
from_credential(unsigned char key[VAULT_KEY_LEN], const char *name,
    struct err *e)
{
	const char	*folder = getenv("CREDENTIALS_DIRECTORY");
	char		 path[512];
	int		 n;

	if (folder == NULL || folder[0] != '/')
		return err_set(e, "credential %s: systemd gave none", name);
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return err_set(e, "credential %s: not a name", name);
	n = snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, "credential %s: too long", name);
	return from_file(key, path, 0007, e);
}

struct params {
	uint64_t	ops;
	uint64_t	memory;
	unsigned char	salt[SALT_LEN];
	unsigned char	id[VAULT_ID_LEN];
};

static enum rc
derive(unsigned char key[VAULT_KEY_LEN], const struct params *p,
    struct text phrase, struct err *e)
{
	if (phrase.p == NULL || phrase.len < PHRASE_MIN)
		return err_set(e, "a passphrase has %d bytes or more",
		    PHRASE_MIN);
	if (crypto_pwhash(key, VAULT_KEY_LEN, phrase.p, phrase.len, p->salt,
	    p->ops, (size_t)p->memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return err_set(e, "no memory for Argon2id: it takes %" PRIu64
		    " MiB", p->memory >> 20);
	return RC_OK;
}

/* Canonical: only what params_print() writes is read. */
static int
params_print(char out[PARAMS_MAX], const struct params *p)
{
	char	 salt[2 * SALT_LEN + 1], id[2 * VAULT_ID_LEN + 1];

	(void)sodium_bin2hex(salt, sizeof(salt), p->salt, SALT_LEN);
	(void)sodium_bin2hex(id, sizeof(id), p->id, VAULT_ID_LEN);
	return snprintf(out, PARAMS_MAX, PARAMS_HEAD "%" PRIu64 " %" PRIu64
	    " %s %s\n", p->ops, p->memory, salt, id);
}

static bool
params_parse(struct params *p, const char *text)
{
	char	 salt[2 * SALT_LEN + 1], id[2 * VAULT_ID_LEN + 1];
	char	 again[PARAMS_MAX];
	size_t	 n = 0, head = strlen(PARAMS_HEAD);

	if (strncmp(text, PARAMS_HEAD, head) != 0 ||
	    sscanf(text + head, "%" SCNu64 " %" SCNu64 " %32[0-9a-f] "
	    "%16[0-9a-f]", &p->ops, &p->memory, salt, id) != 4 ||
	    sodium_hex2bin(p->salt, SALT_LEN, salt, strlen(salt), NULL, &n,
	    NULL) != 0 || n != SALT_LEN ||
	    sodium_hex2bin(p->id, VAULT_ID_LEN, id, strlen(id), NULL, &n,
	    NULL) != 0 || n != VAULT_ID_LEN)
		return false;
	(void)params_print(again, p);
	return strcmp(again, text) == 0;
}

static enum rc
params_read(struct params *p, const char *path, struct err *e)
{
	char	 text[PARAMS_MAX];
	size_t	 len;
	enum rc	 rc;
	int	 fd;

	if (path == NULL || (fd = open(path, O_RDONLY | O_CLOEXEC |
	    O_NONBLOCK | O_NOCTTY)) == -1)
		return err_set(e, "%s", path == NULL ? "no file of parameters"
		    : strerror(errno));
	rc = slurp(fd, text, sizeof(text), &len, e);
	(void)close(fd);
	if (rc != RC_OK)
		return rc;
	if (strlen(text) != len || !params_parse(p, text))
		return err_set(e, "not the parameters of a passphrase");
	if (p->ops < crypto_pwhash_OPSLIMIT_MODERATE || p->ops > OPS_MAX ||
	    p->memory < crypto_pwhash_MEMLIMIT_MODERATE ||
	    p->memory > MEMORY_MAX)
		return err_set(e, "too weak or too costly");
	return RC_OK;
}

static enum rc
from_passphrase(unsigned char key[VAULT_KEY_LEN], const char *path,
    struct text phrase, struct err *e)
{
	struct params	 p;
	unsigned char	 id[VAULT_ID_LEN];
	enum rc		 rc;

	if ((rc = params_read(&p, path, e)) != RC_OK ||
	    (rc = derive(key, &p, phrase, e)) != RC_OK)
		return err_wrap(e, rc, "%s", path != NULL ? path :
		    "passphrase");
	vault_key_id(id, key);
	if (memcmp(id, p.id, VAULT_ID_LEN) != 0) {
		sodium_memzero(key, VAULT_KEY_LEN);
		return err_set(e, "%s: the passphrase is wrong", path);
	}
	return RC_OK;
}

enum rc
vault_key_read(unsigned char key[VAULT_KEY_LEN], const char *where,
    const char *params_path, struct text passphrase, struct err *e)
{
	if (strncmp(where, "file:", 5) == 0)
		return from_file(key, where + 5, 0077, e);
	if (strncmp(where, "credential:", 11) == 0)
		return from_credential(key, where + 11, e);
	if (strcmp(where, "passphrase") == 0)
		return from_passphrase(key, params_path, passphrase, e);
	return err_set(e, "`%s`: file:PATH, credential:NAME or passphrase",
	    where);
}

static enum rc
sync_folder(const char *path, struct err *e)
{
	char		 folder[512];
	const char	*slash = strrchr(path, '/');
	enum rc		 rc = RC_OK;
	int		 fd;

	(void)snprintf(folder, sizeof(folder), "%.*s", slash == NULL ? 1 :
	    (int)(slash - path) + 1, slash == NULL ? "." : path);
	if ((fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return err_set(e, "%s: %s", folder, strerror(errno));
	if (fsync(fd) == -1)
		rc = err_set(e, "%s: %s", folder, strerror(errno));
	(void)close(fd);
	return rc;
}

/* A new file, on disk, or none. */
static enum rc
write_new(const char *path, const char *text, size_t len, struct err *e)
{
	enum rc	 rc = RC_OK;
	int	 fd;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	errno = ENOSPC;		/* What a short write would have said next. */
	if (write(fd, text, len) != (ssize_t)len || fsync(fd) == -1)
		rc = err_set(e, "%s: %s", path, strerror(errno));
	if (close(fd) == -1 && rc == RC_OK)
		rc = err_set(e, "%s: %s", path, strerror(errno));
	if (rc == RC_OK)
		rc = sync_folder(path, e);
	if (rc != RC_OK)
		(void)unlink(path);
	return rc;
}

enum rc
vault_make_file(const char *path, struct err *e)
{
	char	*line = secret_new(APIKEY_MAX);
	size_t	 len;
	enum rc	 rc;

	if (line == NULL)
		return err_set(e, "master key: no locked memory");
	apikey_make(line, APIKEY_MASTER);
	len = strlen(line);
	line[len] = '\n';
	rc = write_new(path, line, len + 1, e);
	secret_free(line, APIKEY_MAX);
	return err_wrap(e, rc, "master key");
}

enum rc
vault_make_passphrase(const char *params_path, struct text passphrase,
    struct err *e)
{
	struct params	 p = { .ops = crypto_pwhash_OPSLIMIT_MODERATE,
		.memory = crypto_pwhash_MEMLIMIT_MODERATE };
	unsigned char	*key = secret_new(VAULT_KEY_LEN);
	char		 text[PARAMS_MAX];
	enum rc		 rc;

	if (key == NULL)
		return err_set(e, "master key: no locked memory");
	randombytes_buf(p.salt, sizeof(p.salt));
	if ((rc = derive(key, &p, passphrase, e)) == RC_OK) {
		vault_key_id(p.id, key);
		rc = write_new(params_path, text,
		    (size_t)params_print(text, &p), e);
	}
	secret_free(key, VAULT_KEY_LEN);
	return err_wrap(e, rc, "master key");
}
