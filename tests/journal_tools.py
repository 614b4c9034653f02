"""What the tests of the journal's tools share."""
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROG = os.path.abspath(os.environ.get('DRAWBRIDGE') or
                       os.path.join(ROOT, 'build', 'drawbridge'))
BUILD = os.path.abspath(os.environ.get('BUILD') or os.path.dirname(PROG))
S, M, H, D = 1000, 60000, 3600000, 86400000
ADDRESS = 'bc1qp6k6tux6g3gr3sxw94g9tx4l0cjtu2pt65r6xp'
OTHER = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'
failed = False


def case(name, wrong):
    """`wrong`: a list of what is; empty is good."""
    global failed
    if wrong:
        failed = True
        print('not ok %s: %s' % (name, '; '.join(str(w) for w in wrong)
                                 .replace('\n', ' ')[:600]))
    else:
        print('ok ' + name)
    sys.stdout.flush()


def run(*args, status=0, prog=None, **more):
    """`status` None: any."""
    r = subprocess.run([prog or PROG] + [str(a) for a in args],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, stdin=subprocess.DEVNULL, **more)
    if status is not None and r.returncode != status:
        raise SystemExit('not ok %s: exit status %d, not %d\n%s%s' % (
            ' '.join(str(a) for a in args), r.returncode, status,
            r.stdout[-600:], r.stderr[-600:]))
    return r


def sentence(name, r, *words):
    """A refusal: one line, with these words in it, no status 0."""
    lines = r.stderr.strip().split('\n')
    case(name, ['status %d' % r.returncode] * (r.returncode != 1) +
         ['%d lines: %s' % (len(lines), r.stderr)] * (len(lines) != 1) +
         ['no `%s` in: %s' % (w, r.stderr) for w in words
          if w not in r.stderr])


def write(path, text):
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    return path


def policy(path, text):
    return write(path, 'policy 1\n' + text)


def scenario(path, lines):
    return write(path, ''.join(json.dumps(e) + '\n' for e in lines))


def head(accounts='abm', hot=None):
    lines = [{'type': 'scenario', 't': 0, 'version': 1, 'network': 'main'}]
    lines += [{'type': 'account', 't': 1, 'account': a} for a in accounts]
    if hot is not None:
        lines.append({'type': 'hot_balance', 't': 2, 'amount': hot})
    return lines


def ask(name, t, amount, account='a', via='web', address=ADDRESS, **more):
    d = {'type': 'withdraw', 't': t, 'id': name, 'account': account,
         'via': via, 'address': address, 'amount': amount}
    d.update(more)
    return d


def at(kind, t, **keys):
    d = {'type': kind, 't': t}
    d.update(keys)
    return d


def record(db, policy_path, scenario_path, *args, **more):
    return run('record', '--db', db, '--policy', policy_path, '--batch', '3',
               '--quiet', *args, scenario_path, **more)


def log(db, *args):
    """Events as dicts, by `audit log --json`."""
    return [json.loads(x) for x in
            run('audit', 'log', '--db', db, '--json', *args)
            .stdout.split('\n') if x]
