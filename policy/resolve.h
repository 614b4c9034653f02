/*
 * Meaning: what the grammar's actions build the tree with.  Each function
 * takes what was read, checks names and types, says what is wrong and returns
 * a piece of the tree, or one marked bad (a NULL condition, .bad), which
 * makes all that contains it bad without another message.
 */
#ifndef POLICY_RESOLVE_H
#define POLICY_RESOLVE_H

#include "policy/parse.h"

/* Numbers. */
struct numval num_int(struct parse *ps, const struct tok *t, int64_t min,
    int64_t max);
struct numval num_percent(struct parse *ps, const struct tok *t);
struct numval num_btc(struct parse *ps, const struct tok *t);
struct numval num_sat(struct parse *ps, const struct tok *t);
struct numval num_duration(struct parse *ps, const struct tok *t);
struct numval num_date(struct parse *ps, const struct tok *t);
/* A span between a second and 90 days, for windows, waits and the like. */
struct numval num_window(struct parse *ps, const struct tok *t);

/* Quantities. */
struct qval q_const(struct pos pos, enum type type, struct numval n);
struct qval q_share(struct pos pos, struct numval n, bool of_fund);
struct qval q_share_of_what(struct parse *ps, struct pos pos);
struct qval q_fact(struct pos pos, enum fact fact);
struct qval q_name(struct parse *ps, const struct tok *t);
struct qval q_times(struct parse *ps, struct pos pos, struct numval times,
    struct qval q);
struct qval q_bad(struct pos pos);
struct qval q_agg(struct parse *ps, struct pos pos, struct agg what,
    struct agg where, struct numval window, struct agg of);
/* `of [not] NAME`: fills cls and cls_not; cls -2 when bad. */
struct agg agg_class(struct parse *ps, const struct tok *name, bool neg);
struct agg agg_group_table(struct parse *ps, const struct tok *table);
struct agg agg_ip(struct parse *ps, const struct tok *ip);

/* Conditions; NULL is a bad one. */
struct cond *cond_join(struct parse *ps, struct pos pos, enum cond_kind kind,
    struct cond *a, struct cond *b);
struct cond *cond_not(struct parse *ps, struct pos pos, struct cond *a);
struct cond *cond_parens(struct parse *ps, struct pos pos, struct cond *a);
struct cond *cond_flag(struct parse *ps, struct pos pos, struct qval q);
struct cond *cond_name(struct parse *ps, const struct tok *t);
struct cond *cond_in(struct parse *ps, struct pos pos, enum in_subject what,
    const struct tok *table);
struct cond *cond_fraud(struct parse *ps, struct pos pos, struct numval w);
struct cond *cond_compare(struct parse *ps, struct pos pos, struct qval left,
    enum relop rel, struct qval right, struct numval less);
struct cond *cond_line(struct parse *ps, struct pos pos, struct qval left,
    enum relop rel, struct lineval line);

/* Names.  Opening one says that its definition is being read. */
void name_open(struct parse *ps, const struct tok *t, enum name_kind kind);
/* A word of the language where a new name was to stand. */
void name_reserved(struct parse *ps, const struct tok *t);
/* After a syntax error: names still open are broken. */
void name_abandon(struct parse *ps);

/* Statements. */
void stmt_policy(struct parse *ps, struct pos pos, struct numval version);
void stmt_default(struct parse *ps, struct pos pos, enum verdict v);
void stmt_mode(struct parse *ps, struct pos pos, enum policy_mode m,
    struct numval above);
void stmt_declare(struct parse *ps, struct pos pos, const struct tok *name,
    enum type type, struct qval value);
void stmt_unknown(struct parse *ps, struct pos pos, struct pos fact_pos,
    enum fact fact, struct qval value);
void stmt_let(struct parse *ps, struct pos pos, const struct tok *name,
    struct qval q);
void stmt_class(struct parse *ps, struct pos pos, const struct tok *name,
    struct cond *c);
void stmt_rule(struct parse *ps, struct pos pos, struct rule r,
    const struct tok *name, struct cond *c, struct numval until);
void stmt_exempt(struct parse *ps, struct pos pos, const struct tok *name,
    struct cond *c, struct exempt x, bool bad);
void stmt_ceiling(struct parse *ps, struct pos pos, struct qval limit,
    struct numval window, struct numval each);
void stmt_trust(struct parse *ps, struct pos pos, struct numval after,
    struct numval full, struct numval used, struct qval upto);
/* `set`: one number, or two (`trust listed`, `buckets N for DUR`). */
void stmt_set(struct parse *ps, struct pos pos, enum set_key key,
    struct numval a, struct numval b);
struct table *table_begin(struct parse *ps, struct pos pos,
    const struct tok *name, enum table_kind kind);
void label_add(struct parse *ps, const struct tok *t);

/* For the statements' own use. */
void stmt_add(struct parse *ps, enum stmt_kind kind, struct pos pos,
    int index, const char *text);
/* True when there is one already, and says so. */
bool stmt_second(struct parse *ps, bool *has, struct pos *first,
    struct pos pos, const char *what);
/* True when n is at its maximum, and says so. */
bool stmt_too_many(struct parse *ps, struct pos pos, int n, int max,
    const char *what);

/* When the main file has ended: what only the whole can tell. */
void resolve_finish(struct parse *ps, struct pos end);

/* S17: the cap that a distinct count has. */
int agg_cap(const struct agg *a);

#endif
