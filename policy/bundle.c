/*
 * A policy and all that it reads, as bytes and back.
 *
 * Bundles come out of a journal, which may be damaged or made up: lengths
 * are checked before they are believed, and the loader treats what is inside
 * as it treats files.
 */
#include "policy/bundle.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "policy/bundle_in.h"
#include "wire/bytes.h"

#define MAGIC		"DBp1"
#define MAGIC_LEN	4
/* What the loader can open: tables, and four files for each (load.c). */
#define FILES_MAX	(6 * TABLES_MAX)
#define NAME_MAX_LEN	1023

/* The first file of that name; -1: none. */
static int
find_name(const struct policy *p, int n, const char *name)
{
	int	 i;

	for (i = 0; i < n; i++)
		if (strcmp(p->files[i], name) == 0)
			return i;
	return -1;
}

static enum rc
measure(const struct policy *p, size_t *len_out, int *n_out, struct err *e)
{
	size_t	 len = MAGIC_LEN + VARINT_MAX;
	int	 i, k, n = 0;

	for (i = 0; i < p->n_files; i++) {
		if (strlen(p->files[i]) > NAME_MAX_LEN)
			return err_set(e, "%.40s...: the path is longer than "
			    "%d bytes", p->files[i], NAME_MAX_LEN);
		k = find_name(p, i, p->files[i]);
		if (k != -1) {
			if (p->content_lens[k] != p->content_lens[i] ||
			    memcmp(p->contents[k], p->contents[i],
			    p->content_lens[i]) != 0)
				return err_set(e, "%s: it changed while the "
				    "policy was read", p->files[i]);
			continue;
		}
		n++;
		len += 2 * VARINT_MAX + strlen(p->files[i]) +
		    p->content_lens[i];
	}
	if (len > BUNDLE_LEN_MAX)
		return err_set(e, "larger than %zu MiB", BUNDLE_LEN_MAX >> 20);
	*len_out = len;
	*n_out = n;
	return RC_OK;
}

enum rc
policy_bundle(unsigned char **out, size_t *len_out, const struct policy *p,
    struct err *e)
{
	struct text	 content;
	unsigned char	*buf, *w;
	size_t		 room = MAGIC_LEN + VARINT_MAX;
	enum rc		 rc;
	int		 i, n = 0;

	*out = NULL;
	*len_out = 0;
	assert(p->n_files > 0);
	if ((rc = measure(p, &room, &n, e)) != RC_OK)
		return rc;
	if ((buf = malloc(room)) == NULL)
		return err_set(e, "not enough memory");
	memcpy(buf, MAGIC, MAGIC_LEN);
	w = put_varint(buf + MAGIC_LEN, (uint64_t)n);
	for (i = 0; i < p->n_files; i++) {
		if (find_name(p, i, p->files[i]) != -1)
			continue;
		content.p = p->contents[i];
		content.len = p->content_lens[i];
		w = put_text(w, text_of(p->files[i]));
		w = put_text(w, content);
	}
	assert((size_t)(w - buf) <= room);
	*out = buf;
	*len_out = (size_t)(w - buf);
	return RC_OK;
}

/* The head: how many files.  0: it is no bundle. */
static int
begin(struct bytes *b, const unsigned char *bytes, size_t len)
{
	struct text	 magic;
	uint64_t	 n;

	*b = bytes_of(bytes, len);
	magic = get_bytes(b, MAGIC_LEN);
	if (len > BUNDLE_LEN_MAX || b->bad ||
	    memcmp(magic.p, MAGIC, MAGIC_LEN) != 0)
		return 0;
	n = get_varint(b);
	return b->bad || n > FILES_MAX ? 0 : (int)n;
}

/* One file; false: not a bundle's. */
static bool
next(struct bytes *b, struct text *name, struct text *content)
{
	*name = get_text(b, NAME_MAX_LEN);
	*content = get_text(b, BUNDLE_LEN_MAX);
	return !b->bad && name->len > 0 &&
	    memchr(name->p, '\0', name->len) == NULL;
}

static enum rc
open_files(struct bundle *b, struct bytes *in, int n, struct err *e)
{
	struct text	 name, content;
	int		 i, k;

	for (i = 0; i < n; i++) {
		if (!next(in, &name, &content))
			return err_set(e, "not a bundle of files: file %d "
			    "is damaged", i + 1);
		for (k = 0; k < i; k++)
			if (strlen(b->files[k].name) == name.len &&
			    memcmp(b->files[k].name, name.p, name.len) == 0)
				return err_set(e, "not a bundle of files: "
				    "file %d is there twice", i + 1);
		b->files[i].name = strndup(name.p, name.len);
		if (b->files[i].name == NULL)
			return err_set(e, "not enough memory");
		b->files[i].text = content.p;
		b->files[i].len = content.len;
		b->n_files++;
	}
	if (bytes_left(in) != 0)
		return err_set(e, "not a bundle of files: something follows "
		    "the last");
	return RC_OK;
}

enum rc
bundle_open(struct bundle *b, const unsigned char *bytes, size_t len,
    struct err *e)
{
	struct bytes	 in;
	enum rc		 rc;
	int		 n;

	memset(b, 0, sizeof(*b));
	if ((n = begin(&in, bytes, len)) == 0)
		return err_set(e, "not a bundle of files");
	if ((b->files = calloc((size_t)n, sizeof(*b->files))) == NULL)
		return err_set(e, "not enough memory");
	if ((rc = open_files(b, &in, n, e)) != RC_OK)
		bundle_close(b);
	return rc;
}

void
bundle_close(struct bundle *b)
{
	int	 i;

	for (i = 0; i < b->n_files; i++)
		free(b->files[i].name);
	free(b->files);
	memset(b, 0, sizeof(*b));
}

enum rc
bundle_find(struct bundle *b, const char *name, const char **text,
    size_t *len, struct err *e)
{
	int	 i;

	for (i = 0; i < b->n_files; i++)
		if (strcmp(b->files[i].name, name) == 0)
			break;
	if (i == b->n_files)
		return err_set(e, "not in the bundle");
	if (i > b->n_used)
		return err_set(e, "the bundle is not in the order in which "
		    "files are read");
	b->n_used += i == b->n_used;
	*text = b->files[i].text;
	*len = b->files[i].len;
	return RC_OK;
}

bool
bundle_used_up(const struct bundle *b)
{
	return b->n_used == b->n_files;
}

static void
hash_text(crypto_hash_sha256_state *st, struct text t)
{
	unsigned char	 len[VARINT_MAX];

	(void)crypto_hash_sha256_update(st, len,
	    (size_t)(put_varint(len, t.len) - len));
	if (t.len > 0)
		(void)crypto_hash_sha256_update(st,
		    (const unsigned char *)t.p, t.len);
}

/* How much of a main file's name is its folder, with the slash. */
static size_t
folder_len(struct text name)
{
	while (name.len > 0 && name.p[name.len - 1] != '/')
		name.len--;
	return name.len;
}

void
policy_bundle_hash(unsigned char out[32], const unsigned char *bundle,
    size_t len)
{
	crypto_hash_sha256_state st;
	struct bytes	 b;
	struct text	 name, content, folder = { NULL, 0 };
	int		 i, n = begin(&b, bundle, len);

	(void)crypto_hash_sha256_init(&st);
	(void)crypto_hash_sha256_update(&st, (const unsigned char *)MAGIC,
	    MAGIC_LEN);
	for (i = 0; i < n && next(&b, &name, &content); i++) {
		if (i == 0) {
			folder = name;
			folder.len = folder_len(name);
		}
		if (name.len > folder.len && folder.len > 0 &&
		    memcmp(name.p, folder.p, folder.len) == 0) {
			name.p += folder.len;
			name.len -= folder.len;
		}
		hash_text(&st, name);
		hash_text(&st, content);
	}
	if (n == 0 || i < n || bytes_left(&b) != 0)
		(void)crypto_hash_sha256(out, bundle, len);
	else
		(void)crypto_hash_sha256_final(&st, out);
}

const char *
policy_bundle_name(const unsigned char *bundle, size_t len, char *buf,
    size_t buf_len)
{
	struct bytes	 b;
	struct text	 name, content;

	if (begin(&b, bundle, len) == 0 || !next(&b, &name, &content))
		name = text_of("?");
	(void)snprintf(buf, buf_len, "%.*s", (int)name.len, name.p);
	return buf;
}
