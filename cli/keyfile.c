/*
 * Operators' keys as files.
 */
#include "cli/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_HEAD	"drawbridge-operator-key-1 "
#define PUBLIC_HEAD	"drawbridge-operator-public-1 "
#define LINE_MAX_	160
#define SEED_LEN	32

static enum rc
write_line(const char *path, mode_t mode, const char *head,
    const unsigned char key[SEED_LEN], bool demo, struct err *e)
{
	char	 hex[2 * SEED_LEN + 1], line[LINE_MAX_];
	int	 fd, len;
	bool	 ok;

	(void)sodium_bin2hex(hex, sizeof(hex), key, SEED_LEN);
	len = snprintf(line, sizeof(line), "%s%s%s\n", head, hex,
	    demo ? " demo" : "");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd == -1) {
		sodium_memzero(line, sizeof(line));
		return err_set(e, "%s: %s", path, strerror(errno));
	}
	ok = write(fd, line, (size_t)len) == len && fsync(fd) == 0;
	if (!ok)
		(void)err_set(e, "%s: %s", path, strerror(errno));
	(void)close(fd);
	sodium_memzero(line, sizeof(line));
	sodium_memzero(hex, sizeof(hex));
	if (!ok)
		(void)unlink(path);
	return ok ? RC_OK : RC_FAILED;
}

enum rc
keyfile_make(const char *path, bool demo, struct err *e)
{
	unsigned char	 seed[SEED_LEN], public_key[32], secret[64];
	char		 beside[4096];
	enum rc		 rc;

	if (sodium_init() < 0)
		return err_set(e, "libsodium does not start");
	if (snprintf(beside, sizeof(beside), "%s.pub", path) >=
	    (int)sizeof(beside))
		return err_set(e, "%s: too long", path);
	randombytes_buf(seed, sizeof(seed));
	(void)crypto_sign_seed_keypair(public_key, secret, seed);
	rc = write_line(path, 0600, SECRET_HEAD, seed, demo, e);
	if (rc == RC_OK && (rc = write_line(beside, 0644, PUBLIC_HEAD,
	    public_key, demo, e)) != RC_OK)
		(void)unlink(path);
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(secret, sizeof(secret));
	return rc;
}

static bool
hex_of(unsigned char out[SEED_LEN], const char *hex, size_t len)
{
	size_t	 n;

	return len == 2 * SEED_LEN && sodium_hex2bin(out, SEED_LEN, hex, len,
	    NULL, &n, NULL) == 0 && n == SEED_LEN;
}

/* After the head: the hex, and whether it is marked. */
static bool
line_of(unsigned char out[SEED_LEN], bool *demo, const char *line,
    const char *head)
{
	const char	*p = line + strlen(head);
	size_t		 len;

	if (strncmp(line, head, strlen(head)) != 0)
		return false;
	len = strcspn(p, " \n");
	*demo = strcmp(p + len, " demo\n") == 0;
	return (*demo || strcmp(p + len, "\n") == 0) && hex_of(out, p, len);
}

static enum rc
read_file(char line[LINE_MAX_], mode_t *mode, const char *path,
    struct err *e)
{
	struct stat	 st;
	ssize_t		 n = -1;
	int		 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    fstat(fd, &st) == -1 ||
	    (n = read(fd, line, LINE_MAX_ - 1)) == -1) {
		(void)err_set(e, "%s: %s", path, strerror(errno));
		if (fd != -1)
			(void)close(fd);
		return RC_FAILED;
	}
	(void)close(fd);
	line[n] = '\0';
	*mode = st.st_mode;
	return RC_OK;
}

enum rc
keyfile_load(struct keyfile *out, const char *path, struct err *e)
{
	unsigned char	 seed[SEED_LEN];
	char		 line[LINE_MAX_];
	mode_t		 mode = 0;
	enum rc		 rc;

	memset(out, 0, sizeof(*out));
	if ((rc = read_file(line, &mode, path, e)) != RC_OK)
		return rc;
	if ((mode & 077) != 0)
		rc = err_set(e, "%s: others may read it; chmod 600", path);
	else if (!line_of(seed, &out->demo, line, SECRET_HEAD))
		rc = err_set(e, "%s: not an operator's key", path);
	else
		(void)crypto_sign_seed_keypair(out->public_key, out->secret,
		    seed);
	sodium_memzero(line, sizeof(line));
	sodium_memzero(seed, sizeof(seed));
	return rc;
}

enum rc
keyfile_public(struct keyfile *out, const char *path, struct err *e)
{
	char	 line[LINE_MAX_];
	mode_t	 mode;
	enum rc	 rc;

	memset(out, 0, sizeof(*out));
	if (hex_of(out->public_key, path, strlen(path)))
		return RC_OK;
	if ((rc = read_file(line, &mode, path, e)) != RC_OK)
		return rc;
	if (line_of(out->public_key, &out->demo, line, PUBLIC_HEAD))
		return RC_OK;
	sodium_memzero(line, sizeof(line));
	rc = keyfile_load(out, path, e);
	sodium_memzero(out->secret, sizeof(out->secret));
	return rc;
}

void
keyfile_wipe(struct keyfile *k)
{
	sodium_memzero(k, sizeof(*k));
}
