/*
 * Files that appear whole or not at all.
 *
 * They are written under another name, PATH.tmp, which its writer holds
 * locked: what is not locked was left by a crash and may be taken over.
 * Nothing else is written durably but by the store itself.
 */
#ifndef DB_FILE_H
#define DB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/*
 * Make PATH.tmp, empty, mode 0600, locked by its descriptor.  Fails when
 * another process is writing it.
 */
enum rc file_begin(int *fd_out, const char *path, struct err *e) MUST_CHECK;
/*
 * Sync it, give it its name and sync the folder; `replace`: also when there
 * is one of this name.  Closes *fd and sets it to -1.  When it fails nothing of
 * it is left, unless it was the folder's sync: then it may be there.
 */
enum rc file_commit(int *fd, const char *path, bool replace, struct err *e)
    MUST_CHECK;
/* Remove PATH.tmp and close. */
void file_discard(int *fd, const char *path);
/* Remove the file `tmp` unless a living process writes it. */
enum rc file_sweep(const char *tmp, struct err *e) MUST_CHECK;

/* All of it, or a reason; a file that ends too early is one. */
enum rc file_write(int fd, const void *bytes, size_t len, uint64_t offset,
    const char *path, struct err *e) MUST_CHECK;
enum rc file_read(int fd, void *bytes, size_t len, uint64_t offset,
    const char *path, struct err *e) MUST_CHECK;

/* Sync the folder in which `path` lies: a new name is durable after it. */
enum rc file_sync_folder(const char *path, struct err *e) MUST_CHECK;

/*
 * Between processes, and between two descriptors of one.  `wait` false:
 * fails with "in use".  Closing the descriptor unlocks.
 */
enum file_lock {
	FILE_SHARED,
	FILE_ALONE,
};
enum rc file_lock(int fd, enum file_lock how, bool wait, const char *path,
    struct err *e) MUST_CHECK;
void file_unlock(int fd);

#endif
