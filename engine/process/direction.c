/*
 * Comparing with what is there.  What is not known to tighten loosens.
 */
#include "engine/process/direction.h"

#include <string.h>

#include "wire/approval.h"
#include "wire/cidr.h"

static enum way
account(const struct operators *o, const struct command *c)
{
	const struct memory_account	*a = memory_account(o, c->account);

	/* A new customer has no history and no key: one person opens it. */
	if (a == NULL)
		return WAY_SIGNED;
	if (c->limit_sat >= 0 && a->limit_sat >= 0 &&
	    c->limit_sat > a->limit_sat)
		return WAY_LOOSENS;
	if (c->tier >= 0 && c->tier != a->tier)
		return WAY_LOOSENS;
	/* A policy may have an exception for any group. */
	if (c->group.p != NULL &&
	    !text_equal(text_of(a->group), c->group))
		return WAY_LOOSENS;
	/* Where deposits come is where a customer's money goes. */
	if (c->script.p != NULL)
		return WAY_SIGNED;
	return WAY_TIGHTENS;
}

/* Is every network of the new list within one of the old? */
static bool
narrower(const struct memory_key *k, const struct command *c)
{
	size_t	 i;
	int	 j;

	if (k->n_cidrs == 0)
		return true;
	if (c->n_cidrs == 0)
		return false;
	for (i = 0; i < c->n_cidrs; i++) {
		for (j = 0; j < k->n_cidrs; j++) {
			if (cidr_covers(&k->cidrs[j], &c->cidrs[i]))
				break;
		}
		if (j == k->n_cidrs)
			return false;
	}
	return true;
}

static bool
later(int64_t is_ms, int64_t was_ms)
{
	return was_ms >= 0 && (is_ms < 0 || is_ms > was_ms);
}

static enum way
key(const struct operators *o, const struct command *c)
{
	const struct memory_key	*k = memory_key(o, c->key);

	if (k == NULL || k->door)
		return c->withdraw ? WAY_LOOSENS : WAY_SIGNED;
	if (k->revoked || !text_equal(text_of(k->account), c->account) ||
	    c->blob.p != NULL || (c->withdraw && !k->withdraw) ||
	    !narrower(k, c) || later(c->expires_ms, k->expires_ms))
		return WAY_LOOSENS;
	return WAY_TIGHTENS;
}

static enum way
door_key(const struct operators *o, const struct command *c)
{
	const struct memory_key	*k = memory_key(o, c->key);

	if (c->roles == 0)
		return WAY_TIGHTENS;
	if (k == NULL || !k->door || c->blob.p != NULL ||
	    (c->roles & ~k->roles) != 0 ||
	    later(c->expires_ms, k->expires_ms))
		return WAY_LOOSENS;
	return WAY_TIGHTENS;
}

/* Fewer rights are fewer people who can restart: never by the socket. */
static enum way
operator(const struct operators *o, const struct command *c)
{
	int	 i;

	for (i = 0; i < o->n; i++) {
		if (!text_equal(text_of(o->of[i].name), c->name))
			continue;
		if ((c->roles & ~(int64_t)o->of[i].rights) != 0 ||
		    c->blob.p != NULL)
			return WAY_LOOSENS;
		if (c->limit_sat < 0 ? o->of[i].release_sat >= 0 :
		    o->of[i].release_sat >= 0 &&
		    c->limit_sat > o->of[i].release_sat)
			return c->roles == 0 ? WAY_SIGNED : WAY_LOOSENS;
		return WAY_SIGNED;
	}
	return c->roles == 0 ? WAY_SIGNED : WAY_LOOSENS;
}

static enum way
quorum(const struct operators *o, const struct command *c)
{
	return c->count >= o->quorum && c->wait_ms >= o->wait_ms ?
	    WAY_SIGNED : WAY_LOOSENS;
}

enum way
direction_of(const struct operators *o, const struct command *c,
    bool regtest)
{
	if (c->type == COMMAND_ACCOUNT)
		return account(o, c);
	if (c->type == COMMAND_KEY)
		return key(o, c);
	if (c->type == COMMAND_DOOR_KEY)
		return door_key(o, c);
	if (c->type == COMMAND_OPERATOR)
		return operator(o, c);
	if (c->type == COMMAND_QUORUM)
		return quorum(o, c);
	if (c->type == COMMAND_DEPOSIT && regtest)
		return WAY_SIGNED;
	/* The engine itself counts the people who let one go. */
	if (c->type == COMMAND_RELEASE)
		return WAY_SIGNED;
	return command_direction(c->type) == DIRECTION_TIGHTENS ?
	    WAY_TIGHTENS : WAY_LOOSENS;
}
