#!/usr/bin/env python3
"""`drawbridge audit` and `drawbridge explain` on small journals: every way of
changing one is found and named, and a withdrawal's story is told whole.

That every single bit is found is engine/test/test_verify.c; here it is one bit
of every few bytes, through the program and the database.
"""
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROG = os.path.abspath(os.environ.get('DRAWBRIDGE') or
                       os.path.join(ROOT, 'build', 'drawbridge'))
MIN, H, D = 60000, 3600000, 86400000
T0 = 1772323200000      # 2026-03-01 00:00 UTC
ADDRESS = 'bc1qp6k6tux6g3gr3sxw94g9tx4l0cjtu2pt65r6xp'
POLICY = '''policy 1
default hold
set exemptions upto 50 % of hot
table <makers> of accounts { "maker" }
class large when amount >= 1 btc
allow "routine" when amount <= 5 btc or account in <makers>
delay 1h "some" when large      # who may still take it back
hold by 2 "much" when amount > 1 btc
    and sum asked by account in 24h > 3 btc
shadow hold "an idea" when amount >= 0.5 btc
exempt "maker" from much when account in <makers>
    upto 30 btc in 24h, 9 in 24h until 2027-03-31
'''
failed = 0
folder = None


def case(name, good, *why):
    global failed
    if good:
        print('ok audit: ' + name, flush=True)
    else:
        failed += 1
        print('not ok audit: %s: %s' % (name, ' | '.join(
            repr(w) for w in why)[:1500]), flush=True)
    return good


def path(name):
    return os.path.join(folder, name)


def run(*args, env=None):
    return subprocess.run([PROG] + list(args), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False,
                          timeout=120, env=dict(os.environ, **(env or {})))


def audit(what, db, *args):
    return run('audit', what, '--db', path(db), *args)


def explain(name, *args, db='a'):
    return run('explain', '--db', path(db), name, *args)


def line(kind, t, **keys):
    return dict({'type': kind, 't': T0 + t}, **keys)


def ask(name, t, amount, account='alice', **more):
    return line('withdraw', t, id=name, account=account, via='web',
                address=ADDRESS, amount=amount, ip='192.0.2.7', **more)


def scenario():
    """Everything that can happen to a withdrawal, and some company."""
    lines = [{'type': 'scenario', 't': 0, 'version': 1, 'network': 'main'}]
    for name in ('alice', 'bob', 'maker'):
        lines.append(line('account', 1, account=name))
    lines.append(line('hot_balance', 2, amount='100'))
    lines += [
        ask('small', MIN, '0.1'),
        ask('some', 2 * MIN, '1.5'),
        ask('much', 3 * MIN, '2'),
        line('release', 10 * MIN, id='much', by='carol', reason='called him'),
        line('release', 2 * H, id='much', by='dave', reason='so did I'),
        line('outcome', 3 * H, id='some', state='paid'),
        ask('his', 4 * H, '1.2', account='bob'),
        line('cancel', 4 * H + MIN, id='his', reason='not_me'),
        ask('after', 5 * H, '0.2', account='bob'),
        ask('exempted', 6 * H, '4', account='maker'),
        line('halt', 8 * H, by='erin', reason='a drill'),
        ask('stopped', 8 * H + MIN, '0.3'),
        line('resume', 9 * H, by='erin', reason='it was one'),
        ask('huge', 10 * H, '6', account='alice'),
    ]
    # Company, so that there are some tens of rows, and a second month.
    for i in range(60):
        lines.append(line('deposit', 11 * H + i * MIN, account='maker',
                          amount='0.%02d' % (i + 1)))
    lines.append(ask('late', 9 * D, '0.01'))
    for i in range(12):
        lines.append(ask('april-%d' % i, 40 * D + i * H, '0.05',
                         account='maker'))
    return lines


def record(db, lines, policy=POLICY, *more):
    with open(path(db + '.policy'), 'w', encoding='utf-8') as f:
        f.write(policy)
    with open(path(db + '.jsonl'), 'w', encoding='utf-8') as f:
        for entry in lines:
            f.write(json.dumps(entry) + '\n')
    r = run('record', '--db', path(db), '--policy', path(db + '.policy'),
            '--batch', '3', *more, path(db + '.jsonl'))
    if r.returncode != 0:
        print('not ok audit: set up: ' + r.stderr)
        sys.exit(1)


def rows_of(db):
    with sqlite3.connect(path(db)) as c:
        rows = c.execute('SELECT seq, row FROM journal ORDER BY seq')
        found = rows.fetchall()
    c.close()
    return found


class Changed:
    """A copy of a journal, to be changed."""

    def __init__(self, db='a'):
        for more in ('', '.keys'):
            shutil.copy(path(db) + more, path('c') + more)
        self.c = sqlite3.connect(path('c'), isolation_level=None)
        self.c.execute('PRAGMA synchronous = off')

    def put(self, seq, row):
        self.c.execute('UPDATE journal SET row = ? WHERE seq = ?',
                       (row, seq))

    def close(self):
        self.c.close()
        for more in ('', '.keys', '-wal', '-shm'):
            if os.path.exists(path('c') + more):
                os.unlink(path('c') + more)


def names(r, number, seq):
    """Is this row named, and what before it is whole?"""
    row = re.search(r': row (\d+) \((?:from event|events?) (\d+)', r.stderr)
    whole = 'everything up to event %d is whole\n' % (seq - 1) if seq > 1 \
        else 'nothing before it is certain\n'
    return r.returncode == 1 and r.stdout == '' and row is not None and \
        (int(row.group(1)), int(row.group(2))) == (number, seq) and \
        r.stderr.endswith(whole)


# ------------------------------------------------------------------- whole

def test_whole(rows):
    r = audit('verify', 'a')
    case('what was recorded is whole', r.returncode == 0 and
         r.stderr == '' and 'is whole' in r.stdout, r)
    case('without a head it says what it does not know',
         'only a head kept elsewhere' in r.stdout, r.stdout)
    case('80 columns', max(len(s) for s in r.stdout.splitlines()) <= 80,
         r.stdout)
    r = audit('verify', 'a', '--quiet')
    case('--quiet', r.returncode == 0 and r.stdout + r.stderr == '', r)
    r = audit('verify', 'a', '--json', '--decisions')
    j = json.loads(r.stdout)
    case('as JSON', r.returncode == 0 and j['whole'] and
         j['wrong'] is None and j['rows'] == len(rows) and
         j['first'] == 1 and j['events'] == j['last'] and
         j['bytes'] == sum(len(row) for _, row in rows) and
         j['hash'] == rows[-1][1][-32:].hex() and
         j['proved_up_to'] is None, j)
    case('all is decided again', j['decisions'] ==
         {'judged': j['last'], 'followed': 0}, j)
    r = audit('verify', 'a', '--from', '20', '--json')
    j = json.loads(r.stdout)
    case('--from', r.returncode == 0 and 15 < j['first'] <= 20, j)
    r = run('audit', 'verify', env={'DRAWBRIDGE_DATA': folder})
    case('$DRAWBRIDGE_DATA', r.returncode == 1 and
         'journal.db' in r.stderr, r)
    r = audit('verify', 'nothing')
    case('no database: one sentence', r.returncode == 1 and
         r.stderr.count('\n') == 1, r)
    for wrong in (['verify', '--by', 'x'], ['head', '--from', '3'], ['x'],
                  ['verify', 'x'], [], ['verify', '--from', '0']):
        r = run('audit', '--db', path('a'), *wrong)
        case('wrong usage: ' + ' '.join(wrong), r.returncode == 2 and
             r.stdout == '' and 'usage:' in r.stderr, r)


# ----------------------------------------------------------------- changed

def test_flips(rows):
    rng = random.Random(3)
    missed = []
    flips = 0
    copy = Changed()
    for number, (seq, row) in enumerate(rows, 1):
        at = rng.randrange(40)
        while at < len(row):
            bit = rng.randrange(8)
            bad = bytearray(row)
            bad[at] ^= 1 << bit
            copy.put(seq, bytes(bad))
            r = audit('verify', 'c')
            flips += 1
            if not names(r, number, seq):
                missed.append((number, at, bit, r.stderr))
            at += 1 + rng.randrange(80)
        copy.put(seq, row)
    r = audit('verify', 'c')
    copy.close()
    case('flipped bits: the row is named (%d)' % flips, not missed and
         flips > 200 and r.returncode == 0, missed[:3])


def test_places(rows):
    wrong = []
    for i in range(0, len(rows) - 1, 3):
        copy = Changed()
        copy.put(rows[i][0], rows[i + 1][1])
        copy.put(rows[i + 1][0], rows[i][1])
        r = audit('verify', 'c')
        copy.close()
        if not names(r, i + 1, rows[i][0]):
            wrong.append((i, r.stderr))
    case('swapped rows', not wrong, wrong[:3])
    wrong = []
    for i in range(0, len(rows) - 1, 3):
        copy = Changed()
        copy.c.execute('DELETE FROM journal WHERE seq = ?', (rows[i][0],))
        r = audit('verify', 'c')
        copy.close()
        if not names(r, i + 1, rows[i][0]) or 'missing' not in r.stderr:
            wrong.append((i, r.stderr))
    case('a missing row', not wrong, wrong[:3])
    wrong = []
    for i in range(1, len(rows) - 1, 3):
        copy = Changed()
        copy.c.execute('INSERT INTO journal (seq, row) VALUES (?, ?)',
                       (rows[i][0] + 1, rows[i][1]))
        r = audit('verify', 'c')
        copy.close()
        if not names(r, i + 2, rows[i + 1][0]):
            wrong.append((i, r.stderr))
    case('a row twice', not wrong, wrong[:3])
    wrong = []
    other = dict(rows_of('b'))
    for i, (seq, _) in enumerate(rows):
        if seq in other and i % 3 == 0:
            copy = Changed()
            copy.put(seq, other[seq])
            r = audit('verify', 'c')
            copy.close()
            if not names(r, i + 1, seq):
                wrong.append((i, r.stderr))
    case('a row of another journal', not wrong, wrong[:3])
    copy = Changed()
    shutil.copy(path('b.keys'), path('c.keys'))
    r = audit('verify', 'c')
    case('the keyring of another', r.returncode == 1 and
         'another deployment' in r.stderr and 'row 1 ' in r.stderr, r)
    os.unlink(path('c.keys'))
    r = audit('verify', 'c')
    case('no keyring', r.returncode == 0 and 'no keyring' in r.stdout, r)
    copy.close()


def test_file(rows):
    """The file itself, below SQLite."""
    copy = Changed()
    copy.close()
    shutil.copy(path('a'), path('c'))
    shutil.copy(path('a.keys'), path('c.keys'))
    with open(path('c'), 'r+b') as f:
        f.seek(3 * 4096)
        f.write(b'\xff' * 4096)
    r = audit('verify', 'c')
    case('a page of the file is gone', r.returncode == 1 and
         r.stderr != '', r)
    with open(path('c'), 'r+b') as f:
        f.truncate(2 * 4096)
    r = audit('verify', 'c')
    case('the file is cut', r.returncode == 1 and r.stderr != '', r)
    os.unlink(path('c'))
    os.unlink(path('c.keys'))


# -------------------------------------------------------------------- heads

def test_heads(rows):
    head = audit('head', 'a').stdout
    j = json.loads(audit('head', 'a', '--json').stdout)
    case('head: one line', head == j['head'] + '\n' and
         head.startswith('drawbridge-head-1 ') and
         j['hash'] == rows[-1][1][-32:].hex(), head)
    with open(path('heads'), 'w', encoding='utf-8') as f:
        f.write('# of Sunday\n\n' + head + head)
    r = audit('verify', 'a', '--head', path('heads'))
    case('a file of heads holds', r.returncode == 0 and
         'Nothing was cut off' in r.stdout and '2 of 2' in r.stdout, r)
    r = audit('verify', 'a', '--head', head.strip(), '--json')
    case('a head as text', r.returncode == 0 and
         json.loads(r.stdout)['proved_up_to'] == j['seq'], r)
    # Cut off, or an older copy: which is the same.
    copy = Changed()
    copy.c.execute('DELETE FROM journal WHERE seq = ?', (rows[-1][0],))
    older = audit('head', 'c').stdout
    r = audit('verify', 'c')
    case('a cut tail alone is not seen', r.returncode == 0, r)
    r = audit('verify', 'c', '--head', path('heads'))
    case('a cut tail, with a head', r.returncode == 1 and
         'cut off: the head says %d events' % j['seq'] in r.stderr and
         'the journal has %d' % (rows[-1][0] - 1) in r.stderr, r)
    copy.close()
    r = audit('verify', 'a', '--head', older.strip())
    case('an older head of a longer journal', r.returncode == 0 and
         'Nothing up to event' in r.stdout, r)
    bad = head.strip()[:-1] + ('0' if head.strip()[-1] != '0' else '1')
    r = audit('verify', 'a', '--head', bad)
    case('a head with a wrong signature', r.returncode == 1 and
         'not signed by the engine' in r.stderr, r)
    r = audit('verify', 'a', '--head', audit('head', 'b').stdout.strip())
    case('a head of another journal', r.returncode == 1 and
         'another deployment' in r.stderr, r)
    with open(path('heads'), 'a', encoding='utf-8') as f:
        f.write('drawbridge-head-1 x\n')
    r = audit('verify', 'a', '--head', path('heads'))
    case('a head that is none: its line', r.returncode == 1 and
         'line 5' in r.stderr and r.stdout == '', r)


def skip_varint(row, at):
    while row[at] >= 128:
        at += 1
    return at + 1


def deposits(rows):
    """A row of three deposits, nothing in it sealed."""
    for i, (_, row) in enumerate(rows):
        if row[68:72] == bytes(4) and row.count(b'\x05maker') == 3 and i > 5:
            return i
    sys.exit('no row of deposits')


def chain(rows, start):
    """The chain made anew from row number `start` on: by whoever can write
    the database and knows how it is made."""
    before = rows[start - 1][1][-32:]
    for i in range(start, len(rows)):
        body = rows[i][1][:-32]
        before = hashlib.sha256(before + body).digest()
        rows[i] = (rows[i][0], body + before)


def forge(rows, start):
    copy = Changed()
    chain(rows, start)
    for seq, row in rows[start:]:
        copy.put(seq, row)
    return copy


def test_forged(rows):
    """An amount is changed, and the chain made anew."""
    head = audit('head', 'a').stdout.strip()
    rows = list(rows)
    i = deposits(rows)
    seq, row = rows[i]
    # Its amount stands behind who sent it, and his number.
    at = skip_varint(row, row.index(b'a.jsonl') + len(b'a.jsonl'))
    changed = bytearray(row)
    changed[at] ^= 1
    rows[i] = (seq, bytes(changed))
    copy = forge(rows, i)
    r = audit('verify', 'c')
    case('a chain made anew is whole in itself', r.returncode == 0, r)
    r = audit('verify', 'c', '--head', head)
    case('a chain made anew, with a head', r.returncode == 1 and
         'the chain made anew' in r.stderr, r)
    copy.close()


def test_decisions(rows):
    """A deposit to an account that was never opened, recorded as taken."""
    rows = list(rows)
    i = deposits(rows)
    seq, row = rows[i]
    rows[i] = (seq, row.replace(b'\x05maker', b'\x05nobdy', 1))
    copy = forge(rows, i)
    r = audit('verify', 'c', '--decisions')
    case('a decision that is not what comes of it', r.returncode == 1 and
         'event %d (deposit)' % seq in r.stderr and
         'is not what was recorded' in r.stderr, r)
    copy.close()


# ------------------------------------------------------------------ explain

def has(r, *words):
    flat = re.sub(r'\s+', ' ', r.stdout)
    return r.returncode == 0 and r.stderr == '' and \
        all(w in flat for w in words)


def test_explain():
    r = explain('small')
    case('explain: let through', has(
        r, 'withdrawal small', 'account alice', 'amount 0.1 btc',
        'to ' + ADDRESS, 'asked for: allow, released', 'allow routine',
        'allow "routine" when amount <= 5 btc or account in <makers>',
        'Now released since 2026-03-01 00:01:00 UTC'), r)
    case('explain: 80 columns, no colours, no IP', max(
        len(s) for s in r.stdout.splitlines()) <= 80 and
        '\033' not in r.stdout and '192.0.2.7' not in r.stdout, r)
    case('explain --personal', 'from 192.0.2.7' in
         explain('small', '--personal').stdout)
    r = explain('some')
    case('explain: a delay, its end, its payment', has(
        r, 'asked for: delay 1h, waiting', 'until 2026-03-01 01:02:00',
        'a.policy:7', 'delay 1h "some" when large', 'large yes',
        'its delay ended: allow, released', 'it was paid: paid',
        'Now paid since 2026-03-01 03:00:00'), r)
    case('explain: a shadow is marked', has(
        r, 'an idea (shadow: only reported)',
        'shadow hold "an idea" when amount >= 0.5 btc'), r)
    case('explain: no comment of the policy', 'take it back' not in
         r.stdout, r)
    r = explain('much')
    case('explain: people, and why', has(
        r, 'delay 1h and hold for 2 people, held', 'hold for 2 people much',
        'hold by 2 "much" when amount > 1 btc and sum asked by account in '
        '24h > 3 btc', 'sum asked by account in 24h 3.6 btc',
        'by carol: "called him"', 'by dave: "so did I"',
        'Now released since 2026-03-01 02:00:00'), r)
    r = explain('his')
    case('explain: cancelled', has(r, 'the customer: not me',
                                   'Now cancelled'), r)
    r = explain('after')
    case('explain: not the policy denied it', has(
        r, 'deny (builtin:frozen), denied', 'Now denied'), r)
    r = explain('exempted')
    case('explain: an exemption is marked', has(
        r, 'much (silenced by an exemption)', 'Now released'), r)
    r = explain('stopped')
    case('explain: stopped and resumed', has(
        r, 'stopped', 'everything went on', 'by erin: "it was one"',
        'Now released since 2026-03-01 09:00:00'), r)
    r = explain('huge')
    case('explain: the default, and nobody answered', has(
        r, 'hold default (no rule allowed it)', 'a.policy:2',
        'nobody answered in time: expired', 'Now expired'), r)


def test_explain_json():
    r = explain('much', '--json')
    j = json.loads(r.stdout)
    first = j['events'][0]['outcomes'][0]
    case('explain --json', r.returncode == 0 and j['id'] == 'much' and
         j['now'] == 'released' and
         j['events'][0]['command']['amount'] == '2.00000000' and
         first['state'] == 'held' and first['people'] == 2 and
         [x['rule'] for x in first['rules']] == ['some', 'much', 'an idea']
         and [x['did'] for x in first['rules']] ==
         ['matched', 'matched', 'shadow'] and
         first['facts']['sum asked by account in 24h'] == '3.60000000' and
         first['rules'][1]['asks'] == 'hold for 2 people' and
         'ip' not in j['events'][0]['command'], r.stdout)
    j = json.loads(explain('much', '--json', '--personal').stdout)
    case('explain --json --personal',
         j['events'][0]['command']['ip'] == '192.0.2.7', j)
    r = explain('nobody')
    last = json.loads(audit('verify', 'a', '--json').stdout)['last']
    case('explain: an unknown id', r.returncode == 1 and r.stdout == '' and
         'no withdrawal `nobody` in its %d events' % last in r.stderr, r)
    for wrong in ([], ['a', 'b'], ['x' * 65]):
        r = run('explain', '--db', path('a'), *wrong)
        case('explain: wrong usage (%d)' % len(wrong), r.returncode == 2, r)
    copy = Changed()
    os.unlink(path('c.keys'))
    r = explain('some', db='c')
    case('explain without a keyring says what it cannot tell', has(
        r, 'asked for: delay 1h, waiting',
        'Now cannot be told: without the keyring'), r)
    copy.close()


def test_policies():
    """Two policies in one journal: each event under its own."""
    lines = scenario()
    record('p', lines[:13])
    stricter = POLICY.replace('hold by 2', 'hold "tight" when amount > '
                              '0.2 btc and amount < 0.4 btc\nhold by 2')
    record('p', lines, stricter, '--from', '14', '--as', 'zed')
    r = audit('verify', 'p', '--json', '--decisions')
    j = json.loads(r.stdout)
    case('two policies', r.returncode == 0 and j['policies'] == 2 and
         j['decisions']['followed'] == 0, r)
    r = explain('stopped', db='p')
    case('explain: under the second', has(
        r, 'everything went on: hold for 1 person, held', 'p.policy:8',
        'hold "tight" when amount > 0.2 btc and amount < 0.4 btc'), r)
    some = explain('some', db='p')
    case('explain: under the first', has(some, 'p.policy:7') and
         'tight' not in some.stdout, some)


def test_around():
    """A burst: the first of it is held when its delay ends (S28)."""
    policy = '''policy 1
default hold
class seldom-seen when not proven
delay 1h "look" when seldom-seen
allow "all" when amount <= 5 btc
hold "burst" when seldom-seen and distinct accounts asked on platform in 1h of
    seldom-seen > 3
'''
    lines = [{'type': 'scenario', 't': 0, 'version': 1, 'network': 'main'}]
    lines += [line('account', i, account='u%d' % i) for i in range(6)]
    lines.append(line('hot_balance', 6, amount='100'))
    lines += [ask('b%d' % i, MIN * (i + 1), '1', 'u%d' % i)
              for i in range(5)]
    lines.append(line('deposit', 3 * H, account='u5', amount='1'))
    record('around', lines, policy)
    r = explain('b0', db='around')
    case('explain: a burst around its asking', has(
        r, 'asked for: delay 1h, waiting', 'its delay ended',
        'hold for 1 person burst', 'asked on platform in 1h of '
        'seldom-seen as around its asking', 'Now held'), r)
    r = explain('b4', db='around')
    case('explain: a burst that it met', has(
        r, 'asked on platform in 1h of seldom-seen 5'), r)
    case('explain: a fact stands once', len(re.findall(
        r'^ +proven +no$', r.stdout, re.M)) == 1, r)
    case('explain: long names in 80 columns', max(
        len(s) for s in (explain('b0', db='around').stdout +
                         r.stdout).splitlines()) <= 80, r)


def test_forgotten():
    """March's keys are destroyed; the chain goes on over it."""
    record('f', scenario())
    before = json.loads(audit('verify', 'f', '--json').stdout)
    r = run('forget', '--db', path('f'), '--before', '2026-04-01', '--as',
            'yan', '--reason', 'a year', '--yes')
    if not case('forget', r.returncode == 0, r):
        return
    r = audit('verify', 'f', '--json', '--decisions')
    j = json.loads(r.stdout)
    case('destroyed months are counted, the chain is whole',
         r.returncode == 0 and j['whole'] and
         0 < j['destroyed_rows'] < j['sealed_rows'] and
         j['hash'] == before['hash'] and j['decisions']['followed'] > 0 and
         j['decisions']['judged'] + j['decisions']['followed'] ==
         j['last'], r)
    r = explain('some', '--personal', db='f')
    case('explain: what was forgotten is not told', has(
        r, 'from a network that is not to be read', 'Now paid') and
        '192.0.2.7' not in r.stdout, r)
    case('what was not forgotten is', '192.0.2.7' in
         explain('april-3', '--personal', db='f').stdout)


# ---------------------------------------------------------------------- log

def test_log():
    r = audit('log', 'a')
    last = json.loads(audit('verify', 'a', '--json').stdout)['last']
    lines = r.stdout.splitlines()
    case('log: a line an event', r.returncode == 0 and
         len(lines) == last, len(lines), last)
    case('log: no IP', '192.0.2.7' not in r.stdout)
    case('log --personal', '192.0.2.7' in
         audit('log', 'a', '--personal').stdout)
    r = audit('log', 'a', '--by', 'erin')
    case('log --by', [s.split()[4] for s in r.stdout.splitlines()] ==
         ['halt:', 'resume:'], r.stdout)
    r = audit('log', 'a', '--account', 'bob', '--json')
    rows = [json.loads(s) for s in r.stdout.splitlines()]
    case('log --account: what became of its withdrawals, too',
         [x['type'] for x in rows] ==
         ['account', 'withdraw', 'cancel', 'withdraw'], rows)
    r = audit('log', 'a', '--from', '5', '--until', '7', '--json')
    case('log --from, --until', [json.loads(s)['seq'] for s in
                                 r.stdout.splitlines()] == [5, 6, 7],
         r.stdout)


def main():
    global folder
    with tempfile.TemporaryDirectory() as folder:
        record('a', scenario())
        record('b', scenario())
        rows = rows_of('a')
        case('some tens of rows', 20 < len(rows) < 100, len(rows))
        test_whole(rows)
        test_places(rows)
        test_file(rows)
        test_heads(rows)
        test_forged(rows)
        test_decisions(rows)
        test_explain()
        test_explain_json()
        test_around()
        test_policies()
        test_forgotten()
        test_log()
        test_flips(rows)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
