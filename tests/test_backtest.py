#!/usr/bin/env python3
"""`drawbridge backtest`: small journals whose every figure can be counted by
hand, and a large one on which the policy that decided it changes nothing.
"""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from journal_tools import (ADDRESS, D, H, M, OTHER, ROOT, S, ask, at, case,
                           head, policy, record, run, scenario, write)
import journal_tools

T0 = 1557187200000      # 2019-05-07 00:00 UTC
BIG = 'default allow\nhold "big" when amount > 5 btc\n'


def cell(count, btc):
    return {'count': count, 'btc': btc}


def backtest(folder, old, new, lines, *args):
    db = os.path.join(folder, 'j%d.db' % len(os.listdir(folder)))
    record(db, policy(os.path.join(folder, 'old'), old),
           scenario(os.path.join(folder, 's'), lines))
    new = policy(os.path.join(folder, 'new'), new)
    return json.loads(run('backtest', '--db', db, '--policy', new, '--json',
                          '--quiet', *args).stdout), db, new


def compare(name, got, want):
    wrong = []
    for path, value in want.items():
        at_ = got
        for key in path.split('/'):
            at_ = at_[int(key) if key.isdigit() else key]
        if at_ != value:
            wrong.append('%s: %r, not %r' % (path, at_, value))
    case(name, wrong)


def stricter(folder):
    lines = head() + [
        ask('w1', T0, '1'),
        ask('w2', T0 + M, '3'),
        ask('w3', T0 + 2 * M, '4', account='b'),
        ask('w4', T0 + 3 * M, '6', account='b'),
        at('release', T0 + 2 * H, id='w4', by='alice'),
        ask('w5', T0 + 3 * H, '7', account='m'),
        at('deny', T0 + 4 * H, id='w5', by='alice'),
        at('outcome', T0 + 5 * H, id='w2', state='paid'),
        at('outcome', T0 + 6 * H, id='w3', state='denied'),
        ask('w6', T0 + 2 * D, '0.5'),
    ]
    new = ('default allow\nhold "two" when amount > 2 btc\n'
           'shadow hold "one" when amount >= 1 btc\n')
    r, db, new = backtest(folder, BIG, new, lines)
    compare('what a lower line would have held is counted', r, {
        'withdrawals': cell(6, '21.50000000'),
        'more_severe': cell(2, '7.00000000'),
        'less_severe': cell(0, '0.00000000'),
        'accounts_more_severe': 2,
        'recorded/released_at_once/held': cell(2, '7.00000000'),
        'recorded/released_at_once/released_at_once':
            cell(2, '1.50000000'),
        'recorded/held/held': cell(2, '13.00000000'),
        # Both are looked at an hour later and let go, as they were.
        'waiting_added_s': 2 * 3600,
        'waiting_saved_s': 0,
        'released_only_in_reality': cell(0, '0.00000000'),
        # w3 was reported, w5 was denied by a person.
        'fraud': cell(2, '11.00000000'),
        'fraud_recorded/released': cell(1, '4.00000000'),
        'fraud_recorded/released_at_once': cell(1, '4.00000000'),
        'fraud_new/held': cell(2, '11.00000000'),
        'supposed_looks': 4,
        'largest_more_severe/0/id': 'w3',
        'largest_more_severe/0/account': 'b',
        'largest_more_severe/0/rule': 'two',
        'largest_more_severe/1/id': 'w2',
    })
    rules = {x['rule']: x for x in r['rules']}
    compare('rules that speak more and no longer are counted', rules, {
        'two/only_new': cell(4, '20.00000000'),
        'two/accounts_new': 3,
        'two/added_s': 2 * 3600,
        'two/in_recorded': False,
        'big/only_recorded': cell(2, '13.00000000'),
        'big/in_new': False,
        'one/shadow': True,
        'one/only_new': cell(5, '21.00000000'),
    })
    r = json.loads(run('backtest', '--db', db, '--policy', new, '--json',
                       '--quiet', '--review', '30').stdout)
    compare('--review is how long a hold waits', r,
            {'waiting_added_s': 3600})
    r = json.loads(run('backtest', '--db', db, '--policy', new, '--json',
                       '--quiet', '--from', '2019-05-08').stdout)
    compare('--from a day counts from there', r,
            {'withdrawals': cell(1, '0.50000000'), 'events': 15})
    r = json.loads(run('backtest', '--db', db, '--policy', new, '--json',
                       '--quiet', '--until', '2019-05-07').stdout)
    compare('--until a day takes all of it', r,
            {'withdrawals': cell(5, '21.00000000'), 'events': 14})
    # Events 1 to 5 are the genesis, the policy and three accounts.
    r = json.loads(run('backtest', '--db', db, '--policy', new, '--json',
                       '--quiet', '--from', '7', '--until', '8').stdout)
    compare('--from and --until take numbers of events', r,
            {'withdrawals': cell(2, '7.00000000'), 'events': 8})
    text = run('backtest', '--db', db, '--policy', new, '--quiet').stdout
    case('the text says what was supposed', [
        w for w in ('What is supposed', '1h later', 'two', 'w3', 'more '
                    'severely') if w not in text])
    case('the text is 80 columns wide', [
        x for x in text.splitlines()[2:] if len(x) > 80 and 'shadow' not in
        x])


def milder(folder):
    lines = head() + [
        ask('w1', T0, '6'),
        at('cancel', T0 + H, id='w1'),
        ask('w2', T0 + 2 * H, '7'),
        at('deny', T0 + 3 * H, id='w2', by='alice'),
        ask('w3', T0 + 4 * H, '8', account='b'),
        at('release', T0 + 6 * H, id='w3', by='alice'),
    ]
    r = backtest(folder, BIG, 'default allow\n', lines)[0]
    compare('what would have been let go is counted', r, {
        'less_severe': cell(3, '21.00000000'),
        'accounts_less_severe': 2,
        'recorded/held/released_at_once': cell(3, '21.00000000'),
        'released_only_under_new': cell(2, '13.00000000'),
        'waiting_saved_s': 2 * 3600,
        'fraud': cell(1, '7.00000000'),
        'fraud_recorded/held': cell(1, '7.00000000'),
        'fraud_new/released': cell(1, '7.00000000'),
    })


def free(folder):
    """Its own releases fill its budgets, not those of reality."""
    lines = head('ab') + [ask('w%d' % i, T0 + i * M, '1', account='ab'[i % 2],
                              address=ADDRESS if i % 2 else OTHER)
                          for i in range(10)]
    new = ('default allow\ndeny "budget" when '
           'sum released on platform in 24h > 3.5 btc\n')
    r = backtest(folder, 'default allow\n', new, lines)[0]
    compare('a budget is filled by what the new policy lets go', r, {
        'recorded/released_at_once/denied': cell(7, '7.00000000'),
        'released_only_in_reality': cell(7, '7.00000000'),
    })


def halts(folder):
    lines = head() + [
        ask('w1', T0, '6'),
        ask('w2', T0 + 10 * M, '1', account='b'),
        ask('w3', T0 + 2 * H, '1', account='b'),
    ]
    new = 'default allow\nhalt "stop" when amount > 5 btc\n'
    r = backtest(folder, 'default allow\n', new, lines)[0]
    compare('a halt of its own ends after the review', r, {
        'halts_new': 1, 'halts_recorded': 0,
        'first_halts/0/t': T0, 'first_halts/0/until': T0 + H,
        'first_halts/0/rule': 'stop',
        'recorded/released_at_once/stopped': cell(1, '1.00000000'),
        'recorded/released_at_once/released_at_once':
            cell(1, '1.00000000'),
        # w1 waits an hour for a look, w2 fifty minutes for the resume.
        'waiting_added_s': 110 * 60,
    })


def codes(folder):
    lines = head() + [
        ask('w1', T0, '6'),
        ask('w2', T0 + M, '6', account='b', second_factor=True),
    ]
    r = backtest(folder, 'default allow\n', 'default allow\n'
                 'step-up "code" when amount > 5 btc\n', lines)[0]
    compare('a code that is asked for comes as it ended', r, {
        'recorded/released_at_once/stepped_up': cell(2, '12.00000000'),
        'supposed_codes': 1, 'waiting_added_s': 0,
        'released_only_in_reality': cell(0, '0.00000000'),
    })


def not_me(folder):
    lines = head() + [
        ask('w1', T0, '6'),
        at('outcome', T0 + M, id='w1', state='paid'),
        ask('w2', T0 + 30 * D, '1', account='b'),
        at('outcome', T0 + 40 * D, id='w1', state='denied'),
        at('outcome', T0 + 41 * D, id='w1', state='denied'),
    ]
    r = backtest(folder, 'default allow\n', BIG, lines)[0]
    compare('fraud that is reported long after counts, once', r, {
        'fraud': cell(1, '6.00000000'),
        'fraud_new/held': cell(1, '6.00000000'),
        'fraud_new/released': cell(1, '6.00000000'),
    })


def observed(folder):
    lines = head() + [ask('w1', T0, '6')]
    r = backtest(folder, 'mode observe\n' + BIG, BIG, lines)[0]
    compare('a policy that observed let go what the new one holds', r, {
        'recorded/released_at_once/held': cell(1, '6.00000000')})
    r, db, new = backtest(folder, BIG, 'mode observe\n' + BIG, lines)
    compare('one that observes stops nothing', r, {
        'enforces': False,
        'recorded/held/released_at_once': cell(1, '6.00000000')})


def changed(folder):
    """The journal changed its policy: both are known by name."""
    db = os.path.join(folder, 'c.db')
    old = policy(os.path.join(folder, 'old'), BIG)
    strict = policy(os.path.join(folder, 'strict'), BIG +
                    'hold "three" when amount > 3 btc\n')
    a = scenario(os.path.join(folder, 'a'), head() + [ask('w1', T0, '4')])
    b = scenario(os.path.join(folder, 'b'), [
        at('scenario', 0, version=1), ask('w2', T0 + H, '4'),
        ask('w3', T0 + 2 * H, '6')])
    record(db, old, a)
    record(db, strict, b)
    r = json.loads(run('backtest', '--db', db, '--policy', old, '--json',
                       '--quiet').stdout)
    rules = {x['rule']: x for x in r['rules']}
    compare('rules of every policy that was in force have their names',
            rules, {'three/only_recorded': cell(2, '10.00000000'),
                    'big/both': cell(1, '6.00000000')})
    compare('and what it decided alone is less now', r,
            {'less_severe': cell(1, '4.00000000')})


def same(folder):
    """The policy that decided it decides nothing otherwise: with people,
    halts, delays, codes and what matures."""
    path = os.path.join(folder, 'sim.jsonl')
    run('simulate', '--seed', '3', '--preset', 'small', '--days', '20',
        '--attack', 'one-address', '-o', path)
    with open(path, encoding='utf-8') as f:
        lines = [json.loads(x) for x in f]
    old = os.path.join(ROOT, 'etc', 'default.policy')
    db = os.path.join(folder, 'first.db')
    record(db, old, path, '--batch', '100')
    # Again, with people who look at what was held, some late.
    held = [e for e in journal_tools.log(db) if 'hold' in json.dumps(e) and
            e.get('type') == 'withdraw']
    extra = []
    for i, e in enumerate(held):
        t = e['t'] + [10 * M, 3 * H, 30 * H][i % 3]
        kind = 'deny' if i % 4 == 3 else 'release'
        extra.append(at(kind, t, id=e['id'], by='bob'))
        if kind == 'release' and i % 8 == 1:
            extra.append(at('outcome', t + D, id=e['id'], state='denied'))
    last = lines[-1]['t']
    middle = lines[len(lines) * 3 // 4]['t']
    extra += [at('halt', middle, by='bob'),
              at('resume', middle + 2 * H, by='bob')]
    extra = [x for x in extra if x['t'] <= last]
    lines = lines[:1] + sorted(lines[1:] + extra, key=lambda x: x['t'])
    db = os.path.join(folder, 'people.db')
    record(db, old, scenario(os.path.join(folder, 'people.jsonl'), lines),
           '--batch', '100')
    r = json.loads(run('backtest', '--db', db, '--policy', old, '--json',
                       '--quiet').stdout)
    wrong = [k for k in ('more_severe', 'less_severe',
                         'released_only_in_reality',
                         'released_only_under_new') if r[k]['count'] != 0]
    wrong += [k for k in ('waiting_added_s', 'waiting_saved_s')
              if r[k] != 0]
    wrong += [x['rule'] for x in r['rules'] if x['only_new']['count'] or
              x['only_recorded']['count']]
    wrong += ['fraud'] * (r['fraud_new'] != r['fraud_recorded'])
    wrong += ['no fraud'] * (r['fraud']['count'] == 0)
    wrong += ['held %d' % len(held)] * (len(held) < 8)
    case('the policy that decided it changes nothing', wrong)


def refused(folder):
    db = os.path.join(folder, 'r.db')
    old = policy(os.path.join(folder, 'old'), BIG)
    record(db, old, scenario(os.path.join(folder, 's'), head()))
    journal_tools.sentence('no such database', run(
        'backtest', '--db', db + 'x', '--policy', old, '--quiet',
        status=None), 'r.dbx')
    bad = write(os.path.join(folder, 'bad'), 'policy 1\nhold when\n')
    r = run('backtest', '--db', db, '--policy', bad, status=1)
    case('a bad policy is shown by line', [r.stderr] if 'bad:2' not in
         r.stderr else [])
    for args in (['--from', 'x'], ['--until', '2019-02-30'],
                 ['--review', '-1'], ['--from', '0'], ['etc']):
        run('backtest', '--db', db, '--policy', old, *args, status=2)
    run('backtest', '--db', db, status=2)
    r = run('backtest', '--db', db, '--policy', old, '--quiet')
    case('a journal without withdrawals', [] if 'nothing to compare' in
         r.stdout else [r.stdout])


def main():
    for test in (stricter, milder, free, halts, codes, not_me, observed,
                 changed, same, refused):
        with tempfile.TemporaryDirectory() as folder:
            test(folder)
    return 1 if journal_tools.failed else 0


if __name__ == '__main__':
    sys.exit(main())
