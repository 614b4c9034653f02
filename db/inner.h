/*
 * What the files of the store share, and nobody else sees.
 *
 * An implementation begins its own struct with a struct db and fills in a
 * struct db_ops; db.c keeps the promises that all of them make (a db that
 * failed takes no more rows, numbers ascend).
 */
#ifndef DB_INNER_H
#define DB_INNER_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/db.h"

/* "DBj1", at a fixed place of the file's header (sqlite.org/fileformat2). */
#define SQLITE_OURS_ID	0x44426a31
#define SQLITE_OURS	1
/* The log's length in pages, but for what is appended while it ends. */
#ifndef LOG_PAGES
#define LOG_PAGES	4096
#endif

struct db_ops {
	void	(*close)(struct db *db);
	enum rc	(*append)(struct db *db, uint64_t seq,
		    const unsigned char *row, size_t len, struct err *e);
	enum rc	(*last)(struct db *db, uint64_t *seq_out, struct err *e);
	enum rc	(*find)(struct db *db, uint64_t seq, uint64_t *row_out,
		    struct err *e);
	enum rc	(*walk)(struct db *db, uint64_t from, struct err *e);
	enum rc	(*next)(struct db *db, uint64_t *seq_out,
		    const unsigned char **row_out, size_t *len_out,
		    struct err *e);
	uint64_t (*bytes)(struct db *db);
	void	(*stats)(struct db *db, struct db_stats *out);
};

struct db {
	const struct db_ops	*ops;
	enum db_mode		 mode;
	bool			 spent;	/* an append failed: no more */
	uint64_t		 last;	/* the last row appended; 0: not yet */
	uint64_t		 stop;	/* db_stop_at(); 0: nowhere */
	char			*name;	/* as the caller wrote it */
	char			*path;	/* absolute, without symbolic links */
	char			*keyring;
	char			*snapshots;
};

/* db.c: path + suffix, malloced; NULL and a reason without memory. */
char *db_join(const char *path, const char *suffix, struct err *e);
/* Make what was renamed or created in the folder of `path` durable. */
enum rc db_sync_folder(const char *path, struct err *e) MUST_CHECK;

/*
 * lock.c: one engine a database.  The lock is an open file description's
 * (F_OFD_SETLK): it ends with the process, however that ends, and closing
 * another descriptor of the file does not give it up.
 */
/* `name` is for the sentence; *made_out: the file is new.  *fd_out must be
 * given back; only who holds the lock may remove the file. */
enum rc lock_take(int *fd_out, const char *path, const char *name,
    bool *made_out, struct err *e) MUST_CHECK;
void lock_give(int *fd);
/* Does an engine hold it now?  Creates nothing. */
bool lock_held(const char *path);

/*
 * checkpoint.c: moves rows from the log into the database, on a thread and a
 * connection of its own.
 */
struct checkpoint;
/* page_len: what a page takes in the log. */
enum rc checkpoint_start(struct checkpoint **out, const char *path,
    int page_len, struct err *e) MUST_CHECK;
/* Waits for what runs.  False: one failed, and there must be no other. */
bool checkpoint_stop(struct checkpoint **c);
/*
 * The appending thread's side: between enter and leave it may write.  enter
 * waits when the log must get to its end.  RC_FAILED: a checkpoint failed;
 * what the kernel forgot of it is still in the log, and only a new process
 * may try again.
 */
enum rc checkpoint_enter(struct checkpoint *c, struct err *e) MUST_CHECK;
void checkpoint_leave(struct checkpoint *c);
/* The log now has that many pages. */
void checkpoint_log(struct checkpoint *c, int pages);
uint64_t checkpoint_count(struct checkpoint *c);

/* Rows read ahead, so that no read lock outlives a call. */
struct walk_row {
	uint64_t	seq;
	size_t		at;
	size_t		len;
};

struct walk {
	uint64_t	 from;		/* the next to read */
	unsigned char	*bytes;
	size_t		 len, room;
	struct walk_row	*rows;
	size_t		 n, i;
	bool		 on;
};

struct sqlite {
	struct db		 db;
	sqlite3			*conn;
	sqlite3_stmt		*insert;
	sqlite3_stmt		*last;
	sqlite3_stmt		*find;
	sqlite3_stmt		*scan;
	sqlite3_stmt		*pages;
	struct checkpoint	*checkpoint;
	struct walk		 walk;
	int			 lock;		/* -1: not held */
	bool			 made_log;	/* a reader that found none */
	int			 page_size;
	uint64_t		 appends;
	_Atomic int		 log_pages;
};

/* sqlite.c */
extern const struct db_ops sqlite_ops;
/* A sentence for an SQLite error; always RC_FAILED. */
enum rc sqlite_err(struct err *e, sqlite3 *conn, int code, const char *name);
enum rc sqlite_exec(sqlite3 *conn, const char *sql, const char *name,
    struct err *e) MUST_CHECK;
void sqlite_close(struct db *db);

/* sqlite_open.c; takes over the strings of *base, also on failure. */
enum rc sqlite_open(struct db **out, const struct db *base, struct err *e)
    MUST_CHECK;
/* A new database under a name of its own, for many rows at once; what is
 * there of that name goes. */
enum rc sqlite_make(sqlite3 **out, const char *tmp, struct err *e)
    MUST_CHECK;
/* Close, sync, rename to path, which must not exist. */
enum rc sqlite_made(sqlite3 **conn, const char *tmp, const char *path,
    struct err *e) MUST_CHECK;
/* Give up: remove it. */
void sqlite_unmake(sqlite3 **conn, const char *tmp);

/* sqlite_walk.c */
enum rc sqlite_walk(struct db *db, uint64_t from, struct err *e) MUST_CHECK;
enum rc sqlite_next(struct db *db, uint64_t *seq_out,
    const unsigned char **row_out, size_t *len_out, struct err *e)
    MUST_CHECK;
void sqlite_walk_free(struct walk *w);

#endif
