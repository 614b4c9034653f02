#!/usr/bin/env python3
"""The house rules that tools/check-source enforces, and that it can."""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOL = os.path.join(ROOT, 'tools', 'check-source')

# What each rule must find, in a file of that name.
BAD = [
    ('functions', 'lib/a.c', 'void\nf(char *a)\n{\n\tstrcpy(a, "x");\n}\n'),
    ('functions', 'cli/a.c', 'int\nf(char *a)\n{\n\treturn atoi(a);\n}\n'),
    ('floats', 'engine/a.c', 'static double x;\n'),
    ('pure-engine', 'engine/a.c', 'long\nf(void)\n{\n'
     '\treturn time(NULL);\n}\n'),
    ('floors', 'lib/a.c', '#include "policy/ast.h"\n'),
    ('floors', 'bitcoin/a.c', '#include "policy/ast.h"\n'),
    ('floors', 'cli/a.c', '#include "report.h"\n'),
    ('lengths', 'sim/a.c', 'void\nf(void)\n{\n' + '\tf();\n' * 71 + '}\n'),
    ('lengths', 'sim/a.c', 'int a;\n' * 801),
    ('columns', 'sim/a.c', '\t' * 9 + 'int abcdef;\n'),
    ('blanks', 'sim/a.c', 'int a; \n'),
    ('defaults', 'sim/a.c', 'void\nf(int a)\n{\n\tswitch (a) {\n'
     '\tcase VERDICT_HOLD:\n\t\tbreak;\n\tdefault:\n\t\tbreak;\n\t}\n}\n'),
    ('headers', 'sim/a.h', '#ifndef SIM_A_H\n#define SIM_A_H\n#endif\n'),
    ('headers', 'sim/a.h', '/* A. */\n#ifndef A_H\n#define A_H\n#endif\n'),
    ('no-ndebug', 'sim/a.c', '#define NDEBUG\n'),
    ('no-fixme', 'sim/a.c', '/* FI' 'XME: later */\n'),
    ('machine-paths', 'sim/a.c', '/* see /ho' 'me/x/y */\n'),
]

# And what it must let pass.
GOOD = [
    ('engine/a.c', '/* No float or double here; time() neither. */\n'
     'const char *s = "strcpy(a, b)";\n'),
    ('policy/a.c', 'void\nf(int a)\n{\n\tswitch (a) {\n\tcase \'x\':\n'
     '\t\tbreak;\n\tdefault:\n\t\tbreak;\n\t}\n}\n'),
    ('sim/a.c', '#include "engine/engine.h"\n#include <stdio.h>\n'),
]


def run(path, text):
    with tempfile.TemporaryDirectory() as tmp:
        os.makedirs(os.path.join(tmp, 'tools'))
        os.makedirs(os.path.join(tmp, os.path.dirname(path)))
        os.symlink(TOOL, os.path.join(tmp, 'tools', 'check-source'))
        with open(os.path.join(tmp, path), 'w', encoding='utf-8') as f:
            f.write(text)
        # The tool takes the tree to be where its own file lies.
        with open(TOOL, encoding='utf-8') as f:
            code = f.read().replace("ROOT = os.path.dirname(os.path.dirname("
                                    "os.path.abspath(__file__)))",
                                    'ROOT = %r' % tmp)
        r = subprocess.run([sys.executable, '-', path], input=code,
                           stdout=subprocess.PIPE, text=True, check=False)
    return r.returncode, r.stdout


def main():
    r = subprocess.run([TOOL], stdout=subprocess.PIPE, text=True, check=False)
    print(r.stdout, end='')
    failed = r.returncode != 0
    for n, (rule, path, text) in enumerate(BAD):
        status, out = run(path, text)
        if status == 1 and out.count('\nnot ok') + out.startswith('not') == 1:
            continue
        print('not ok the check of the source finds %s (%d): %s' %
              (rule, n, out))
        failed = True
    for n, (path, text) in enumerate(GOOD):
        status, out = run(path, text)
        if status != 0:
            print('not ok the check of the source lets pass %d: %s' %
                  (n, out))
            failed = True
    if not failed:
        print('ok the check of the source finds %d planted faults' % len(BAD))
    return failed


if __name__ == '__main__':
    sys.exit(main())
