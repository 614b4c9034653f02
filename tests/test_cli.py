#!/usr/bin/env python3
"""The program around its commands: names, help, statuses."""
import os
import subprocess
import sys

PROGRAM = os.environ.get('DRAWBRIDGE', 'build/drawbridge')
failed = []


def run(*args, stdout=subprocess.PIPE):
    return subprocess.run([PROGRAM] + list(args), stdout=stdout,
                          stderr=subprocess.PIPE, text=True, check=False)


def case(name, good, r):
    if good:
        print('ok ' + name)
        return
    print('not ok %s: status %d' % (name, r.returncode))
    print('#   stdout: %r\n#   stderr: %r' % (r.stdout, r.stderr))
    failed.append(name)


def main():
    r = run()
    case('without a command: usage, status 2',
         r.returncode == 2 and r.stdout == '' and 'usage:' in r.stderr, r)
    r = run('help')
    case('help lists the commands on standard output',
         r.returncode == 0 and 'usage:' in r.stdout and r.stderr == '', r)
    commands = [line.split()[0] for line in r.stdout.splitlines()
                if line.startswith('  ')]
    r = run('--version')
    case('--version', r.returncode == 0 and
         r.stdout.startswith('drawbridge '), r)
    for name in commands:
        wrong = name[1] + name[0] + name[2:]
        r = run(wrong)
        case('`%s` suggests `%s`' % (wrong, name), r.returncode == 2 and
             'did you mean `%s`' % name in r.stderr, r)
        r = run('help', name)
        case('help %s' % name, r.returncode == 0 and
             'usage: drawbridge %s' % name in r.stdout and r.stderr == '', r)
        r = run(name, '--help')
        case('%s --help' % name, r.returncode == 0 and
             'usage: drawbridge %s' % name in r.stdout, r)
        r = run(name, '--no-such-option')
        case('%s --no-such-option is wrong usage' % name,
             r.returncode == 2 and r.stdout == '' and r.stderr != '', r)
    r = run('x' * 1000)
    case('a very long unknown command', r.returncode == 2 and
         len(r.stderr) < 200 and 'did you mean' not in r.stderr, r)
    r = run('help', 'nothing')
    case('help for an unknown command', r.returncode == 2, r)
    if os.path.exists('/dev/full'):
        with open('/dev/full', 'w', encoding='utf-8') as full:
            r = run('help', stdout=full)
        case('a full disk is not status 0', r.returncode == 1, r)
    return bool(failed)


if __name__ == '__main__':
    sys.exit(main())
