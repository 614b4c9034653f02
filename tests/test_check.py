#!/usr/bin/env python3
"""`drawbridge check`: statuses, summaries, JSON, colours."""
import json
import os
import pty
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROG = os.path.abspath(os.environ.get('DRAWBRIDGE') or
                       os.path.join(ROOT, 'build', 'drawbridge'))
GOOD = 'policy 1\ndefault hold\nhold "big" when amount > 5 btc\n'
BAD = 'policy 1\ndefault hold\nhold when amount > 5\nhold when x\n'
ODD = 'policy 1\ndefault allow\nhold when amount > 5 btc\n'
failed = 0


def say(good, name, why=''):
    global failed
    failed += not good
    print('%s check: %s%s' % ('ok' if good else 'not ok', name,
                              '' if good else ': %s' % (why,)), flush=True)


class Folder:
    def __init__(self, tmp):
        self.tmp = tmp

    def write(self, name, text):
        with open(os.path.join(self.tmp, name), 'w', encoding='utf-8') as f:
            f.write(text)

    def run(self, *args):
        r = subprocess.run([PROG, 'check'] + list(args), cwd=self.tmp,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, timeout=20, check=False)
        return r.returncode, r.stdout, r.stderr

    def on_terminal(self, env, *args):
        """What the program says when standard error is a terminal."""
        master, slave = pty.openpty()
        subprocess.run([PROG, 'check'] + list(args), cwd=self.tmp,
                       stdout=subprocess.DEVNULL, stderr=slave, timeout=20,
                       env=dict(os.environ, **env), check=False)
        os.close(slave)
        said = b''
        try:
            while True:
                more = os.read(master, 4096)
                if not more:
                    break
                said += more
        except OSError:
            pass
        os.close(master)
        return said


def statuses(f):
    status, out, err = f.run('good')
    say(status == 0 and out.startswith('good: 1 rule, 0 classes, '
        '0 aggregates: '), 'a good policy', (status, out, err))
    status, out, err = f.run('bad')
    say(status == 1 and out == '' and 'bad: 2 errors, nothing loaded' in err,
        'a bad policy', (status, out, err))
    status, out, err = f.run('odd')
    say(status == 0 and 'warning: W7: ' in err and ' warnings\n' in out,
        'a policy with warnings', (status, out, err))
    status, out, err = f.run('--strict', 'odd')
    say(status == 1, 'warnings with --strict', status)
    for args in ([], ['--nonsense', 'good'], ['good', 'good'],
                 ['--print', '--cost', 'good'], ['--against', 'good'],
                 ['--words', 'good'], ['--date', '2026-02-30', 'good'],
                 ['--hot', '-1', 'good']):
        status, out, err = f.run(*args)
        say(status == 2 and out == '' and 'usage: drawbridge check' in err,
            'wrong usage %s' % ' '.join(args), (status, out, err))
    status, out, err = f.run('nowhere')
    say(status == 1 and err == 'nowhere: No such file or directory\n',
        'a file that is not there', (status, err))


def outputs(f):
    status, out, _ = f.run('--json', 'bad')
    j = json.loads(out)
    say(status == 1 and j['good'] is False and
        [(m['line'], m['column'], m['level']) for m in j['messages']] ==
        [(3, 20, 'error'), (4, 11, 'error')], 'errors as JSON', out)
    status, out, _ = f.run('--json', 'odd')
    j = json.loads(out)
    say(status == 0 and j['rules'] == 1 and
        any(m['text'].startswith('W7: ') and m['level'] == 'warning'
            for m in j['messages']), 'warnings as JSON', out)
    status, out, _ = f.run('--print', 'good')
    say(status == 0 and out == GOOD, 'the canonical form', out)
    status, out, _ = f.run('--print', '--json', 'good')
    say(status == 0 and json.loads(out)['text'] == GOOD,
        'the canonical form as JSON', out)
    status, out, _ = f.run('--against', 'good', 'looser')
    say(status == 0 and 'loosens' in out, 'a policy that loosens', out)
    status, out, _ = f.run('--json', '--against', 'looser', 'good')
    j = json.loads(out)
    say(j['loosens'] == 0 and j['tightens'] == 1 and
        len(j['changes']) == 1, 'a policy that tightens, as JSON', out)
    status, out, _ = f.run('--against', 'good', 'bad')
    say(status == 1 and out == '', 'against a bad policy', out)
    f.write('ceiling', GOOD + 'ceiling 100 btc in 24h, 10 btc each\n')
    status, out, _ = f.run('--cost', 'ceiling')
    say(status == 0 and 'account' in out, 'the cost', out)
    status, out, _ = f.run('--cost', '--json', 'ceiling')
    say(status == 0 and json.loads(out)['total_bytes'] > 0,
        'the cost as JSON', out)
    status, out, _ = f.run('--signer', 'ceiling')
    say(status == 0 and '10 btc each' in out, 'the lines of the signer', out)
    status, out, _ = f.run('--signer', '--json', 'ceiling')
    say(status == 0 and any(s['what'] for s in json.loads(out)),
        'the lines of the signer as JSON', out)
    status, out, _ = f.run('--json', '--words')
    say(len(json.loads(out)) > 40, 'the words as JSON', out)
    say(b'\033[1;31merror\033[0m' in f.on_terminal({}, 'bad') and
        b'\033' not in f.on_terminal({'NO_COLOR': '1'}, 'bad') and
        '\033' not in f.run('bad')[2], 'colours on terminals only')
    f.write('expired', GOOD.replace(' btc', ' btc until 2026-06-30'))
    early = f.run('--date', '2026-06-30', 'expired')[2]
    late = f.run('--date', '2026-07-01', 'expired')[2]
    say('W1' not in early and 'W1' in late, 'the day that rules end',
        (early, late))


def shipped(f):
    """What is said of the shipped policy is what its comments say, too:
    budgets of more than a day's wallet, lines that a normal may stretch."""
    status, _, err = f.run(os.path.join(ROOT, 'etc', 'default.policy'))
    found = set(re.findall(r'warning: (W[0-9]+)', err))
    say(status == 0 and found <= {'W9', 'W12', 'W13'},
        'the shipped policy has no dead rule and no unwatched class', err)
    say(status == 0 and len(re.findall('warning: ', err)) <= 5,
        'and few warnings', err)


def main():
    with tempfile.TemporaryDirectory() as tmp:
        f = Folder(tmp)
        f.write('good', GOOD)
        f.write('bad', BAD)
        f.write('odd', ODD)
        f.write('looser', GOOD.replace('> 5', '> 6'))
        statuses(f)
        outputs(f)
        shipped(f)
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
