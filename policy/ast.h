/*
 * A policy as it was written: the tree that `check --print` prints, the
 * warnings reason about and `check --against` compares.  policy_load() makes
 * it; program.h is the same policy made ready for the engine.
 *
 * Names are kept (a `let` is not expanded here), so that printing gives back
 * what a person wrote.  Everything hangs off one struct policy and is freed
 * with it; nothing here is shared between two policies.
 */
#ifndef POLICY_AST_H
#define POLICY_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/err.h"
#include "policy/words.h"

/* Where something stands.  Lines and columns count from 1, columns in
 * characters with a tab as one. */
struct pos {
	int	 file;		/* index into policy.files */
	int	 line;
	int	 col;
	int	 len;		/* what the caret underlines; at least 1 */
};

enum quantity_kind {
	Q_CONST,		/* value, of .type */
	Q_SHARE,		/* .ppm of hot or fund; type AMOUNT */
	Q_FACT,
	Q_DECLARED,		/* .index of a declared fact */
	Q_AGG,
	Q_NAME,			/* .index of a let */
};

struct quantity {
	enum quantity_kind kind;
	struct pos	 pos;
	enum type	 type;
	int64_t		 times;		/* `3 x habit`; 1 when not written */
	int64_t		 value;		/* Q_CONST: sat, number or ms */
	int64_t		 ppm;		/* Q_SHARE: 4 % = 40000 */
	bool		 of_fund;	/* Q_SHARE: of the fund, not of hot */
	enum fact	 fact;
	int		 index;
	struct agg	 agg;
};

/* `[busy] normal by P % [plus Q] until learnt Q` (S39, S40). */
struct line {
	bool		 busy;
	int64_t		 by_ppm;
	bool		 has_plus;
	struct quantity	 plus;		/* Q_CONST or Q_SHARE */
	struct quantity	 learnt;	/* Q_CONST or Q_SHARE */
};

enum cond_kind {
	COND_OR,
	COND_AND,
	COND_NOT,		/* one kid */
	COND_COMPARE,		/* left rel right, or left rel line */
	COND_FLAG,		/* left is a flag: fact or declared */
	COND_IN,		/* subject in table */
	COND_CLASS,		/* .index of a class */
	COND_FRAUD,		/* confirmed fraud in .window_ms */
};

enum in_subject { IN_DESTINATION, IN_ACCOUNT, IN_IP, IN_GROUP };

struct cond {
	enum cond_kind	 kind;
	struct pos	 pos;
	bool		 parens;	/* written in parentheses (W8) */
	struct cond	**kids;
	int		 n_kids;
	struct quantity	 left;
	enum relop	 rel;
	bool		 is_line;
	struct quantity	 right;
	int64_t		 less_ppm;	/* `less up to P %`, 0 for none */
	struct line	 line;
	enum in_subject	 subject;
	int		 index;		/* table or class */
	int64_t		 window_ms;
};

enum lot_kind { LOT_NONE, LOT_IN, LOT_PER };

struct rule {
	struct pos	 pos;
	bool		 shadow;
	enum verdict	 verdict;
	int64_t		 delay_ms;	/* VERDICT_DELAY */
	int		 people;	/* VERDICT_HOLD: M, 1 if not written */
	enum lot_kind	 lot;
	int64_t		 lot_in;	/* LOT_IN */
	struct quantity	 lot_per;	/* LOT_PER: Q_CONST or Q_SHARE */
	char		*name;		/* NULL when it has none */
	struct cond	*cond;		/* NULL: always */
	int64_t		 until_day;	/* civil day, INT64_MAX for none */
};

struct let {
	struct pos	 pos;
	char		*name;
	struct quantity	 q;
};

struct class {
	struct pos	 pos;
	char		*name;
	struct cond	*cond;		/* NULL for the built-in ones */
};

struct exempt {
	struct pos	 pos;
	char		*name;
	int		*rules;		/* indices into policy.rules */
	int		 n_rules;
	struct cond	*cond;
	int64_t		 upto_sat;
	int64_t		 upto_ms;
	int64_t		 count;		/* 0 for none */
	int64_t		 count_ms;
	int64_t		 until_day;
};

struct ceiling {
	struct pos	 pos;
	struct quantity	 limit;		/* Q_CONST or Q_SHARE */
	int64_t		 window_ms;
	int64_t		 each_sat;	/* 0 for none */
};

enum table_kind { TABLE_ADDRESSES, TABLE_ACCOUNTS, TABLE_NETWORKS,
	TABLE_GROUPS };

/*
 * One row.  Addresses: `script`.  Networks: `ip` (IPv4 mapped into IPv6) and
 * `bits` of 128.  Groups: a row of accounts belongs to group number `group`.
 */
struct table_row {
	struct pos	 pos;
	char		*text;		/* as written */
	unsigned char	 script[42];
	int		 script_len;
	unsigned char	 ip[16];
	int		 bits;
	int		 group;
};

struct table {
	struct pos	 pos;
	char		*name;
	enum table_kind	 kind;
	char		*path;		/* `file "..."`, or NULL */
	struct table_row *rows;
	size_t		 n_rows;
	uint64_t	 digest;	/* of the rows, for --against */
};

struct declared {
	struct pos	 pos;
	char		*name;
	enum type	 type;
	int64_t		 unknown;
};

enum policy_mode { MODE_ENFORCE, MODE_ADVISE, MODE_OBSERVE };

struct trust {
	bool		 given;
	struct pos	 pos;
	int64_t		 after_ms;	/* Q */
	int64_t		 full_ms;	/* F */
	int64_t		 used_ms;
	int64_t		 upto_sat;	/* C */
	int64_t		 upto_ppm;	/* C as a share of hot, else 0 */
};

/* Everything `set` can say, at its default when not said. */
struct settings {
	int64_t		 hold_expiry_ms;	/* expiry of holds, 7d */
	int64_t		 code_expiry_ms;	/* expiry of codes, 15m */
	int64_t		 exemptions_ppm;	/* exemptions upto P % of hot */
	bool		 exemptions_given;
	int64_t		 growth_ppm;		/* growth P %, a day; 1 % */
	int64_t		 hot_max_sat;		/* hot at most A; 0 none */
	bool		 ledger_external;	/* ledger external */
	int64_t		 trust_listed_day;	/* trust listed until D */
	int64_t		 trust_listed_sat;	/*   upto A */
	int		 buckets;		/* buckets N; 0 = S15's */
	struct { int64_t window_ms; int n; } buckets_for[8];
	int		 n_buckets_for;		/* buckets N for DUR */
	int64_t		 cap_accounts;		/* capacity NAME N */
	int64_t		 cap_keys;
	int64_t		 cap_pairs;
	int64_t		 cap_destinations;
	int64_t		 cap_waiting;
	int64_t		 cap_withdrawals;
	int64_t		 cap_networks;		/* ip and ip6 scopes */
	int64_t		 cap_groups;		/* partners and groups */
};

/* For printing in order: what each statement of the file was. */
enum stmt_kind { STMT_DEFAULT, STMT_INCLUDE, STMT_SET, STMT_MODE,
	STMT_DECLARE, STMT_UNKNOWN, STMT_TABLE, STMT_TRUST, STMT_LET,
	STMT_CLASS, STMT_RULE, STMT_EXEMPT, STMT_CEILING };

struct stmt {
	enum stmt_kind	 kind;
	struct pos	 pos;
	int		 index;		/* into that kind's array */
	char		*text;		/* STMT_SET, STMT_INCLUDE: canonical */
};

struct policy {
	char		**files;	/* paths as opened, [0] the main one */
	int		 n_files;
	char		**sources;	/* their bytes, for carets; NULL: a
					 * table's, which nobody quotes */
	size_t		*source_lens;
	const char	**contents;	/* their bytes as they were read */
	size_t		*content_lens;
	struct stmt	*stmts;
	int		 n_stmts;
	enum verdict	 dflt;		/* ALLOW, HOLD or DENY */
	enum policy_mode mode;
	int64_t		 enforce_above_sat;	/* 0: everything */
	struct settings	 set;
	struct trust	 trust;
	int64_t		 unknown[FACT__COUNT];	/* S21: what absent means */
	bool		 unknown_given[FACT__COUNT];
	struct declared	*declared;	int n_declared;
	struct table	*tables;	int n_tables;
	struct let	*lets;		int n_lets;
	struct class	*classes;	int n_classes; /* [0] proven [1] busy */
	struct rule	*rules;		int n_rules;
	struct exempt	*exempts;	int n_exempts;
	struct ceiling	*ceilings;	int n_ceilings;
};

/*
 * Load a policy and everything it includes.  On success *out is owned by the
 * caller.  On failure nothing is loaded, every error found has been written
 * to `diag` (file:line:col: error: text, the line, a caret; plain text), the
 * last line says how many, and e carries a one-line summary.  Paths in the
 * file are relative to the file that names them.
 */
enum rc policy_load(struct policy **out, const char *path, FILE *diag,
    struct err *e) MUST_CHECK;

/* The same from memory; `path` is for messages and relative names. */
enum rc policy_load_text(struct policy **out, const char *path,
    const char *text, size_t len, FILE *diag, struct err *e) MUST_CHECK;

void policy_free(struct policy **p);

/* The canonical form; parsing it gives an equal policy. */
void policy_print(const struct policy *p, FILE *out);

/* "FILE:LINE" of a position.  Returns buf. */
const char *policy_where(const struct policy *p, struct pos pos, char *buf,
    size_t buf_len);

/* A rule's name, or "FILE:LINE" when it has none.  Returns buf or the name. */
const char *policy_rule_name(const struct policy *p, int rule, char *buf,
    size_t buf_len);

#endif
