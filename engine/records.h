/*
 * Finding and making records; dropping those that nothing holds when a pool
 * is full.  Every look for one to drop is short and depends on nothing but
 * the state.
 */
#ifndef ENGINE_RECORDS_H
#define ENGINE_RECORDS_H

#include "engine/inner.h"

/* Moments as records keep them; never 0. */
uint32_t records_s_up(int64_t t_ms);
uint32_t records_s_down(int64_t t_ms);
/* How long ago a moment was, 0 if never. */
int64_t records_age_ms(uint32_t s, int64_t t_ms);

/* NONE when it does not exist. */
uint32_t records_find(const struct engine *e, int place, struct ident id);

/* Make it if need be; FULL when there is no room. */
uint32_t records_get(struct engine *e, int place, struct ident id,
    int64_t t_ms);

/* The place of a scope (SCOPE_PARTNER, SCOPE_GROUP), -1 when no aggregate
 * of this policy speaks of it. */
int records_place(const struct engine *e, enum agg_scope scope);

/* One more or one fewer thing refers to this record. */
void records_pin(struct engine *e, int place, uint32_t rec);
void records_unpin(struct engine *e, int place, uint32_t rec);

struct account *records_account(const struct engine *e, uint32_t n);
struct destination *records_destination(const struct engine *e, uint32_t n);
struct withdrawal *records_withdrawal(const struct engine *e, uint32_t n);
struct waiting *records_waiting(const struct engine *e, uint32_t n);

/* NULL when there is none, or no room to make one. */
struct trust_pair *records_find_pair(const struct engine *e,
    uint32_t account, uint32_t destination);
struct trust_pair *records_get_pair(struct engine *e, uint32_t account,
    uint32_t destination, int64_t t_ms);
struct trust_resets records_resets(const struct engine *e,
    const struct account *a, const struct destination *d);

/*
 * The key of an IP address of the platform (account NONE, in e->ips), of one
 * account (e->uses), or of a network of so many bits.  Multiplied and folded
 * with secret numbers: four times as fast as ident_of(), and these are made
 * with every withdrawal; it never leaves the engine, so nobody outside sees
 * anything from which the secret could be learnt.
 */
struct ident records_ip_ident(const struct engine *e, uint32_t account,
    const unsigned char ip[16]);
struct ident records_network_ident(const struct engine *e, int bits,
    const unsigned char masked[16]);
uint32_t records_get_ip(struct engine *e, uint32_t account,
    const unsigned char ip[16], int64_t t_ms);

/*
 * Room for one more withdrawal: a slot whose last one is done and older than
 * anything that could still ask for it.  NONE: full.
 */
uint32_t records_new_withdrawal(struct engine *e, struct ident id);

#endif
