/*
 * Pieces of a policy as text, in the canonical spelling; policy_print() and
 * the messages of the checks use the same ones.
 */
#ifndef POLICY_PRINT_H
#define POLICY_PRINT_H

#include <stddef.h>
#include <stdint.h>

#include "policy/ast.h"

#define PRINT_TEXT_MAX	512

/* All return buf. */
/* 90m, 6h, 24h, 2d: the largest unit that divides. */
char *print_duration(char *buf, size_t buf_len, int64_t ms);
/* "0.05 %" */
char *print_percent(char *buf, size_t buf_len, int64_t ppm);
/* "1,500 btc" */
char *print_amount(char *buf, size_t buf_len, int64_t sat);
/* "8,192" */
char *print_number(char *buf, size_t buf_len, int64_t n);
char *print_date(char *buf, size_t buf_len, int64_t day);
char *print_quantity(const struct policy *p, char *buf, size_t buf_len,
    const struct quantity *q);
/* "sum asked on platform in 6h of small" */
char *print_agg(const struct policy *p, char *buf, size_t buf_len,
    const struct agg *a);
/* One condition on one line, cut when it does not fit. */
char *print_cond(const struct policy *p, char *buf, size_t buf_len,
    const struct cond *c);
/* "busy normal by 50 % plus 3 until learnt 12" */
char *print_line(const struct policy *p, char *buf, size_t buf_len,
    const struct line *l);
/* A statement on one line, for --against; cut when it does not fit. */
char *print_stmt(const struct policy *p, char *buf, size_t buf_len,
    const struct stmt *s);

#endif
