#!/usr/bin/env python3
"""`drawbridge compare` and `tune` on a small platform: the figures are the
same every time, agree with `replay`, and say what they are about.
"""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROG = os.path.abspath(os.environ.get('DRAWBRIDGE') or
                       os.path.join(ROOT, 'build', 'drawbridge'))
ETC = os.path.join(ROOT, 'etc')
KINDS = ['one-address', 'under-190']
SCENES = ['--sizes', 'small', '--kinds', ','.join(KINDS)]
failed = False


def case(name, wrong):
    global failed
    if wrong:
        failed = True
        print('not ok %s: %s' % (name, '; '.join(wrong)))
    else:
        print('ok ' + name)
    sys.stdout.flush()


def run(*args, status=0, **env):
    r = subprocess.run([PROG] + list(args), stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, cwd=ROOT,
                       env=dict(os.environ, DRAWBRIDGE_ETC=ETC, **env))
    if r.returncode != status:
        raise SystemExit('not ok %s: exit status %d\n%s%s' % (
            ' '.join(args), r.returncode, r.stdout[-400:], r.stderr[-400:]))
    return r


def policy(name):
    return os.path.join(ETC, 'policies', 'compare', name + '.policy')


def table():
    one = run('compare', *SCENES, '--jobs', '1').stdout
    two = run('compare', *SCENES, '--jobs', '3').stdout
    wrong = [] if one == two else ['differs with the number of processes']
    rows = {line.split()[0]: line for line in one.splitlines() if
            '%' in line and not line.startswith(' ')}
    for name in ['default'] + [f[:-7] for f in os.listdir(
            os.path.join(ETC, 'policies', 'compare'))]:
        if name not in rows:
            wrong.append('no row for ' + name)
    case('compare puts every shipped policy into one table, always the same',
         wrong)
    cells = rows.get('none', '').split()
    case('under no policy the thieves get what they ask for', [] if
         len(cells) > 5 and float(cells[5]) > 99 and float(cells[1]) > 5
         else ['row: ' + ' '.join(cells)])


def agrees():
    """With the scenario as a file, replayed."""
    got = json.loads(run('compare', '--policy', policy('wallet-velocity'),
                         '--reviewer', 'oracle:30', '--json',
                         *SCENES).stdout)
    result = got['results'][0]
    wrong = []
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, 'a.jsonl')
        for kind in KINDS:
            run('simulate', '--seed', '1', '--preset', 'small', '--attack',
                kind, '-o', path)
            want = json.loads(run('replay', '--policy',
                                  policy('wallet-velocity'), '--reviewer',
                                  'oracle:30', '--report', 'json',
                                  path).stdout)
            have = [k for k in result['kinds'] if k['kind'] == kind][0]
            if abs(have['loss_share_of_hot'] -
                   want['loss_share_of_hot']) > 2e-6:
                wrong.append('%s: lost %r, replay says %r' % (
                    kind, have['loss_share_of_hot'],
                    want['loss_share_of_hot']))
            for key in ('held', 'delayed', 'denied'):
                if (have['honest'][key]['btc'] != want['legit'][key]['btc']
                        or have['honest'][key]['count'] !=
                        want['legit'][key]['count']):
                    wrong.append('%s: %s' % (kind, key))
            if have['reviews'] != want['reviews']:
                wrong.append('%s: %d reviews, replay says %d' % (
                    kind, have['reviews'], want['reviews']))
    case('compare decides what replay decides', wrong)


def detail():
    out = run('compare', '--policy', policy('hour-and-day'), *SCENES).stdout
    case('one policy is shown by attack, with its price and its rules',
         ['no ' + w for w in KINDS + ['without an attack', 'oracle:30',
                                      'what the rules spoke on']
          if w not in out])
    out = run('compare', '--policy', policy('none'), '--honest').stdout
    case('--honest plays no attack', ['says `asked`'] if 'asked' in out
         else [])


def tune():
    who = ['tune', '--policy', policy('wallet-velocity')]
    r = run(*who, '--let', 'threshold/over=5%..40%:2', status=1)
    case('a number that is a `let` is not turned in the rule', [] if
         'threshold' in r.stderr else [r.stderr])
    args = who + ['--let', 'day=50%..300%:3', '--points', '5', '--settle',
                  '1'] + SCENES
    text, again = run(*args).stdout, run(*args).stdout
    case('tune is deterministic and draws its frontier',
         ([] if text == again else ['differs']) +
         ['no ' + w for w in ('lost', '* ', 'day 50 %', 'held')
          if w not in text])
    points = json.loads(run(*args, '--json').stdout)['points']
    front = [p for p in points if p['frontier']]
    case('nothing on the frontier is beaten', [
        '%r beats %r' % (a['settings'], b['settings'])
        for a in points for b in front if a['all_scenes'] and
        a['loss'] <= b['loss'] and a['held'] <= b['held'] and
        (a['loss'], a['held']) != (b['loss'], b['held'])] +
        ([] if front else ['it is empty']))


def usage():
    wrong = []
    for args in (['--sizes', 'huge'], ['--kinds', 'nothing'],
                 ['--set', 'moons=3']):
        run('compare', '--policy', policy('none'), *args, status=1)
    for args in (['--seeds', '0'], ['--owners', '200%'],
                 ['--reviewer', 'somebody'], ['--days', 'x'], ['etc'],
                 ['--nothing']):
        run('compare', *args, status=2)
    run('tune', '--policy', policy('none'), status=2)
    run('tune', '--policy', policy('none'), '--let', 'x=1..2', status=1)
    case('what cannot be is said so', wrong)


def main():
    table()
    agrees()
    detail()
    tune()
    usage()
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
