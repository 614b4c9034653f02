#!/usr/bin/env python3
"""doc/beside-your-back-end.md, run as it stands there: a new user types every
block of commands, in order, and each must succeed."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

SOURCE = os.path.abspath(os.environ.get('SOURCE', '.'))
BUILD = os.path.abspath(os.environ.get('BUILD', 'build'))
GUIDE = os.path.join(SOURCE, 'doc', 'beside-your-back-end.md')


def main():
    with open(GUIDE, encoding='utf-8') as f:
        blocks = re.findall(r'```sh\n(.*?)```', f.read(), flags=re.S)
    text = 'set -e\n'
    for i, block in enumerate(blocks):
        text += 'echo "### %d"\n%s' % (i + 1, block)
    text += 'echo "### end"\n'
    # A port of our own.
    import socket
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        text = text.replace('18080', str(s.getsockname()[1]))
    folder = tempfile.mkdtemp(prefix='drawbridge-guide-')
    env = dict(os.environ, SOURCE=SOURCE,
               PATH=BUILD + ':' + os.environ['PATH'])
    env.pop('DRAWBRIDGE_DATA', None)
    p = subprocess.Popen(['bash', '-c', text], cwd=folder, env=env,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         stdin=subprocess.DEVNULL, text=True,
                         start_new_session=True)
    timed_out = False
    lines = []
    try:
        # The service goes on in the background and keeps the pipe open.
        signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(
            TimeoutError()))
        signal.alarm(120)
        for line in p.stdout:
            lines.append(line)
            if line == '### end\n':
                break
        p.wait()
        signal.alarm(0)
    except TimeoutError:
        timed_out = True
    status = p.poll()
    try:
        os.killpg(p.pid, signal.SIGTERM)
        p.wait(10)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        pass
    at = sum(line.startswith('### ') for line in lines)
    for i in range(len(blocks)):
        good = at > i + 1
        print('%s block %d: %s' % ('ok' if good else 'not ok', i + 1,
                                   blocks[i].split('\n')[0][:60]))
        if not good:
            break
    out = ''.join(lines)
    wants = (
        ('observed first', '"mode": "observe"' in out),
        ('paid', '"state": "paid"' in out),
        ('then enforced, with a receipt',
         re.search(r'"mode": "enforce".*?"receipt": "[A-Za-z0-9+/=]{400,}"',
                   out, flags=re.S) is not None),
        ('redeemed once', out.count('pay it now') == 1 and
         'redeemed before' in out),
        ('halted, and resumed', '"why": "try it once' in out and
         'resumed' in out),
        ('to its end', status == 0 and not timed_out))
    failed = at != len(blocks) + 1
    for name, good in wants:
        print(('ok ' if good else 'not ok ') + name)
        failed |= not good
    if failed:
        print(''.join('# ' + line for line in lines[-30:]))
    shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)


main()
