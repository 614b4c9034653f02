#!/usr/bin/env python3
"""What the documents promise: commands, targets, files and the policy shown.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.environ.get('DRAWBRIDGE', 'build/drawbridge')
DOCUMENTS = ['README.md', 'DESIGN.md', 'HACKING.md', 'THREATS.md',
             'SECURITY.md', 'CHANGELOG.md', 'DEPENDENCIES']
failed = False


def case(name, wrong):
    global failed
    if not wrong:
        print('ok ' + name)
        return
    failed = True
    print('not ok %s: %s' % (name, '; '.join(wrong)))


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        # What is commented out is no promise.
        return re.sub(r'<!--.*?-->', '', f.read(), flags=re.S)


def links(name, text):
    for target in re.findall(r'\]\(([^)#]+)\)', text):
        if '://' not in target and not os.path.exists(
                os.path.join(ROOT, target)):
            yield '%s links to %s' % (name, target)
    for target in re.findall(r'`((?:etc|man|tests|tools)/[\w./*_-]+)`', text):
        if not re.search(r'\*|NAME', target) and not os.path.exists(
                os.path.join(ROOT, target)):
            yield '%s names %s' % (name, target)


def cited():
    """The numbers of rules and warnings that the tests cite in a name: of a
    case, or of a golden file."""
    text = []
    for pattern in ('*/test/*.c', 'tests/*.py', 'tests/*.sh', 'tests/*/*.in'):
        for path in glob.glob(os.path.join(ROOT, pattern)):
            if path == os.path.abspath(__file__):
                continue
            with open(path, encoding='utf-8', errors='replace') as f:
                text.append(f.read())
    names = re.findall(r'"([^"\n]*)"|\'([^\'\n]*)\'', '\n'.join(text))
    names = [a or b for a, b in names]
    names += [os.path.basename(path) for path in
              glob.glob(os.path.join(ROOT, 'tests/*/*.in')) +
              glob.glob(os.path.join(ROOT, 'tests/policy/*/*.in'))]
    return {kind + str(int(n)) for name in names
            for kind, n in re.findall(r'\b([SW])(\d+)\b', name)}


def numbered():
    """Every rule S1.. and warning W1.. of the manual, each cited by a test."""
    manual = read('man/drawbridge.policy.5')
    rules = set(re.findall(r'^\.It ([SW]\d+)', manual, re.M))
    wanted = {'S%d' % n for n in range(1, 50)}
    wanted |= {'W%d' % n for n in range(1, 15)}
    yield from ('the manual lacks ' + r for r in sorted(wanted - rules))
    yield from ('no test cites ' + r for r in sorted(rules - cited()))


def main():
    case('every numbered rule is in the manual and cited by a test',
         list(numbered()))
    texts = {name: read(name) for name in DOCUMENTS}
    case('documents name files that are there',
         [w for name, text in texts.items() for w in links(name, text)])

    targets = set(re.findall(r'^([a-z]+):', read('Makefile'), re.M))
    case('documents name targets that the Makefile has',
         ['%s: make %s' % (name, t) for name, text in texts.items()
          for t in re.findall(r'`make ([a-z]+)', text) +
          re.findall(r'^make ([a-z]+)', text, re.M) if t not in targets])

    out = subprocess.run([PROGRAM, 'help'], stdout=subprocess.PIPE,
                         text=True, check=True).stdout
    commands = set(re.findall(r'^  ([a-z]+)', out, re.M)) | {'help'}
    case('the README names commands that the program has',
         ['drawbridge ' + c for c in
          re.findall(r'`(?:build/)?drawbridge ([a-z]+)', texts['README.md'])
          if c not in commands])

    missing = [word for word in
               (line.split()[0] for line in read('tools/packages').split('\n')
                if line and not line.startswith('#'))
               if word.replace('-dev', '').replace('nodejs', 'node')
               .replace('redis-server', 'redis').replace('-build', '')
               .replace('libclang-rt-14', 'clang').replace('libhiredis',
                                                           'hiredis')
               .replace('libjansson', 'jansson')
               .replace('libsqlite3', 'SQLite').replace('libssl', 'OpenSSL')
               .replace('libuv1', 'libuv').replace('zbar-tools', 'zbar')
               .replace('libcurl4-openssl', 'libcurl')
               not in texts['DEPENDENCIES']]
    case('every package has its line in DEPENDENCIES', missing)

    block = re.search(r'```\n(policy 1\n.*?)```', texts['README.md'], re.S)
    if 'check' not in commands:
        print('ok the README\'s policy is one # SKIP no command check yet')
        return failed
    with tempfile.NamedTemporaryFile('w', suffix='.policy') as f:
        f.write(block.group(1))
        f.flush()
        r = subprocess.run([PROGRAM, 'check', f.name], text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           check=False)
    case('the README\'s policy is one',
         [] if r.returncode == 0 else [r.stdout.replace('\n', ' | ')])
    return failed


if __name__ == '__main__':
    sys.exit(main())
