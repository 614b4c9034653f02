/*
 * The grammar.  An error ends its statement and the next line is read as if
 * nothing had been, so that one run finds all that is wrong.
 */
%require "3.8"
%define api.pure full
%define api.location.type {struct pos}
%define parse.error custom
%define parse.lac full
%locations
%param {struct parse *ps}
%expect 0

%code requires {
#include "policy/parse.h"
#include "policy/resolve.h"
}

%code provides {
int yylex(union YYSTYPE *val, struct pos *loc, struct parse *ps);
}

%code {
#include <stdio.h>
#include <string.h>

#include "policy/scan.h"

#define YYMAXDEPTH	1000
#define YYLLOC_DEFAULT(cur, rhs, n) do {				\
	if (n) {							\
		(cur) = YYRHSLOC(rhs, 1);				\
		if (YYRHSLOC(rhs, n).line == (cur).line &&		\
		    YYRHSLOC(rhs, n).file == (cur).file)		\
			(cur).len = YYRHSLOC(rhs, n).col +		\
			    YYRHSLOC(rhs, n).len - (cur).col;		\
	} else {							\
		(cur) = YYRHSLOC(rhs, 0);				\
		(cur).col += (cur).len;					\
		(cur).len = 1;						\
	}								\
} while (0)

static const struct numval	 no_num = { .value = -1 };
static const struct agg		 no_class = { .cls = -1, .table = -1 };

static void	yyerror(const struct pos *, struct parse *, const char *);
static struct agg
agg_what(enum agg_what what, enum agg_thing thing)
{
	struct agg	 a = { .what = what, .thing = thing };

	return a;
}

static struct agg
agg_scope(enum agg_scope scope)
{
	struct agg	 a = { .scope = scope, .table = -1 };

	return a;
}

static struct rule
rule_of(enum verdict v)
{
	struct rule	 r = { .verdict = v, .people = v == VERDICT_HOLD };

	return r;
}
}

%union {
	struct tok	 tok;
	struct numval	 num;
	struct qval	 q;
	struct agg	 agg;
	struct cond	*cond;
	struct lineval	 line;
	struct rule	 rule;
	struct exempt	 exempt;
	enum fact	 fact;
	enum relop	 rel;
	enum verdict	 verdict;
	enum type	 type;
	enum policy_mode mode;
	enum agg_thing	 thing;
	enum agg_stage	 stage;
	enum table_kind	 table_kind;
	enum in_subject	 subject;
	enum set_key	 set_key;
	struct table	*table;
}

%token NL "the end of the line"
%token <tok> NAME "a name" STRING "a text in quotes" TABLE "a <table>"
%token <tok> NUMBER "a number" DURATION "a time like 6h"
%token <tok> RESERVED "a reserved word"
%token <tok> DATE "a date" ITEM "an item" IP_SCOPE "ip/BITS" FACT "a fact"
%token GE ">=" LE "<="
%token K_BY_LOT "by lot" K_CONFIRMED_FRAUD "confirmed fraud"
%token K_LESS_UP_TO "less up to" K_UNTIL_LEARNT "until learnt"
%token <tok> K_ABOVE "above" K_ACCOUNT "account" K_ACCOUNTS "accounts"
%token <tok> K_ADDRESSES "addresses" K_ADVISE "advise" K_AFTER "after"
%token <tok> K_ALLOW "allow" K_AMOUNT "amount" K_AND "and" K_ASKED "asked"
%token <tok> K_AT "at" K_BLOCKED "blocked" K_BTC "btc" K_BUSY "busy"
%token <tok> K_BY "by" K_CAP "cap" K_CEILING "ceiling" K_CLASS "class"
%token <tok> K_COMMITTED "committed" K_CONFIRMED "confirmed"
%token <tok> K_COUNT "count" K_DECLARE "declare" K_DEFAULT "default"
%token <tok> K_DELAY "delay" K_DENY "deny" K_DESTINATION "destination"
%token <tok> K_DESTINATIONS "destinations" K_DEVICE "device"
%token <tok> K_DISTINCT "distinct" K_EACH "each" K_ENFORCE "enforce"
%token <tok> K_EXEMPT "exempt" K_FILE "file" K_FLAG "flag" K_FROM "from"
%token <tok> K_FULL "full" K_FUND "fund" K_GROUP "group" K_GROUPS "groups"
%token <tok> K_HALT "halt" K_HOLD "hold" K_HOT "hot" K_IN "in"
%token <tok> K_INCLUDE "include" K_IP "ip" K_IPS "ips" K_IS "is"
%token <tok> K_KEY "key" K_KEYS "keys" K_KNOWN "known" K_LET "let"
%token <tok> K_MODE "mode" K_NETWORKS "networks" K_NEW "new" K_NO "no"
%token <tok> K_NORMAL "normal" K_NOT "not" K_NUMBER_WORD "number"
%token <tok> K_OBSERVE "observe" K_OF "of" K_ON "on" K_OR "or"
%token <tok> K_PARTNER "partner" K_PER "per" K_PLATFORM "platform"
%token <tok> K_PLUS "plus" K_POLICY "policy" K_PROVEN "proven"
%token <tok> K_RELEASED "released" K_SAT "sat" K_SET "set"
%token <tok> K_SHADOW "shadow" K_STEP_UP "step-up" K_SUM "sum"
%token <tok> K_TABLE "table" K_TIME "time" K_TO "to" K_TRUST "trust"
%token <tok> K_UNKNOWN "unknown" K_UNTIL "until" K_UPTO "upto"
%token <tok> K_USED "used" K_WHEN "when" K_X "x" K_YES "yes"
%token K_BUCKETS "buckets" K_CAPACITY "capacity" K_CODES "codes"
%token K_EXEMPTIONS "exemptions" K_EXPIRY "expiry" K_EXTERNAL "external"
%token K_FOR "for" K_GROWTH "growth" K_HOLDS "holds" K_LEDGER "ledger"
%token K_LISTED "listed" K_MOST "most" K_PAIRS "pairs"
%token K_WAITING "waiting" K_WITHDRAWALS "withdrawals"

%type <num> amount until window percent above each
%type <q> quantity base share sharable countable value plus
%type <agg> aggregate_what scope of
%type <cond> cond conj term test
%type <line> line
%type <rule> verdict head lot
%type <exempt> upto
%type <fact> fact
%type <rel> relop
%type <verdict> dflt
%type <type> dtype
%type <thing> thing
%type <stage> stage
%type <table_kind> table_kind
%type <subject> subject
%type <set_key> capacity
%type <tok> newname rulename
%type <table> items

%%

file	: %empty
	| file entry
	;

/* A statement with its end; `error` skips to there. */
entry	: NL
	| stmt NL			{
		ps->n_stmts_here++;
		if (parse_too_much(ps))
			YYABORT;
	}
	| K_INCLUDE STRING NL		{
		ps->n_stmts_here++;
		/* Another parser reads it, with a scanner of its own. */
		load_include(ps, &$2);
	}
	| error NL			{
		ps->n_stmts_here++;
		ps->depth = 0;
		name_abandon(ps);
		yyerrok;
		if (parse_too_much(ps))
			YYABORT;
	}
	;

stmt	: K_POLICY NUMBER		{
		stmt_policy(ps, @$, num_int(ps, &$2, 1, 1));
	}
	| K_DEFAULT dflt		{ stmt_default(ps, @1, $2); }
	| K_SET setting
	| K_MODE K_OBSERVE		{
		stmt_mode(ps, @1, MODE_OBSERVE, no_num);
	}
	| K_MODE K_ADVISE		{
		stmt_mode(ps, @1, MODE_ADVISE, no_num);
	}
	| K_MODE K_ENFORCE above	{
		stmt_mode(ps, @1, MODE_ENFORCE, $3);
	}
	| K_DECLARE newname dtype K_UNKNOWN K_IS value	{
		stmt_declare(ps, @1, &$2, $3, $6);
	}
	| K_UNKNOWN fact K_IS value	{
		stmt_unknown(ps, @1, @2, $2, $4);
	}
	| K_UNKNOWN K_DEVICE K_IS value	{
		stmt_unknown(ps, @1, @2, FACT_DEVICE_NEW, $4);
	}
	| K_TABLE TABLE K_OF table_kind K_FILE STRING	{
		struct table *t = table_begin(ps, @1, &$2, $4);

		load_table_file(ps, t, &$6);
		table_finish(ps, t);
	}
	| K_TABLE TABLE K_OF table_kind '{' items '}'	{
		table_finish(ps, $6);
	}
	| K_TRUST K_PROVEN K_AFTER DURATION K_FULL K_AT DURATION
	    K_USED K_IN DURATION K_UPTO sharable	{
		stmt_trust(ps, @1, num_window(ps, &$4), num_window(ps, &$7),
		    num_window(ps, &$10), $12);
	}
	| K_LET newname '='		{ name_open(ps, &$2, NAME_LET); }
	    quantity			{ stmt_let(ps, @1, &$2, $5); }
	| K_CLASS newname K_WHEN	{ name_open(ps, &$2, NAME_CLASS); }
	    cond			{ stmt_class(ps, @1, &$2, $5); }
	| head rulename K_WHEN cond until	{
		stmt_rule(ps, @1, $1, $2.text != NULL ? &$2 : NULL, $4, $5);
	}
	| K_EXEMPT STRING K_FROM labels K_WHEN cond upto	{
		stmt_exempt(ps, @1, &$2, $6, $7, $7.name != NULL);
	}
	| K_CEILING sharable K_IN window each	{
		stmt_ceiling(ps, @1, $2, $4, $5);
	}
	;

dflt	: K_ALLOW			{ $$ = VERDICT_ALLOW; }
	| K_HOLD			{ $$ = VERDICT_HOLD; }
	| K_DENY			{ $$ = VERDICT_DENY; }
	;

above	: %empty			{ $$ = no_num; }
	| K_ABOVE amount		{ $$ = $2; }
	;

each	: %empty			{ $$ = no_num; }
	| ',' amount K_EACH		{ $$ = $2; }
	;

setting	: K_EXPIRY K_OF K_HOLDS window	{
		stmt_set(ps, @$, SET_EXPIRY_HOLDS, $4, no_num);
	}
	| K_EXPIRY K_OF K_CODES window	{
		stmt_set(ps, @$, SET_EXPIRY_CODES, $4, no_num);
	}
	| K_EXEMPTIONS K_UPTO share	{
		struct numval n = { @3, $3.q.ppm, $3.bad };

		if (!$3.bad && $3.q.of_fund) {
			diag_error(ps->d, @3, "write `of hot`",
			    "exemptions are a share of the hot wallet");
			n.bad = true;
		}
		stmt_set(ps, @$, SET_EXEMPTIONS, n, no_num);
	}
	| K_GROWTH percent		{
		stmt_set(ps, @$, SET_GROWTH, $2, no_num);
	}
	| K_HOT K_AT K_MOST amount	{
		stmt_set(ps, @$, SET_HOT, $4, no_num);
	}
	| K_LEDGER K_EXTERNAL		{
		stmt_set(ps, @$, SET_LEDGER, no_num, no_num);
	}
	| K_TRUST K_LISTED K_UNTIL DATE K_UPTO amount	{
		stmt_set(ps, @$, SET_TRUST_LISTED, num_date(ps, &$4), $6);
	}
	| K_BUCKETS NUMBER		{
		stmt_set(ps, @$, SET_BUCKETS, num_int(ps, &$2, 1, 256),
		    no_num);
	}
	| K_BUCKETS NUMBER K_FOR window	{
		stmt_set(ps, @$, SET_BUCKETS_FOR, num_int(ps, &$2, 1, 256),
		    $4);
	}
	| K_CAPACITY capacity NUMBER	{
		stmt_set(ps, @$, $2, num_int(ps, &$3, 1, 4000000000), no_num);
	}
	;

capacity: K_ACCOUNTS			{ $$ = SET_CAP_ACCOUNTS; }
	| K_KEYS			{ $$ = SET_CAP_KEYS; }
	| K_PAIRS			{ $$ = SET_CAP_PAIRS; }
	| K_DESTINATIONS		{ $$ = SET_CAP_DESTINATIONS; }
	| K_WAITING			{ $$ = SET_CAP_WAITING; }
	| K_WITHDRAWALS			{ $$ = SET_CAP_WITHDRAWALS; }
	| K_NETWORKS			{ $$ = SET_CAP_NETWORKS; }
	| K_GROUPS			{ $$ = SET_CAP_GROUPS; }
	;

dtype	: K_NUMBER_WORD			{ $$ = TYPE_COUNT; }
	| K_AMOUNT			{ $$ = TYPE_AMOUNT; }
	| K_FLAG			{ $$ = TYPE_FLAG; }
	| K_TIME			{ $$ = TYPE_TIME; }
	;

value	: amount			{ $$ = q_const(@$, TYPE_AMOUNT, $1); }
	| NUMBER			{
		$$ = q_const(@$, TYPE_COUNT,
		    num_int(ps, &$1, 0, 1000000000000));
	}
	| DURATION			{
		$$ = q_const(@$, TYPE_TIME, num_duration(ps, &$1));
	}
	| K_YES				{
		struct numval n = { @$, 1, false };

		$$ = q_const(@$, TYPE_FLAG, n);
	}
	| K_NO				{
		struct numval n = { @$, 0, false };

		$$ = q_const(@$, TYPE_FLAG, n);
	}
	| K_NEW				{
		struct numval n = { @$, 1, false };

		$$ = q_const(@$, TYPE_FLAG, n);
	}
	| K_KNOWN			{
		struct numval n = { @$, 0, false };

		$$ = q_const(@$, TYPE_FLAG, n);
	}
	;

table_kind: K_ADDRESSES			{ $$ = TABLE_ADDRESSES; }
	| K_ACCOUNTS			{ $$ = TABLE_ACCOUNTS; }
	| K_NETWORKS			{ $$ = TABLE_NETWORKS; }
	| K_GROUPS			{ $$ = TABLE_GROUPS; }
	;

items	: %empty			{
		/* $-4 is the <table>, $-2 its kind: before the brace. */
		$$ = table_begin(ps, @-4, &$<tok>-3, $<table_kind>-1);
	}
	| items ITEM			{
		table_add(ps, $1, @2, $2.text, strlen($2.text));
		$$ = $1;
	}
	| items STRING			{
		table_add(ps, $1, @2, $2.text, strlen($2.text));
		$$ = $1;
	}
	| items ','			{
		table_add(ps, $1, @2, NULL, 0);
		$$ = $1;
	}
	;

newname	: NAME
	| RESERVED			{
		name_reserved(ps, &$1);
		$$ = $1;
		$$.text = NULL;
	}
	;

head	: verdict lot			{
		$$ = $1;
		$$.lot = $2.lot;
		$$.lot_in = $2.lot_in;
		$$.lot_per = $2.lot_per;
	}
	| K_SHADOW verdict lot		{
		$$ = $2;
		$$.shadow = true;
		$$.lot = $3.lot;
		$$.lot_in = $3.lot_in;
		$$.lot_per = $3.lot_per;
	}
	;

/* people -1 is a head that was wrong. */
verdict	: K_ALLOW			{ $$ = rule_of(VERDICT_ALLOW); }
	| K_DELAY window		{
		$$ = rule_of(VERDICT_DELAY);
		$$.delay_ms = $2.value;
		$$.people = $2.bad ? -1 : 0;
	}
	| K_STEP_UP			{ $$ = rule_of(VERDICT_STEP_UP); }
	| K_HOLD			{ $$ = rule_of(VERDICT_HOLD); }
	| K_HOLD K_BY NUMBER		{
		struct numval n = num_int(ps, &$3, 1, 9);

		$$ = rule_of(VERDICT_HOLD);
		$$.people = n.bad ? -1 : (int)n.value;
	}
	| K_DENY			{ $$ = rule_of(VERDICT_DENY); }
	| K_HALT			{ $$ = rule_of(VERDICT_HALT); }
	;

lot	: %empty			{ $$ = rule_of(VERDICT_ALLOW); }
	| K_BY_LOT NUMBER K_IN NUMBER	{
		struct numval one = num_int(ps, &$2, 1, 1);
		struct numval n = num_int(ps, &$4, 1, 1000000);

		$$ = rule_of(VERDICT_ALLOW);
		$$.lot = LOT_IN;
		$$.lot_in = one.bad || n.bad ? -1 : n.value;
		$$.lot_per.pos = @$;
	}
	| K_BY_LOT NUMBER K_PER sharable	{
		struct numval one = num_int(ps, &$2, 1, 1);

		$$ = rule_of(VERDICT_ALLOW);
		$$.lot = LOT_PER;
		$$.lot_per = $4.q;
		$$.lot_in = one.bad || $4.bad ? -1 : 0;
	}
	;

rulename: %empty			{ memset(&$$, 0, sizeof($$)); }
	| STRING
	;

until	: %empty			{ $$ = no_num; $$.value = INT64_MAX; }
	| K_UNTIL DATE			{ $$ = num_date(ps, &$2); }
	;

labels	: label
	| labels ',' label
	;

label	: NAME				{ label_add(ps, &$1); }
	| STRING			{ label_add(ps, &$1); }
	;

/* name set: wrong, and said so. */
upto	: K_UPTO amount K_IN window K_UNTIL DATE	{
		struct numval d = num_date(ps, &$6);

		memset(&$$, 0, sizeof($$));
		$$.upto_sat = $2.value;
		$$.upto_ms = $4.value;
		$$.until_day = d.value;
		if ($2.bad || $4.bad || d.bad)
			$$.name = (char *)(uintptr_t)"";
	}
	| K_UPTO amount K_IN window ',' NUMBER K_IN window K_UNTIL DATE	{
		struct numval n = num_int(ps, &$6, 1, 1000000000);
		struct numval d = num_date(ps, &$10);

		memset(&$$, 0, sizeof($$));
		$$.upto_sat = $2.value;
		$$.upto_ms = $4.value;
		$$.count = n.value;
		$$.count_ms = $8.value;
		$$.until_day = d.value;
		if ($2.bad || $4.bad || n.bad || $8.bad || d.bad)
			$$.name = (char *)(uintptr_t)"";
	}
	| K_UNTIL DATE			{
		memset(&$$, 0, sizeof($$));
		diag_error(ps->d, @1, "expected `upto AMOUNT in DURATION`",
		    "E-OPEN: an exemption without a limit");
		$$.name = (char *)(uintptr_t)"";
	}
	| K_UPTO amount K_IN window	{
		memset(&$$, 0, sizeof($$));
		diag_error(ps->d, @1, "expected `until YYYY-MM-DD` at the end",
		    "E-OPEN: an exemption without an end");
		$$.name = (char *)(uintptr_t)"";
	}
	| K_UPTO amount K_IN window ',' NUMBER K_IN window	{
		memset(&$$, 0, sizeof($$));
		diag_error(ps->d, @1, "expected `until YYYY-MM-DD` at the end",
		    "E-OPEN: an exemption without an end");
		$$.name = (char *)(uintptr_t)"";
	}
	| %empty			{
		memset(&$$, 0, sizeof($$));
		diag_error(ps->d, @$,
		    "expected `upto AMOUNT in DURATION until DATE`",
		    "E-OPEN: an exemption without limit and end");
		$$.name = (char *)(uintptr_t)"";
	}
	;

cond	: conj
	| cond K_OR conj		{
		$$ = cond_join(ps, @$, COND_OR, $1, $3);
	}
	;

conj	: term
	| conj K_AND term		{
		$$ = cond_join(ps, @$, COND_AND, $1, $3);
	}
	;

term	: test
	| K_NOT test			{ $$ = cond_not(ps, @$, $2); }
	| open cond ')'			{
		ps->depth--;
		$$ = cond_parens(ps, @$, $2);
	}
	| K_NOT open cond ')'		{
		ps->depth--;
		$$ = cond_not(ps, @$, cond_parens(ps, @$, $3));
	}
	;

open	: '('				{
		if (++ps->depth > PARENS_MAX) {
			diag_error(ps->d, @1, NULL,
			    "parentheses more than %d deep", PARENS_MAX);
			YYERROR;
		}
	}
	;

test	: quantity relop quantity	{
		$$ = cond_compare(ps, @$, $1, $2, $3, no_num);
	}
	| quantity relop quantity K_LESS_UP_TO percent	{
		$$ = cond_compare(ps, @$, $1, $2, $3, $5);
	}
	| quantity relop line		{
		$$ = cond_line(ps, @$, $1, $2, $3);
	}
	| fact				{
		$$ = cond_flag(ps, @$, q_fact(@1, $1));
	}
	| NAME				{ $$ = cond_name(ps, &$1); }
	| subject K_IN TABLE		{ $$ = cond_in(ps, @$, $1, &$3); }
	| K_CONFIRMED_FRAUD K_IN window	{ $$ = cond_fraud(ps, @$, $3); }
	;

subject	: K_DESTINATION			{ $$ = IN_DESTINATION; }
	| K_ACCOUNT			{ $$ = IN_ACCOUNT; }
	| K_IP				{ $$ = IN_IP; }
	| K_GROUP			{ $$ = IN_GROUP; }
	;

relop	: '>'				{ $$ = REL_GT; }
	| GE				{ $$ = REL_GE; }
	| '<'				{ $$ = REL_LT; }
	| LE				{ $$ = REL_LE; }
	| '='				{ $$ = REL_EQ; }
	;

line	: K_NORMAL K_BY percent plus K_UNTIL_LEARNT countable	{
		memset(&$$, 0, sizeof($$));
		$$.pos = @1;
		$$.bad = $3.bad || $4.bad || $6.bad;
		$$.line.by_ppm = $3.value;
		$$.line.has_plus = $4.q.times != 0;
		$$.line.plus = $4.q;
		$$.line.learnt = $6.q;
	}
	| K_BUSY K_NORMAL K_BY percent plus K_UNTIL_LEARNT countable	{
		memset(&$$, 0, sizeof($$));
		$$.pos = @1;
		$$.bad = $4.bad || $5.bad || $7.bad;
		$$.line.busy = true;
		$$.line.by_ppm = $4.value;
		$$.line.has_plus = $5.q.times != 0;
		$$.line.plus = $5.q;
		$$.line.learnt = $7.q;
	}
	;

plus	: %empty			{ memset(&$$, 0, sizeof($$)); }
	| K_PLUS countable		{ $$ = $2; }
	;

quantity: base
	| NUMBER K_X base		{
		$$ = q_times(ps, @$, num_int(ps, &$1, 1, 1000000), $3);
	}
	;

base	: amount			{ $$ = q_const(@$, TYPE_AMOUNT, $1); }
	| NUMBER			{
		$$ = q_const(@$, TYPE_COUNT,
		    num_int(ps, &$1, 0, 1000000000000));
	}
	| DURATION			{
		$$ = q_const(@$, TYPE_TIME, num_duration(ps, &$1));
	}
	| share
	| percent			{ $$ = q_share_of_what(ps, @1); }
	| fact				{ $$ = q_fact(@1, $1); }
	| NAME				{ $$ = q_name(ps, &$1); }
	| aggregate_what stage scope K_IN window of	{
		$1.stage = $2;
		$$ = q_agg(ps, @1, $1, $3, $5, $6);
	}
	;

share	: percent K_OF K_HOT		{ $$ = q_share(@$, $1, false); }
	| percent K_OF K_FUND		{ $$ = q_share(@$, $1, true); }
	;

/* Money that may be a share. */
sharable: amount			{ $$ = q_const(@$, TYPE_AMOUNT, $1); }
	| share
	| percent			{ $$ = q_share_of_what(ps, @1); }
	;

countable: sharable
	| NUMBER			{
		$$ = q_const(@$, TYPE_COUNT,
		    num_int(ps, &$1, 0, 1000000000000));
	}
	;

amount	: NUMBER K_BTC			{ $$ = num_btc(ps, &$1); }
	| NUMBER K_SAT			{ $$ = num_sat(ps, &$1); }
	;

percent	: NUMBER '%'			{ $$ = num_percent(ps, &$1); }
	;

window	: DURATION			{ $$ = num_window(ps, &$1); }
	;

fact	: FACT				{ $$ = (enum fact)$1.fact; }
	| K_AMOUNT			{ $$ = FACT_AMOUNT; }
	| K_HOT				{ $$ = FACT_HOT; }
	| K_FUND			{ $$ = FACT_FUND; }
	| K_PROVEN			{ $$ = FACT_PROVEN; }
	;

aggregate_what
	: K_SUM				{ $$ = agg_what(AGG_SUM, THING_NONE); }
	| K_COUNT			{
		$$ = agg_what(AGG_COUNT, THING_NONE);
	}
	| K_DISTINCT thing		{ $$ = agg_what(AGG_DISTINCT, $2); }
	| K_DISTINCT thing K_CAP NUMBER	{
		struct numval n = num_int(ps, &$4, 2, 65536);

		$$ = agg_what(AGG_DISTINCT, $2);
		$$.cap = n.bad ? -1 : (int)n.value;
	}
	;

thing	: K_ACCOUNTS			{ $$ = THING_ACCOUNTS; }
	| K_DESTINATIONS		{ $$ = THING_DESTINATIONS; }
	| K_IPS				{ $$ = THING_IPS; }
	| K_KEYS			{ $$ = THING_KEYS; }
	;

stage	: K_ASKED			{ $$ = STAGE_ASKED; }
	| K_COMMITTED			{ $$ = STAGE_COMMITTED; }
	| K_RELEASED			{ $$ = STAGE_RELEASED; }
	| K_BLOCKED			{ $$ = STAGE_BLOCKED; }
	| K_CONFIRMED			{ $$ = STAGE_CONFIRMED; }
	;

scope	: K_BY K_ACCOUNT		{ $$ = agg_scope(SCOPE_ACCOUNT); }
	| K_BY K_KEY			{ $$ = agg_scope(SCOPE_KEY); }
	| K_BY IP_SCOPE			{ $$ = agg_ip(ps, &$2); }
	| K_BY K_PARTNER		{ $$ = agg_scope(SCOPE_PARTNER); }
	| K_BY K_GROUP			{ $$ = agg_scope(SCOPE_GROUP); }
	| K_BY K_GROUP K_OF TABLE	{ $$ = agg_group_table(ps, &$4); }
	| K_TO K_DESTINATION		{ $$ = agg_scope(SCOPE_DESTINATION); }
	| K_ON K_PLATFORM		{ $$ = agg_scope(SCOPE_PLATFORM); }
	;

of	: %empty			{ $$ = no_class; }
	| K_OF NAME			{ $$ = agg_class(ps, &$2, false); }
	| K_OF K_NOT NAME		{ $$ = agg_class(ps, &$3, true); }
	| K_OF K_PROVEN			{ $$ = agg_class(ps, NULL, false); }
	| K_OF K_NOT K_PROVEN		{ $$ = agg_class(ps, NULL, true); }
	;

%%

/* Only for "memory exhausted"; the rest goes through the function below. */
static void
yyerror(const struct pos *loc, struct parse *ps, const char *msg)
{
	diag_error(ps->d, *loc, NULL, "%s", msg);
}

/* "expected `when` or a name" for up to four; more would not be read. */
static void
list_expected(const yypcontext_t *ctx, char *buf, size_t buf_len)
{
	yysymbol_kind_t	 kind[5];
	const char	*name;
	char		 sign[2] = "";
	size_t		 n = 0;
	int		 i, count;
	bool		 bare;

	count = yypcontext_expected_tokens(ctx, kind, 5);
	buf[0] = '\0';
	for (i = 0; i < count && n < buf_len; i++) {
		name = yysymbol_name(kind[i]);
		bare = strncmp(name, "a ", 2) == 0 ||
		    strncmp(name, "an ", 3) == 0 ||
		    strncmp(name, "the ", 4) == 0;
		/* Bison writes a sign as ','. */
		sign[0] = name[0] == '\'' ? name[1] : '\0';
		n += (size_t)snprintf(buf + n, buf_len - n, "%s%s%s%s",
		    i == 0 ? "expected " : i + 1 == count ? " or " : ", ",
		    bare ? "" : "`", sign[0] != '\0' ? sign : name,
		    bare ? "" : "`");
	}
}

static int
yyreport_syntax_error(const yypcontext_t *ctx, struct parse *ps)
{
	struct pos	 pos = *yypcontext_location(ctx);
	yysymbol_kind_t	 got = yypcontext_token(ctx);
	char		 text[128], hint[256];
	const char	*near = NULL;

	list_expected(ctx, hint, sizeof(hint));
	if (got == YYSYMBOL_NL || got == YYSYMBOL_YYEOF) {
		diag_error(ps->d, pos, hint[0] != '\0' ? hint : NULL,
		    "the statement ends too early");
		return 0;
	}
	(void)parse_quote(ps, pos, text, sizeof(text));
	if (got == YYSYMBOL_NAME)
		near = scan_nearest(ps, text);
	if (near != NULL && hint[0] == '\0')
		(void)snprintf(hint, sizeof(hint), "did you mean `%s`?", near);
	diag_error(ps->d, pos, hint[0] != '\0' ? hint : NULL,
	    "`%s` is not expected here", text);
	return 0;
}
