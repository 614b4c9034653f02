#!/usr/bin/env python3
"""A thousand applies at once against a limit for ten: ten are released.

A limit of the policy by count and by sum over the platform, and an account's
balance.  HMAC keys, hundreds of connections, many accounts.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import parallel  # noqa: E402
from service import Cases, Service  # noqa: E402

APPLIES = 1000
ACCOUNTS = 20
CONNECTIONS = 250
case = Cases()
# What is under 0.005 is judged by its account's balance alone.
SUM = '''policy 1
default allow
deny "ten" when amount > 0.005 btc
    and sum committed on platform in 24h > 0.1 btc
'''
COUNT = '''policy 1
default allow
hold "ten" when amount > 0.005 btc
    and count committed on platform in 24h > 10
'''


def applies(s, keys, n, amount):
    return [parallel.apply(keys[i % len(keys)], amount=amount,
                           address=s.address(i), withdrawOrderId='f%d' % i)
            for i in range(n)]


def left(s, account=None):
    args = ['--account', account] if account else []
    rows = s.ask('withdrawal', 'list', '--limit', '1000', *args)
    return [r for r in rows if r['state'] in LEFT]


LEFT = ('released', 'issued', 'paid')


def against(name, policy, statuses):
    with Service(policy=policy) as s:
        s.hot('1000')
        keys = []
        for i in range(ACCOUNTS):
            s.account('a%d' % i, btc='10')
            keys.append(s.key('a%d' % i))
        got = parallel.run(s, applies(s, keys, APPLIES, '0.01'), CONNECTIONS)
        by_status = {}
        for a in got:
            by_status[a and a[0]] = by_status.get(a and a[0], 0) + 1
        print('# %s: %r' % (name, by_status))
        case('%s: %d at once, all answered' % (name, APPLIES),
             set(by_status) <= statuses and sum(by_status.values()) ==
             APPLIES, (by_status, [a for a in got if a and a[0] != 200][:1]))
        rows = [r for r in left(s) if float(r['amount']) > 0.005]
        case('%s: ten released' % name, len(rows) == 10, len(rows))
        case('%s: and no more is missing from the hot wallet' % name,
             s.ask('status')['hot_sat'] == '999.90000000',
             s.ask('status')['hot_sat'])
        # One account, with money for ten.
        s.account('poor', btc='0.04')
        poor = s.key('poor')
        got = parallel.run(s, applies(s, [poor], APPLIES, '0.004'),
                           CONNECTIONS)
        good = [a for a in got if a and a[0] == 200]
        case('%s: a balance for ten: ten answered' % name, len(good) == 10,
             len(good))
        rows = left(s, 'poor')
        case('%s: a balance for ten: ten released' % name, len(rows) == 10,
             len(rows))
        free = [b['free'] for b in s.signed(poor, '/api/v3/account')[1]
                ['balances'] if b['asset'] == 'BTC']
        case('%s: and nothing is left of it' % name, free in (
            ['0.00000000'], []), free)
        case('%s: it stops as ever' % name, s.stop() == 0)
        r = s.run('audit', 'verify', '--decisions', '--db',
                  os.path.join(s.data, 'journal.db'))
        case('%s: the journal is whole' % name, r.returncode == 0,
             r.stdout + r.stderr)


if __name__ == '__main__':
    against('a sum that denies', SUM, {200, 400})
    against('a count that holds', COUNT, {200})
    case.end()
