#!/usr/bin/env python3
"""Operators of a running service: quorums, proposals, policies, limits."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402

case = service.Cases()

HOLDS = '''policy 1
default allow
hold by 2 "large" when amount > 1 btc
'''


def text_of(r):
    return (r.stdout + r.stderr).strip()


def refused(s, name, words, *args, as_='alice'):
    more = ['--as', as_] if as_ else []
    r = s.run(*args, *more)
    case(name, r.returncode == 1 and words in text_of(r),
         'status %d, %s' % (r.returncode, text_of(r)))


def one_person():
    with service.Service(policy=service.EASY) as s:
        refused(s, 'unsigned, nothing loosens: an account', 'signature',
                'account', 'create', 'carol', as_=None)
        s.account('carol', btc='5', limit='10')
        refused(s, 'a limit up, unsigned', 'signature', 'account', 'set',
                'carol', '--limit-24h', '20', as_=None)
        s.ask('account', 'set', 'carol', '--limit-24h', '8')
        case('a limit down, unsigned',
             s.ask('account', 'list', 'carol')[0]['limit_24h'] ==
             '8.00000000')
        refused(s, 'a key that may withdraw needs networks', '--ip', 'key',
                'create', '--account', 'carol', '--type', 'hmac',
                '--withdraw')
        refused(s, 'a deposit is credited once for an id', 'already',
                'deposit', 'carol', '5', '--id', 'first-carol')
        k = s.key('carol')
        s.ask('key', 'set', k.api_key, '--ip', '127.0.0.1/32')
        refused(s, 'a wider network, unsigned', 'signature', 'key', 'set',
                k.api_key, '--ip', '127.0.0.0/8', as_=None)
        s.ask('key', 'set', k.api_key, '--no-withdraw')
        status, answer, _ = s.apply(k, '0.1', s.address(1))
        case('withdraw off, unsigned, is in force at once',
             (status, answer.get('code')) == (401, -2015), str(answer))
        s.ask('key', 'revoke', k.api_key)
        status, answer, _ = s.signed(k, '/api/v3/account')
        case('revoked, unsigned', status == 401, str(answer))

        s.ask('halt')
        status, answer, _ = s.apply(s.key('carol'), '0.1', s.address(1))
        case('halted: it waits, and has an id', status == 200 and
             s.ask('withdrawal', 'show', answer['id'])['state'] ==
             'stopped', str(answer))
        refused(s, 'resume, unsigned', 'signature', 'resume', as_=None)
        s.cli('resume')
        case('resumed: it is decided anew',
             s.ask('withdrawal', 'show', answer['id'])['state'] ==
             'released')
        refused(s, 'resume when nothing is halted', '', 'resume')
        refused(s, 'an operator whom nobody knows', 'key', 'halt',
                as_='mallory')


def two_persons():
    with service.Service(policy=HOLDS, init=['--quorum', '2', '--wait', '0'],
                         ) as s:
        r = s.run('account', 'create', 'carol', '--as', 'alice')
        case('a customer is opened by one person', r.returncode == 0,
             text_of(r))
        r = s.run('tell', '{"type":"hot_balance","amount":"1000"}', '--as',
                  'alice', '--json')
        n = json.loads(r.stdout).get('proposal') if r.stdout else None
        case('what loosens waits for a second person, status 3',
             r.returncode == 3 and n is not None, text_of(r))
        refused(s, 'who proposed does not count twice', 'already',
                'approve', str(n))
        r = s.run('approve', str(n), '--as', 'bob')
        case('the second person does it', r.returncode == 0, text_of(r))
        case('it is done', s.ask('status')['hot_sat'] == '1000.00000000',
             str(s.ask('status')))

        s.run('deposit', 'carol', '50', '--id', 'd', '--as', 'alice')
        r = s.run('key', 'create', '--account', 'carol', '--type', 'hmac',
                  '--withdraw', '--ip', '127.0.0.1', '--as', 'alice',
                  '--json')
        key = service.Key(json.loads(r.stdout))
        case('a key that may withdraw waits', r.returncode == 3)
        status, answer, _ = s.apply(key, '0.5', s.address(1))
        case('and is no key yet', status == 401, str(answer))
        n = [p['proposal'] for p in s.ask('approve', 'list')
             if p['state'] == 'open' and p['command'] == 'key'][0]
        s.cli('approve', str(n), as_='bob')
        status, answer, _ = s.apply(key, '0.5', s.address(1))
        case('approved: it is', status == 200, str(answer))

        status, answer, _ = s.apply(key, '2', s.address(2))
        held = answer['id']
        case('held for two', s.ask('queue')[0]['people'] == 2)
        s.cli('withdrawal', 'release', held)
        case('one released it: still held',
             s.ask('withdrawal', 'show', held)['state'] == 'held')
        s.run('withdrawal', 'release', held, '--as', 'alice')
        case('the same person twice: still held',
             s.ask('withdrawal', 'show', held)['state'] == 'held')
        s.cli('withdrawal', 'release', held, as_='bob')
        case('two released it',
             s.ask('withdrawal', 'show', held)['state'] == 'released')

        policies(s)
        refused(s, 'C7b: removal below the quorum', 'quorum', 'operator',
                'remove', 'bob')
        r = s.run('operator', 'quorum', '1', '--wait', '0', '--as', 'alice')
        case('C7b: a lower quorum waits', r.returncode == 3, text_of(r))


def policies(s):
    path = os.path.join(s.dir, 'new.policy')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(HOLDS.replace('1 btc', '9 btc'))
    r = s.run('policy', 'propose', path, '--as', 'alice', '--json')
    n = json.loads(r.stdout).get('proposal') if r.stdout else None
    case('a policy that loosens waits', r.returncode == 3, text_of(r))
    r = s.run('policy', 'diff', str(n))
    case('policy diff says which way', r.returncode == 0 and
         'loosens' in r.stdout and 'large' in r.stdout, text_of(r))
    before = s.ask('status')['policy']
    r = s.run('approve', str(n), '--as', 'bob')
    case('approved by the second: in force', r.returncode == 0 and
         s.ask('status')['policy'] != before, text_of(r))
    with open(path, 'w', encoding='utf-8') as f:
        f.write(HOLDS.replace('1 btc', '0.1 btc'))
    r = s.run('policy', 'propose', path, '--as', 'alice')
    case('a policy that tightens is in force at once', r.returncode == 0,
         text_of(r))


def waits():
    """A wait counts by the engine's time and by the machine's."""
    with service.Service(policy=service.EASY, init=['--wait', '1h']) as s:
        r = s.run('tell', '{"type":"hot_balance","amount":"5"}', '--as',
                  'alice')
        case('one person and a wait: it waits', r.returncode == 3 and
             'time' in r.stdout, text_of(r))
        time.sleep(0.3)
        case('and is not done yet', s.ask('status')['hot_sat'] !=
             '5.00000000')
        n = s.ask('approve', 'list')[0]['proposal']
        r = s.run('approve', 'discard', str(n))
        case('discarded by whoever may tighten', r.returncode == 0,
             text_of(r))
        case('gone', s.ask('approve', 'list')[0]['state'] != 'open')


def restart():
    with service.Service(policy=service.EASY, init=['--quorum', '2', '--wait',
                                                    '0']) as s:
        r = s.run('tell', '{"type":"hot_balance","amount":"7"}', '--as',
                  'alice', '--json')
        n = json.loads(r.stdout)['proposal']
        s.stop()
        s.start()
        s.cli('approve', str(n), as_='bob')
        case('a proposal outlives a restart',
             s.ask('status')['hot_sat'] == '7.00000000')


def keys():
    with service.Service(policy=service.EASY) as s:
        path = os.path.join(s.dir, 'dora')
        subprocess.run([service.PROGRAM, 'operator', 'keygen', path],
                       check=True, stdout=subprocess.DEVNULL)
        case('keygen: only its owner may read it',
             os.stat(path).st_mode & 0o77 == 0)
        s.cli('operator', 'add', 'dora', '--key', path + '.pub', '--roles',
              'reviewer', '--release-up-to', '1')
        s.env['DRAWBRIDGE_OPERATOR_KEY'] = path
        refused(s, 'a reviewer may not open accounts', 'may not', 'account',
                'create', 'x', as_='dora')
        s.cli('halt', as_='dora')
        case('a reviewer may halt', s.ask('status')['halted'])
        refused(s, 'and not resume', 'may not', 'resume', as_='dora')


def main():
    for part in (one_person, two_persons, waits, restart, keys):
        part()
    case.end()


if __name__ == '__main__':
    main()
