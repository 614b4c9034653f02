#!/usr/bin/env python3
"""The report of `drawbridge replay`: one small scenario for each sentence of
drawbridge.scenario(5) about counting, the reviewer and the order of things.
"""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROG = os.path.abspath(os.environ.get('DRAWBRIDGE') or
                       os.path.join(ROOT, 'build', 'drawbridge'))
S, M, H, D = 1000, 60000, 3600000, 86400000
T0 = 1557187200000      # 2019-05-07 00:00 UTC
ADDRESS = 'bc1qp6k6tux6g3gr3sxw94g9tx4l0cjtu2pt65r6xp'
OTHER = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'
KEYS = ['released_at_once', 'delayed', 'stepped_up', 'stopped', 'held',
        'denied']
failed = 0
case = None


def want(got, expected, what=''):
    global failed
    if got != expected:
        failed += 1
        print('not ok replay %s: %s want %r, got %r' %
              (case, what, expected, got), flush=True)
    return got == expected


def line(kind, t, **keys):
    d = {'type': kind, 't': t}
    d.update((k, v) for k, v in keys.items() if v is not None)
    return d


def start(hot=None, accounts='abm'):
    lines = [line('scenario', 0, version=1, network='main')]
    lines += [line('account', 1, account=a) for a in accounts]
    if hot is not None:
        lines.append(line('hot_balance', 2, amount=hot))
    return lines


def ask(name, t, amount, label='legit', account='a', via='api',
        address=ADDRESS, **more):
    return line('withdraw', T0 + t, id=name, account=account, via=via,
                address=address, amount=amount, label=label, **more)


def at(kind, t, **keys):
    return line(kind, T0 + t, **keys)


class Result:
    pass


def replay(policy, lines, *args, status=0):
    """Policy text and lines; the report, and the decisions by id."""
    r = Result()
    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)
        with open(path('p'), 'w', encoding='utf-8') as f:
            f.write('policy 1\n' + policy)
        with open(path('s'), 'w', encoding='utf-8') as f:
            for entry in lines:
                f.write(json.dumps(entry) + '\n')
        p = subprocess.run(
            [PROG, 'replay', '--policy', path('p'), '--report', 'json',
             '--decisions', path('d')] + list(args) + [path('s')],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
            check=False)
        want(p.returncode, status, 'exit status: ' + p.stderr.decode())
        if p.returncode != 0:
            return None
        r.report = json.loads(p.stdout)
        with open(path('d'), encoding='utf-8') as f:
            rows = [json.loads(row) for row in f]
    r.rows = rows
    r.of = {row['id']: row for row in rows}
    return r


def counts(r, label='legit'):
    """The keys that are not empty."""
    return {k: r.report[label][k]['count'] for k in KEYS
            if r.report[label][k]['count'] > 0}


def released(r, name):
    """When it was released after T0, or None."""
    t = r.of[name]['released_at']
    return None if t is None else t - T0


# ----------------------------------------------------------------- counting

def test_shape():
    r = replay('default allow\n', start('10') + [ask('1', 0, '1')])
    want(list(r.report)[:12],
         ['scenario', 'policy', 'withdrawals', 'legit', 'attack',
          'unlabelled', 'loss_btc', 'loss_share_of_hot', 'first_alarm_ms',
          'halts', 'reviews', 'decisions_per_second'])
    for label in ('legit', 'attack', 'unlabelled'):
        want(list(r.report[label]), ['count', 'btc'] + KEYS)
        for key in KEYS:
            more = {'delayed': ['median_s', 'p99_s'],
                    'stepped_up': ['refused']}.get(key, [])
            want(list(r.report[label][key]), ['count', 'btc'] + more)
    want(r.report['legit']['btc'], '1.00000000')
    want(list(r.rows[0]), ['id', 't', 'verdict', 'rules', 'facts', 'worst',
                           'released_at', 'final'])


def test_empty():
    for lines in ([], start()):
        r = replay('default allow\n', lines)
        want(r.report['withdrawals'], 0)
        want(r.report['loss_btc'], '0.00000000')
        want(r.report['loss_share_of_hot'], None)
        want(r.report['first_alarm_ms'], None)
        want(r.report['halts'], [])
        want(r.rows, [])


def test_labels():
    r = replay('default allow\n', start() + [
        ask('1', 0, '1'), ask('2', 1, '2', label='attack'),
        ask('3', 2, '4', label=None)])
    want([r.report[k]['btc'] for k in ('legit', 'attack', 'unlabelled')],
         ['1.00000000', '2.00000000', '4.00000000'])
    want(counts(r, 'unlabelled'), {'released_at_once': 1})


def test_delayed():
    rules = ''.join('delay %ds when amount = %d btc\n' % (10 * n, n)
                    for n in (1, 2, 3, 4))
    r = replay('default allow\n' + rules, start() +
               [ask(str(n), n, str(n)) for n in (1, 2, 3, 4)] +
               [at('fund', H, amount='1')])
    want(counts(r), {'delayed': 4})
    want(r.report['legit']['delayed']['median_s'], 20, 'lower median')
    want(r.report['legit']['delayed']['p99_s'], 40, 'nearest rank')
    want(released(r, '3'), 3 + 30 * S)
    want(r.of['3']['verdict'], 'delay')
    want(r.of['3']['worst'], 'delay')


def test_waiting():
    r = replay('default allow\ndelay 1h when amount >= 1 btc\n',
               start('100') + [ask('1', 0, '1', label='attack'),
                               at('fund', H - 1, amount='1')])
    want(r.of['1']['final'], 'waiting')
    want(r.of['1']['released_at'], None)
    want(counts(r, 'attack'), {'delayed': 1})
    want(r.report['loss_btc'], '0.00000000')
    want(r.report['loss_share_of_hot'], 0)


def test_delayed_then_held():
    r = replay('default allow\ndelay 2h when via web\n'
               'hold "sum" when via web and '
               'sum released on platform in 24h > 4 btc\n',
               start() + [ask('1', 0, '3', via='web'), ask('2', H, '3'),
                          at('fund', 3 * H, amount='1')])
    want(counts(r), {'held': 1, 'released_at_once': 1})
    want(r.of['1']['verdict'], 'delay')
    want(r.of['1']['worst'], 'hold')
    want(r.of['1']['final'], 'held')


def test_stepped_up():
    lines = start() + [ask('1', 0, '1'), ask('2', M, '1'),
                       ask('3', 2 * M, '1', second_factor=True),
                       at('fund', 15 * M + 1, amount='1')]
    r = replay('default allow\nstep-up "code" when not code given\n', lines)
    want(counts(r), {'stepped_up': 2, 'released_at_once': 1})
    want(r.report['legit']['stepped_up']['refused'], 1)
    want(r.of['1']['final'], 'refused')
    want(r.of['2']['final'], 'waiting')
    want(r.of['1']['facts'], {'code given': False})


def test_denied():
    r = replay('default allow\ndeny "dust" when amount < 0.1 btc\n',
               start() + [ask('1', 0, '0.01')])
    want(counts(r), {'denied': 1})
    want(r.of['1']['final'], 'denied')
    want(r.of['1']['rules'][0]['rule'], 'dust')
    want(r.of['1']['rules'][0]['at'].endswith('p:3'), True, 'FILE:LINE')
    want(r.of['1']['facts'], {'amount': '0.01000000'})


def test_builtin():
    key = dict(account='a', key='k')
    r = replay('default allow\n', start() + [
        line('key', 5, withdraw=True, ips=['10.0.0.0/8'], **key),
        line('key', 5, account='b', key='kb', withdraw=False, ips=[]),
        line('balance', 6, account='b', amount='1'),
        ask('1', 0, '1', key='k', ip='10.1.1.1'),
        ask('2', 1, '1', key='k', ip='11.1.1.1'),
        ask('3', 2, '1', key='unknown'),
        ask('4', 3, '1', account='b', key='k', ip='10.1.1.1'),
        ask('5', 4, '0.1', account='b', key='kb'),
        ask('6', 5, '1', account='b'),
        ask('7', 6, '0.00000001', account='b'),
        at('deposit', 7, account='b', amount='1'),
        ask('8', 8, '1', account='b'),
        at('freeze', 9, account='m', by='x'),
        ask('9', 10, '1', account='m'),
        at('key_revoke', 11, key='k'),
        ask('10', 12, '1', key='k', ip='10.1.1.1'),
        at('unfreeze', 13, account='m', by='x'),
        ask('11', 14, '1', account='m')])
    builtin = [next((x['rule'] for x in row['rules']), '-')
               for row in r.rows]
    want(builtin, ['-', 'builtin:key', 'builtin:key', 'builtin:key',
                   'builtin:key', '-', 'builtin:balance', '-',
                   'builtin:frozen', 'builtin:key', '-'])
    want(counts(r), {'denied': 7, 'released_at_once': 4})


def test_default_hold():
    r = replay('default hold\nallow "small" when amount < 1 btc\n',
               start() + [ask('1', 0, '0.5'), ask('2', 1, '1')])
    want(counts(r), {'held': 1, 'released_at_once': 1})
    want(r.of['1']['rules'][0]['rule'], 'small')
    want(r.of['2']['rules'][0]['rule'], 'default')
    want(r.of['2']['rules'][0]['at'].endswith('p:2'), True)


def test_cancelled():
    r = replay('default allow\ndelay 1h when amount >= 1 btc\n',
               start() + [ask('1', 0, '1'), at('cancel', M, id='1'),
                          at('fund', D, amount='1')])
    want(counts(r), {'delayed': 1})
    want(r.of['1']['final'], 'cancelled')
    want(r.report['legit']['delayed']['median_s'], 0, 'none was released')


def test_fact():
    policy = ('default allow\ndeclare kyc number unknown is 0\n'
              'hold "kyc" when kyc < 2 and amount >= 1 btc\n')
    r = replay(policy, start() + [
        ask('1', 0, '1'), at('fact', M, account='a', name='kyc', value=1),
        ask('2', 2 * M, '1'),
        at('fact', 3 * M, account='a', name='other', value='x'),
        at('fact', 4 * M, account='a', name='kyc', value=2),
        ask('3', 5 * M, '1')])
    want(r.of['1']['facts'], {'amount': '1.00000000', 'kyc': 0})
    want(r.of['2']['facts'], {'amount': '1.00000000', 'kyc': 1})
    want(r.of['3']['verdict'], 'allow')
    want(counts(r), {'held': 2, 'released_at_once': 1})


# -------------------------------------------------------------------- halts

HALT = ('default allow\nhalt "bleeding" when '
        'sum committed on platform in 1h > 5 btc\n')


def test_halt():
    r = replay(HALT, start() + [ask('1', 0, '3'), ask('2', 1, '3'),
                                ask('3', 2, '1'), at('fund', D, amount='1')])
    want(counts(r), {'released_at_once': 1, 'held': 1, 'stopped': 1})
    want(r.of['2']['verdict'], 'halt')
    want(r.of['2']['worst'], 'halt')
    want(r.of['2']['final'], 'held')
    want(r.of['3']['verdict'], 'halt')
    want(r.of['3']['final'], 'waiting')
    h = r.report['halts']
    want(len(h), 1)
    want([h[0]['t'] - T0, h[0]['until'], h[0]['rule'], h[0]['by']],
         [1, None, 'bleeding', None])
    want(h[0]['at'].endswith('p:3'), True)


def test_halt_by_people():
    r = replay('default allow\nhold "big" when amount >= 5 btc\n',
               start() + [
                   at('halt', 0, by='carol'), ask('1', M, '1'),
                   ask('2', 2 * M, '9'), at('resume', H, by='dave')])
    want(r.report['halts'], [{'t': T0, 'until': T0 + H, 'rule': None,
                              'at': None, 'by': 'carol'}])
    want(counts(r), {'stopped': 1, 'held': 1})
    want(released(r, '1'), H)
    want([r.of['1']['worst'], r.of['2']['worst']], ['halt', 'hold'])


def test_due_in_a_halt():
    r = replay('default allow\ndelay 1h when amount >= 1 btc\n',
               start() + [ask('1', 0, '1'), at('halt', M, by='x'),
                          at('resume', 2 * H, by='x'),
                          at('fund', D, amount='1')])
    want(counts(r), {'stopped': 1})
    want(released(r, '1'), 2 * H, 'delays run on during a halt')


# ----------------------------------------------------------- loss and alarm

def test_loss():
    r = replay('default allow\ndelay 1h when amount >= 2 btc\n'
               'hold "big" when amount >= 4 btc\n',
               start('50') + [
                   ask('0', 0, '10', account='b'),
                   ask('1', 1, '1', label='attack'),
                   ask('2', 2, '2', label='attack'),
                   ask('3', 3, '4', label='attack'),
                   at('fund', 2 * H, amount='1')], )
    # The honest one is held, so the wallet still holds 50.
    want(r.report['loss_btc'], '3.00000000')
    want(r.report['loss_share_of_hot'], 0.06)
    want(counts(r, 'attack'),
         {'released_at_once': 1, 'delayed': 1, 'held': 1})


def test_hot_falls_between():
    r = replay('default allow\n', start('50') + [
        ask('0', 0, '10', account='b'), ask('1', 1, '1', label='attack'),
        at('hot_balance', 2, amount='1000'),
        ask('2', 3, '1', label='attack')])
    want(r.report['loss_share_of_hot'], 0.05, '2 of 40')


def test_alarm():
    policy = ('default allow\nhold "big" when amount >= 4 btc\n'
              'step-up "code" when amount >= 2 btc and not code given\n')
    r = replay(policy, start() + [
        ask('0', 0, '9'), ask('1', 10, '1', label='attack'),
        ask('2', 20, '2', label='attack'), ask('3', 30, '9'),
        ask('4', 40, '4', label='attack'), ask('5', 50, '4',
                                               label='attack')])
    want(r.report['first_alarm_ms'], 30)
    r = replay(policy, start() + [ask('0', 0, '9'),
                                  ask('1', 10, '1', label='attack')])
    want(r.report['first_alarm_ms'], None)
    r = replay(policy, start() + [ask('1', 10, '9', label='attack')])
    want(r.report['first_alarm_ms'], 0)


def test_alarm_by_halt():
    attack = [ask('1', 100, '0.1', label='attack')]
    halt, resume = [at('halt', 10, by='x')], [at('resume', 20, by='x')]
    late = [at('halt', 150, by='x')]
    r = replay(HALT, start() + halt + attack)
    want(r.report['first_alarm_ms'], 0, 'in force')
    r = replay(HALT, start() + halt + resume + attack)
    want(r.report['first_alarm_ms'], None, 'over')
    r = replay(HALT, start() + halt + resume + attack + late)
    want(r.report['first_alarm_ms'], 50, 'later')


# ------------------------------------------------------------- the reviewer

HOLD = 'default allow\nhold "big" when amount >= 1 btc\n'


def test_nobody():
    r = replay(HOLD, start() + [ask('1', 0, '1'), at('fund', D, amount='1')])
    want(r.of['1']['final'], 'held')
    want(r.report['reviews'], 0)


def test_oracle():
    r = replay(HOLD, start() + [
        ask('1', 0, '1'), ask('2', M, '1', label='attack'),
        ask('3', 2 * M, '1', label=None), at('fund', D, amount='1')],
        '--reviewer', 'oracle:30')
    want(released(r, '1'), 30 * M)
    want([r.of[k]['final'] for k in '123'], ['released', 'denied', 'held'])
    want(r.report['reviews'], 2)
    want(counts(r), {'held': 1}, 'what the reviewer does moves nothing')
    want(counts(r, 'attack'), {'held': 1})
    want(r.report['loss_btc'], '0.00000000')


def test_oracle_at_the_end():
    lines = start() + [ask('1', 0, '1'), at('fund', 30 * M - 1, amount='1')]
    r = replay(HOLD, lines, '--reviewer', 'oracle:30')
    want(r.of['1']['final'], 'held')
    lines[-1]['t'] += 1
    r = replay(HOLD, lines, '--reviewer', 'oracle:30')
    want(r.of['1']['final'], 'released')
    r = replay(HOLD, lines[:-1], '--reviewer', 'oracle:0')
    want(r.of['1']['final'], 'released')


def test_oracle_errs():
    lines = start() + [ask(str(n), n, '1', label='attack' if n % 2 else
                           'legit') for n in range(400)] + [
        at('fund', D, amount='1')]
    r = replay(HOLD, lines, '--reviewer', 'oracle:1,100%')
    want({row['final'] for row in r.rows[0::2]}, {'denied'})
    want({row['final'] for row in r.rows[1::2]}, {'released'})
    want(r.report['loss_btc'], '200.00000000')
    r = replay(HOLD, lines, '--reviewer', 'oracle:1,25%')
    wrong = sum(row['final'] == 'denied' for row in r.rows[0::2])
    want(25 < wrong < 75, True, 'a quarter of 200 is %d' % wrong)
    again = replay(HOLD, lines, '--reviewer', 'oracle:1,25%')
    want(again.rows, r.rows, 'drawn by a hash of the id')


def test_oracle_is_busy():
    r = replay(HOLD, start() + [ask(str(n), n * M, '1')
                                for n in range(5)] +
               [at('fund', D, amount='1')], '--reviewer', 'oracle:10,2/h')
    want([released(r, str(n)) for n in range(5)],
         [10 * M, 11 * M, 70 * M, 71 * M, 130 * M],
         'the oldest first, two in any hour')
    want(r.report['reviews'], 5)


def test_oracle_groups():
    policy = ('default allow\nhold "crowd" when distinct accounts asked on '
              'platform in 1h > 2\n')
    r = replay(policy, start(accounts='abcdef') + [
        ask(str(n), n * M, '1', account=a) for n, a in enumerate('abcdef')] +
        [at('fund', D, amount='1')], '--reviewer', 'oracle:2')
    # The third and fourth are one case; the fifth comes when that has just
    # been looked at, and begins the next.
    want([released(r, str(n)) for n in range(6)],
         [0, M, 4 * M, 4 * M, 6 * M, 6 * M])
    want(r.report['reviews'], 2)
    policy = ('default allow\nhold "one" when distinct accounts asked to '
              'destination in 1h > 1\n')
    r = replay(policy, start(accounts='abcdef') + [
        ask(str(n), n * M, '1', account=a,
            address=ADDRESS if n % 2 else OTHER)
        for n, a in enumerate('abcdef')] +
        [at('fund', D, amount='1')], '--reviewer', 'oracle:60')
    want(r.report['reviews'], 2, 'a case a destination')
    want([released(r, str(n)) for n in range(2, 6)],
         [62 * M, 63 * M, 62 * M, 63 * M])


def test_oracle_resumes():
    r = replay(HALT, start() + [
        ask('1', 0, '3'), ask('2', M, '3', label='attack', account='m'),
        ask('3', 2 * M, '1'), ask('4', 3 * M, '1', label='attack',
                                  account='b'),
        ask('5', 2 * H, '1', account='m', label='attack'),
        ask('6', 2 * H, '1', account='b')],
        '--reviewer', 'oracle:60')
    want([x['until'] - T0 for x in r.report['halts']], [M + H])
    want(released(r, '3'), M + H)
    want([r.of[k]['final'] for k in '2456'],
         ['denied', 'denied', 'denied', 'denied'], 'frozen')
    want(r.of['6']['rules'][0]['rule'], 'builtin:frozen')
    want(r.of['4']['worst'], 'halt', 'a freeze moves nothing')
    want(r.report['loss_btc'], '0.00000000')


def test_release_in_a_halt():
    r = replay(HOLD, start() + [ask('1', 0, '1'),
                                at('halt', 30 * M, by='x'),
                                at('fund', D, amount='1')],
               '--reviewer', 'oracle:60')
    want(released(r, '1'), 90 * M, 'paid at the resume')
    want(counts(r), {'held': 1})


def test_many_people():
    r = replay('default allow\nhold by 3 "giant" when amount >= 1 btc\n',
               start() + [ask('1', 0, '1'), at('fund', D, amount='1')],
               '--reviewer', 'oracle:60')
    want(released(r, '1'), 60 * M)
    want(r.report['reviews'], 1)


def test_equal_times():
    r = replay('default allow\ndelay 1h when amount >= 1 btc\n', start() + [
        ask('1', 0, '1'), at('cancel', H, id='1')])
    want(r.of['1']['final'], 'released', 'what matures, then the file')
    r = replay(HOLD, start() + [ask('1', 0, '1'), at('cancel', H, id='1')],
               '--reviewer', 'oracle:60')
    want(r.of['1']['final'], 'released', 'the reviewer, then the file')
    r = replay('default allow\nset expiry of holds 1h\n'
               'hold "big" when amount >= 1 btc\n', start() + [
                   ask('1', 0, '1'), at('fund', D, amount='1')],
               '--reviewer', 'oracle:60')
    want(r.of['1']['final'], 'refused', 'what matures, then the reviewer')


def test_operators():
    r = replay(HOLD, start() + [
        ask('1', 0, '1'), ask('2', 1, '1'), ask('3', 2, '1'),
        at('release', M, id='1', by='x'), at('deny', M, id='2', by='x'),
        at('freeze', M, account='a', by='x')])
    want([r.of[k]['final'] for k in '123'], ['released', 'denied', 'denied'])
    want(counts(r), {'held': 3})


# ------------------------------------------------------------------ options

def test_from():
    r = replay(HOLD, start() + [ask('1', 0, '1'), ask('2', H, '1'),
                                ask('3', H + 1, '0.5')],
               '--from', str(T0 + H))
    want(r.report['withdrawals'], 2)
    want([row['id'] for row in r.rows], ['2', '3'])


def test_history():
    policy = ('default allow\nhold "new" when destination new to account\n')
    with tempfile.NamedTemporaryFile('w', suffix='.jsonl') as f:
        for entry in start() + [ask('h', 0, '1')]:
            f.write(json.dumps(entry) + '\n')
        f.flush()
        r = replay(policy, [ask('1', H, '1'),
                            ask('2', H, '1', address=OTHER)],
                   '--history', f.name)
        want(r.report['withdrawals'], 2)
        want([r.of[k]['verdict'] for k in '12'], ['allow', 'hold'])
        replay(policy, [ask('h', H, '1')], '--history', f.name, status=1)


def test_lots():
    policy = 'default allow\nhold by lot 1 in 4 "look" when amount > 0 btc\n'
    lines = start() + [ask(str(n), n, '0.1') for n in range(400)]
    one, two = replay(policy, lines), replay(policy, lines)
    want(one.rows, two.rows, 'runs repeat')
    held = one.report['legit']['held']['count']
    want(60 < held < 140, True, 'a quarter of 400 is %d' % held)
    two = replay(policy, lines, '--lot-key', '00' * 16)
    want(one.rows != two.rows, True, 'another key, other lots')


def test_usage():
    for args in ([], ['x'], ['--policy', 'x'], ['--policy', 'x', 'y', 'z'],
                 ['--policy', 'x', '--reviewer', 'oracle', 'y'],
                 ['--policy', 'x', '--reviewer', 'oracle:5,0/h', 'y'],
                 ['--policy', 'x', '--reviewer', 'oracle:5,101%', 'y'],
                 ['--policy', 'x', '--reviewer', 'oracle:5,1%,2%', 'y'],
                 ['--policy', 'x', '--report', 'xml', 'y'],
                 ['--policy', 'x', '--lot-key', '12', 'y'],
                 ['--policy', 'x', '--from', '-1', 'y'], ['--nonsense']):
        p = subprocess.run([PROG, 'replay'] + args, check=False,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        want([p.returncode, p.stdout, p.stderr != b''], [2, b'', True],
             ' '.join(args))
    replay('default maybe\n', start(), status=1)
    p = subprocess.run([PROG, 'replay', '--policy', '/nowhere', 'y'],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       check=False)
    want(p.returncode, 1)


def check_page(folder, lang):
    p = subprocess.run([PROG, 'replay', '--policy', 'p', 's'], cwd=folder,
                       env={'LC_ALL': lang}, stdout=subprocess.PIPE,
                       check=True)
    text = p.stdout.decode('utf-8')
    want(len(text.splitlines()) <= 40, True, text)
    for x in text.splitlines():
        want(len(x) <= 80, True, 'columns: ' + x)
    return text


def test_text():
    """At most 40 lines of 80 columns, whatever happened."""
    rules = ''.join('hold "rule number %d of many" when amount = %d btc\n' %
                    (n, n) for n in range(1, 20))
    lines = start('1000') + [
        ask('id-%040d' % n, n, '%d.00000001' % (n % 30 + 1),
            label='attack' if n % 3 else 'legit') for n in range(300)]
    for n in range(6):
        lines += [at('halt', D + n * H, by='x' * 60),
                  at('resume', D + n * H + M, by='x')]
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'p'), 'w', encoding='utf-8') as f:
            f.write('policy 1\ndefault allow\n' + rules)
        with open(os.path.join(folder, 's'), 'w', encoding='utf-8') as f:
            f.writelines(json.dumps(x) + '\n' for x in lines)
        for lang in ('C', 'C.UTF-8'):
            text = check_page(folder, lang)
            want(text.isascii(), lang == 'C')
        with open(os.path.join(folder, 's'), 'a', encoding='utf-8') as f:
            f.write(json.dumps(ask('u', 2 * D, '1', label=None)) + '\n')
        want('no label' in check_page(folder, 'C'), True)


def main():
    global case
    for name, test in sorted(globals().items()):
        if not name.startswith('test_'):
            continue
        before, case = failed, name[5:].replace('_', ' ')
        test()
        if failed == before:
            print('ok replay %s' % case, flush=True)
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
