/*
 * A backup: a folder with a database, its keyring, at most one snapshot, and
 * a manifest, which names every file with its length and SHA-256 and has the
 * head of the journal, signed by the engine's key.
 *
 *	drawbridge-backup-1
 *	head drawbridge-head-1 ...
 *	file SHA256 BYTES NAME
 *	...
 *	end SHA256 of all lines above
 */
#ifndef CLI_MANIFEST_H
#define CLI_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/head.h"
#include "lib/err.h"

#define MANIFEST_NAME	"manifest"
#define MANIFEST_DB	"journal.db"
#define MANIFEST_KEYS	"journal.db.keys"
#define MANIFEST_SNAPSHOTS "journal.db.snapshots"
#define MANIFEST_FILES_MAX 3
#define MANIFEST_NAME_MAX 64

struct manifest_file {
	char		name[MANIFEST_NAME_MAX];
	uint64_t	bytes;
	unsigned char	sha256[32];
};

struct manifest {
	struct head	head;
	struct manifest_file files[MANIFEST_FILES_MAX];
	int		n_files;
	unsigned char	sha256[32];	/* of its own lines */
};

/* FOLDER/manifest, durable. */
enum rc manifest_write(struct manifest *m, const char *folder,
    struct err *e) MUST_CHECK;
/* Strict: nothing but what manifest_write() writes, and only names that a
 * backup has. */
enum rc manifest_read(struct manifest *out, const char *folder,
    struct err *e) MUST_CHECK;

/*
 * Read a whole file, as it lies on the disk rather than in memory where that
 * can be had, and hash it; `to` not NULL: and copy it there, durably.
 */
enum rc manifest_hash(struct manifest_file *out, const char *path,
    const char *to, void (*progress)(void *ctx, uint64_t done,
    uint64_t total), void *ctx, struct err *e) MUST_CHECK;

/* "FOLDER/NAME"; fails when that is too long. */
enum rc manifest_path(char *buf, size_t room, const char *folder,
    const char *name, struct err *e) MUST_CHECK;

/* Remove a working folder, its files and its snapshots' folder. */
enum rc manifest_wipe(const char *folder, struct err *e) MUST_CHECK;

#endif
