/*
 * A policy with everything that it reads, as bytes: for the journal, where
 * the policy in force is the one that was written down and not the one that
 * lies in a folder now (C7).
 */
#ifndef POLICY_BUNDLE_H
#define POLICY_BUNDLE_H

#include <stddef.h>
#include <stdio.h>

#include "lib/err.h"
#include "policy/ast.h"

#define BUNDLE_LEN_MAX	((size_t)256 << 20)

/*
 * Every file of a loaded policy once, in the order in which it was first
 * read: names as opened, and bytes.  *out is malloc()ed and the caller's.
 *
 *	"DBp1"
 *	varint		how many files, at least 1
 *	for each:	varint length and the name, varint length and the bytes
 *
 * A policy has one bundle: what is in another order, twice, or read by
 * nobody is refused by policy_load_bundle().  Fails when a file was read
 * twice and had changed.
 */
enum rc policy_bundle(unsigned char **out, size_t *len_out,
    const struct policy *p, struct err *e) MUST_CHECK;

/*
 * The policy's hash: SHA-256 of a bundle whose names are seen from the main
 * file's folder, so that a policy copied elsewhere keeps its hash.  Of bytes
 * that are no bundle, SHA-256.
 */
void policy_bundle_hash(unsigned char out[32], const unsigned char *bundle,
    size_t len);

/* Load from a bundle; no file is opened.  As policy_load() otherwise. */
enum rc policy_load_bundle(struct policy **out, const unsigned char *bundle,
    size_t len, FILE *diag, struct err *e) MUST_CHECK;

/* The first file's name in a bundle, for messages: a copy into buf; "?" when
 * it is no bundle. */
const char *policy_bundle_name(const unsigned char *bundle, size_t len,
    char *buf, size_t buf_len);

#endif
