/*
 * What scanner, grammar and resolver share while one policy is read.  Inside
 * of policy/ only; the rest of the program sees ast.h.
 */
#ifndef POLICY_PARSE_H
#define POLICY_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ast.h"
#include "policy/diag.h"
#include "policy/mem.h"

struct scan;
struct bundle;

/* A token's text: `len` bytes that live as long as the policy. */
struct tok {
	struct pos	 pos;
	const char	*text;
	int		 fact;		/* FACT: enum fact */
	enum agg_scope	 scope;		/* IP_SCOPE */
	int		 prefix;
};

/* Something that may have gone wrong; then an error has been said. */
struct qval {
	struct quantity	 q;
	bool		 bad;
};

struct lineval {
	struct line	 line;
	struct pos	 pos;
	bool		 bad;
};

/* A number with its decimals: digits / 10^scale. */
struct numval {
	struct pos	 pos;
	int64_t		 value;
	bool		 bad;
};

enum name_kind { NAME_LET, NAME_CLASS, NAME_DECLARED };

struct name {
	char		*text;
	enum name_kind	 kind;
	struct pos	 pos;
	int		 index;
	/* It is being defined: whoever names it now is circular (S14). */
	bool		 open;
	/* Its definition was wrong; using it is not a second mistake. */
	bool		 broken;
};

/* A label that an exemption names; looked up at the end. */
struct label {
	struct pos	 pos;
	char		*text;
	int		 exempt;
};

enum set_key {
	SET_EXPIRY_HOLDS, SET_EXPIRY_CODES, SET_EXEMPTIONS, SET_GROWTH,
	SET_HOT, SET_LEDGER, SET_TRUST_LISTED, SET_BUCKETS, SET_BUCKETS_FOR,
	SET_CAP_ACCOUNTS, SET_CAP_KEYS, SET_CAP_PAIRS, SET_CAP_DESTINATIONS,
	SET_CAP_WAITING, SET_CAP_WITHDRAWALS, SET_CAP_NETWORKS,
	SET_CAP_GROUPS, SET__COUNT
};

#define INCLUDES_MAX	16	/* files in one policy */
#define LETS_MAX	128
#define EXEMPTS_MAX	48
#define PARENS_MAX	24	/* conditions within conditions */
#define NAME_LEN_MAX	60
#define ERRORS_MAX	200	/* then the rest is not read */

struct parse {
	struct policy	*p;
	struct arena	*arena;
	struct diag	*d;
	struct scan	*scan;
	bool		 files_allowed;
	struct bundle	*bundle;	/* read from here, open no file */
	size_t		 bytes_read;	/* of all files */
	struct name	*names;
	int		 n_names;
	struct label	*labels;
	int		 n_labels;
	int		 n_newtables;
	int		 depth;		/* of parentheses */
	int		 include_depth;
	int		 include_stack[INCLUDES_MAX];
	int		 n_stmts_here;	/* of the file being read */
	struct pos	 default_pos, mode_pos, set_pos[SET__COUNT];
	bool		 has_default, has_mode, has_set[SET__COUNT];
	bool		 has_policy;
	bool		 tried_default;	/* the word was there */
	bool		 gave_up;	/* after ERRORS_MAX */
};

/* policy/load.c */
void load_include(struct parse *ps, const struct tok *file);
void load_table_file(struct parse *ps, struct table *t,
    const struct tok *file);

/* policy/table.c: one row as written; says what is wrong with it. */
void table_add(struct parse *ps, struct table *t, struct pos pos,
    const char *text, size_t len);
/* When all rows are there: sort, digest, one account in one group. */
void table_finish(struct parse *ps, struct table *t);

/* Too many errors: says so, once; the rest is not worth reading. */
bool parse_too_much(struct parse *ps);

/* The part of the source at pos, as the person wrote it. */
const char *parse_quote(struct parse *ps, struct pos pos, char *buf,
    size_t buf_len);

#endif
