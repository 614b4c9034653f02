#!/usr/bin/env python3
"""Programs that own `api`, or `auth`, attack the rooms behind them.

tests/redteam plays the owned room over its very link; afterwards the service
is started again and its journal is looked at: nothing is in it that no
customer signed, nothing that the policy or people stand against.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from service import BUILD, DAEMON, Cases, Service  # noqa: E402

PROGRAM = os.path.join(BUILD, 'tests', 'redteam')
POLICY = '''policy 1
default allow
deny "too much" when amount > 1 btc
hold "looked at" when amount > 0.5 btc
'''
case = Cases()


def redteam(s, room, ledger, held='none'):
    seed = os.environ.get('SEED', '4')
    key = s.keys[0]
    r = subprocess.run(
        [PROGRAM, room, os.path.abspath(DAEMON), s.conf(), s.data, seed,
         key.api_key, key.secret, key.account, s.keys[1].api_key,
         s.address(1), ledger, held],
        stdout=subprocess.PIPE, stderr=open(s.log, 'ab'), text=True,
        check=False, timeout=400)
    print(r.stdout, end='')
    case('owning %s: every attack ran (seed %s)' % (room, seed),
         r.returncode == 0 and r.stdout.count('\nok ') > 10, r.returncode)


def rows(s):
    """The whole history of both accounts, by the operators' eyes."""
    return s.ask('withdrawal', 'list', '--limit', '1000')


def prepare(s):
    s.hot('1000')
    s.keys = []
    for name in ('carol', 'dave'):
        s.account(name, btc='50')
        s.keys.append(s.key(name))


def in_force(s):
    return {'operators': s.ask('operator', 'list'),
            'policy': s.ask('policy', 'history')}


def own_api():
    with Service(policy=POLICY) as s:
        prepare(s)
        before = in_force(s)
        s.stop()
        ledger = os.path.join(s.dir, 'ledger')
        redteam(s, 'api', ledger)
        s.start()
        with open(ledger, encoding='ascii') as f:
            signed = f.read().split()
        got = rows(s)
        orders = [r.get('order') for r in got]
        case('owning api: withdrawals are in the journal', len(got) > 3,
             len(got))
        case('owning api: all were signed', set(orders) <= set(signed),
             sorted(map(str, set(orders) - set(signed)))[:5])
        case('owning api: each once', len(orders) == len(set(orders)))
        case('owning api: as they were signed', all(
            r['amount'] == '0.01000000' and r['account'] == 'carol' and
            r['address'] == s.address(1) for r in got), got[:2])
        case('owning api: nothing else changed', in_force(s) == before,
             in_force(s))
        case('owning api: nobody else lost', s.signed(
            s.keys[1], '/api/v3/account')[1]['balances'][0]['free'] ==
            '50.00000000')
        case('it stops as ever', s.stop() == 0)
        r = s.run('audit', 'verify', '--decisions', '--db',
                  os.path.join(s.data, 'journal.db'))
        case('owning api: the journal is whole', r.returncode == 0,
             r.stdout + r.stderr)


def own_auth():
    with Service(policy=POLICY) as s:
        prepare(s)
        got = s.apply(s.keys[1], '0.7', s.address(2))
        case('owning auth: one waits for people', got[0] == 200, got)
        held = got[1].get('id', 'none')
        before = in_force(s)
        hot = float(s.ask('status')['hot_sat'])
        s.stop()
        redteam(s, 'auth', os.path.join(s.dir, 'ledger'), held)
        s.start()
        got = rows(s)
        state = {r['id']: r['state'] for r in got}
        case('owning auth: what waits for people waits', state[held] in
             ('held', 'denied', 'cancelled', 'hold'), state[held])
        case('owning auth: nothing over the policy left', not any(
            float(r['amount']) > 0.5 and r['state'] in
            ('released', 'paid', 'issued') for r in got),
            [r for r in got if float(r['amount']) > 0.5 and
             r['state'] in ('released', 'paid', 'issued')][:3])
        now = in_force(s)
        for what in before:
            case('owning auth: %s is as it was' % what,
                 now[what] == before[what],
                 '%s, not %s' % (json.dumps(now[what]),
                                 json.dumps(before[what])))
        case('owning auth: the hot wallet has not become larger',
             float(s.ask('status')['hot_sat']) <= hot)
        case('owning auth: its halt can be lifted by people alone',
             s.ask('status')['halted'])
        case('it stops as ever', s.stop() == 0)
        r = s.run('audit', 'verify', '--decisions', '--db',
                  os.path.join(s.data, 'journal.db'))
        case('owning auth: the journal is whole', r.returncode == 0,
             r.stdout + r.stderr)


if __name__ == '__main__':
    own_api()
    own_auth()
    case.end()
