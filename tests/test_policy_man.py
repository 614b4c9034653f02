#!/usr/bin/env python3
"""drawbridge.policy(5): every example in it is read by the program, and its
table of facts is the program's own."""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROG = os.path.abspath(os.environ.get('DRAWBRIDGE') or
                       os.path.join(ROOT, 'build', 'drawbridge'))
PAGE = os.path.join(ROOT, 'man', 'drawbridge.policy.5')
ADDRESS = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\n'
# What the first example gives to those that are pieces.
LENT = ('policy', 'default', 'set', 'table', 'trust', 'let', 'class')
failed = 0


def say(good, name, why=''):
    global failed
    failed += not good
    print('%s %s%s' % ('ok' if good else 'not ok', name,
                       '' if good else ': ' + str(why)), flush=True)


def plain(line):
    return line.replace('\\(ha', '^').replace('\\(ti', '~').replace(
        '\\(ga', '`').replace('\\-', '-').replace('\\e', '\\')


def displays(text):
    """(line number, what the mark says, lines) of each marked display."""
    mark, start, block = None, 0, None
    for n, line in enumerate(text.splitlines(), 1):
        if line in ('.\\" run', '.\\" says'):
            mark = line[4:]
        elif line.startswith('.Bd -literal') and mark:
            start, block = n, []
        elif line == '.Ed':
            if block is not None:
                yield start, mark, block
            mark, block = None, None
        elif block is not None:
            block.append(plain(line))


def statements(lines):
    """Lines joined as the language joins them."""
    out = []
    for line in lines:
        if line[:1] in (' ', '\t') and out:
            out[-1] += '\n' + line
        elif line.strip():
            out.append(line)
    return out


def check(tmp, *args):
    r = subprocess.run([PROG, 'check'] + list(args), cwd=tmp, text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=20, check=False)
    return r.returncode, r.stdout, r.stderr


def run_examples(text, tmp):
    lent, last, count = None, None, 0
    for line, mark, block in displays(text):
        name = 'example of drawbridge.policy(5) in line %d' % line
        if mark == 'says':
            say(last == block, name, 'the program says:\n%s' %
                '\n'.join(last or []))
            count += 1
            last = None
            continue
        if lent is None:
            lent = [s for s in statements(block) if s.split()[0] in LENT]
        body = list(block)
        if block[0] != 'policy 1':
            lend = lent + ['hold "budget" when large']
            # A piece that shows a statement of its own is not lent one.
            own = [s.split('"')[1] for s in statements(block)
                   if '"' in s and not s.startswith('exempt')]
            body = [s for s in lend if '"budget"' not in s or
                    'budget' not in own] + body
        with open(os.path.join(tmp, 'my.policy'), 'w',
                  encoding='utf-8') as f:
            f.write('\n'.join(body) + '\n')
        status, _, err = check(tmp, '--print', 'my.policy')
        last = err.splitlines()
        if status == 0:
            say(True, name)
        elif '.\\" says' in text.splitlines()[line + len(block) + 1:][:1]:
            pass                        # compared with what follows
        else:
            say(False, name, err)
        count += 1
    return count


def table_of_facts(text, tmp):
    part = text.split('.\\" facts begin\n')[1].split('.\\" facts end')[0]
    page = [re.sub(r'^\.It Li ', '', row).split(' Ta ')
            for row in part.splitlines()]
    _, out, _ = check(tmp, '--words')
    words = [re.split(r' {2,}', row) for row in out.splitlines()]
    words = [[w.strip() for w in re.match(
        r'(.{27}) (.{7}) (.{8}) (.*)', row).groups()]
        for row in out.splitlines()]
    say(page == words and len(words) > 40, 'the facts of '
        'drawbridge.policy(5) are the program\'s',
        [row for row in words if row not in page][:3])


def main():
    with open(PAGE, encoding='utf-8') as f:
        text = f.read()
    with tempfile.TemporaryDirectory() as tmp:
        with open(os.path.join(tmp, 'cold.txt'), 'w',
                  encoding='utf-8') as f:
            f.write(ADDRESS)
        count = run_examples(text, tmp)
        say(count >= 17, 'examples of drawbridge.policy(5) were found',
            count)
        table_of_facts(text, tmp)
        numbers = re.findall(r'^\.It S(\d+)$', text, re.M)
        say(numbers == [str(n) for n in range(1, 50)],
            'drawbridge.policy(5) has S1 to S49', numbers)
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
