#!/usr/bin/env python3
"""Golden files of the policy language, through `drawbridge check`.

policy/pass/N.in   `check --print` gives N.ok, and N.ok gives itself
policy/fail/N.in   `check` says N.err, says nothing else and exits 1

With --write the golden files are made anew; read them before you commit.
"""
import glob
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROG = os.path.abspath(os.environ.get('DRAWBRIDGE') or
                       os.path.join(ROOT, 'build', 'drawbridge'))
FOLDER = os.path.join(ROOT, 'tests', 'policy')
failed = 0


def say(good, name, why=''):
    global failed
    failed += not good
    print('%s %s%s' % ('ok' if good else 'not ok', name,
                       '' if good else ': ' + why), flush=True)


def check(cwd, *args):
    r = subprocess.run([PROG, 'check'] + list(args), cwd=cwd, timeout=20,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       check=False)
    return r.returncode, r.stdout, r.stderr


def differ(want, got):
    """The first line that differs, or None."""
    if want == got:
        return None
    w, g = want.split(b'\n'), got.split(b'\n')
    for n, line in enumerate(w):
        if n >= len(g) or g[n] != line:
            return 'line %d: want %r, got %r' % (
                n + 1, line.decode(errors='replace'),
                (g[n] if n < len(g) else b'').decode(errors='replace'))
    return 'line %d: more than wanted' % (len(w) + 1)


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def write(path, text):
    with open(path, 'wb') as f:
        f.write(text)


def names(kind):
    folder = os.path.join(FOLDER, kind)
    return folder, sorted(os.path.basename(f)[:-3] for f in
                          glob.glob(os.path.join(folder, '*.in')))


def test_pass(anew):
    folder, all_names = names('pass')
    for name in all_names:
        status, out, err = check(folder, '--print', name + '.in')
        if status != 0:
            say(False, 'policy pass %s' % name, err.decode(errors='replace'))
            continue
        golden = os.path.join(folder, name + '.ok')
        if anew:
            write(golden, out)
        why = differ(read(golden), out)
        if why is None:
            status, again, err = check(folder, '--print', name + '.ok')
            why = differ(out, again + err)
            why = why and 'the canonical form is not its own: ' + why
        say(why is None, 'policy pass %s' % name, why)
    return len(all_names)


def test_fail(anew):
    folder, all_names = names('fail')
    for name in all_names:
        status, out, err = check(folder, name + '.in')
        golden = os.path.join(folder, name + '.err')
        if anew:
            write(golden, err)
        why = differ(read(golden), err)
        if why is None and (status != 1 or out != b''):
            why = 'status %d, %d bytes of output' % (status, len(out))
        say(why is None, 'policy fail %s' % name, why)
    return len(all_names)


def test_hostile():
    head = b'policy 1\ndefault hold\n'
    cases = {
        'huge': head + b'#' * (4 << 20),
        'only-parentheses': head + b'hold when ' + b'(' * 3000000,
        'only-names': head + b'hold when ' + b'a and ' * 600000,
        'only-quotes': head + b'"' * 3000000,
        'one-token': head + b'a' * 4000000,
        'digits': head + b'hold when amount > ' + b'9' * 4000000,
        'rules': head + b'hold when via api\n' * 200000,
        'items': head + b'table <t> of accounts {' + b' a,' * 1000000 + b'}\n',
        'continued': head + b'hold when via api\n' + b' and via api\n' * 300000,
        'errors': head + b'hold when x\n' * 300000,
    }
    with tempfile.TemporaryDirectory() as tmp:
        for name, text in sorted(cases.items()):
            write(os.path.join(tmp, name), text)
            try:
                status, _, err = check(tmp, name)
                good = status == (0 if name == 'items' else 1) and \
                    len(err) < 1000000
                say(good, 'policy hostile %s' % name,
                    'status %d, %d bytes of errors' % (status, len(err)))
            except subprocess.TimeoutExpired:
                say(False, 'policy hostile %s' % name, 'too slow')
        for path in ('/dev/zero', '/dev/null', '/nowhere', tmp):
            status, _, err = check(tmp, path)
            say(status == 1 and err != b'', 'policy hostile file %s' %
                ('a folder' if path == tmp else path))


def main():
    anew = sys.argv[1:] == ['--write']
    good = test_pass(anew)
    bad = test_fail(anew)
    test_hostile()
    # What compares must be able to say no.
    say(differ(b'a\nb\n', b'a\nc\n') is not None and
        differ(b'a\n', b'a\nb\n') is not None and
        check(FOLDER, 'pass/taste.in')[0] == 0 and
        check(FOLDER, 'fail/empty.in')[0] == 1 and good >= 20 and bad >= 60,
        'policy golden files can fail')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
