#!/usr/bin/env python3
"""drawbridge init: every refusal, what it makes, and that it changes nothing
where something is."""
import hashlib
import json
import os
import shutil
import stat
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402

case = service.Cases()
THEFT = os.path.join(service.SOURCE, 'etc', 'scenarios', 'binance-2019.jsonl')
HEADER = ('{"type":"scenario","t":0,"version":1,"network":"%s",'
          '"note":"a test"}\n')
ACCOUNT = '{"type":"account","t":1000000,"account":"a"}\n'


class Folder:
    """A temporary folder, and the program in it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='drawbridge-init-')
        self.data = os.path.join(self.dir, 'data')

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as f:
            f.write(text)
        return self.path(name)

    def run(self, *args):
        return service.subprocess.run(
            [service.PROGRAM] + list(args), stdout=service.subprocess.PIPE,
            stderr=service.subprocess.PIPE, text=True, check=False)

    def init(self, *args):
        return self.run('init', '--data', self.data, *args)

    def operator(self, name):
        """NAME=FILE of a new key."""
        r = self.run('operator', 'keygen', self.path(name))
        assert r.returncode == 0, r.stderr
        return '%s=%s.pub' % (name, self.path(name))

    def everything(self):
        """What lies in the data folder, by content."""
        found = {}
        for folder, _, files in os.walk(self.data):
            for name in files:
                path = os.path.join(folder, name)
                with open(path, 'rb') as f:
                    found[path] = hashlib.sha256(f.read()).hexdigest()
            found[folder] = 'folder'
        return found


def refused(f, name, why, *args, status=1):
    r = f.init(*args)
    case('refused: ' + name, r.returncode == status and why in r.stderr and
         r.stdout == '', 'status %d, %r' % (r.returncode, r.stderr))


def words(f, one, two):
    refused(f, 'nobody who could act', 'nobody could restart', '--network',
            'main')
    refused(f, 'an operator without a key', 'NAME=PUBLIC-KEY-FILE',
            '--operator', 'one')
    refused(f, 'a name of no bytes', 'a name of 1 to', '--operator',
            '=' + one.split('=')[1])
    refused(f, 'a name too long', 'a name of 1 to', '--operator',
            'x' * 65 + '=' + one.split('=')[1])
    refused(f, 'one name twice', 'named twice', '--operator', one,
            '--operator', one)
    refused(f, 'one key under two names', 'an operator is a person',
            '--operator', one, '--operator', 'other=' + one.split('=')[1])
    refused(f, 'a key file that is not there', 'No such file', '--operator',
            'one=' + f.path('nothing'))
    refused(f, 'a key file that is none', '', '--operator',
            'one=' + f.write('junk', 'junk\n'))
    refused(f, 'a quorum that nobody reaches', 'only 2 operators',
            '--operator', one, '--operator', two, '--quorum', '3')
    refused(f, 'a network that is none', '--network moon', '--network',
            'moon', '--operator', one)
    refused(f, '--demo on main', 'regtest', '--demo', '--network', 'main')
    refused(f, '--drill without --demo', 'goes with', '--drill', '--history',
            THEFT, '--operator', one)
    refused(f, '--drill without --history', 'goes with', '--drill', '--demo')


def usage(f, one):
    r = f.run('init', '--demo')
    case('wrong usage: no --data', r.returncode == 2, r.stderr)
    for name, args in (('a word too many', ['--demo', 'more']),
                       ('--quorum 0', ['--demo', '--quorum', '0']),
                       ('--wait soon', ['--demo', '--wait', 'soon']),
                       ('--wait -1h', ['--demo', '--wait', '-1h']),
                       ('33 operators', ['--operator', one] * 33)):
        r = f.init(*args)
        case('wrong usage: ' + name, r.returncode == 2, r.stderr)


def files(f, one):
    """What is read before anything is made; and cleaned up if it fails."""
    refused(f, 'a history that is not there', 'No such file', '--demo',
            '--history', f.path('nothing'))
    refused(f, 'a history that is empty', '', '--demo', '--history',
            f.write('empty', ''))
    refused(f, 'a history of nothing', 'nothing in it', '--demo',
            '--history', f.write('head', HEADER % 'regtest'))
    refused(f, 'a history of another network', 'of network main', '--demo',
            '--history', f.write('main', HEADER % 'main' + ACCOUNT))
    refused(f, 'a history with a bad line', ':3:', '--demo', '--history',
            f.write('bad', HEADER % 'regtest' + ACCOUNT + '{"type":"x"}\n'))
    refused(f, 'a drill without a theft', 'labelled', '--demo', '--drill',
            '--history', f.write('calm', HEADER % 'main' + ACCOUNT))
    refused(f, 'a policy that is not there', 'nothing', '--demo', '--policy',
            f.path('nothing'))
    refused(f, 'a policy with a mistake', 'not expected here', '--demo', '--policy',
            f.write('wrong.policy', 'policy 1\nallow when when\n'))
    refused(f, 'a demo key on main', 'a key made for trying', '--network',
            'main', '--operator', 'one=' + demo_key(f))
    case('after all that nothing lies in the folder',
         list(f.everything().values()) in ([], ['folder']), f.everything())
    r = f.init('--operator', one, '--network', 'test')
    case('and then it works', r.returncode == 0, r.stderr)


def demo_key(f):
    r = f.run('init', '--data', f.path('other'), '--demo')
    assert r.returncode == 0, r.stderr
    return f.path('other/operators/alice.key.pub')


def twice(f):
    before = f.everything()
    refused(f, 'a folder that has a journal', 'nothing was changed',
            '--demo')
    case('and it was not changed', f.everything() == before)
    os.unlink(os.path.join(f.data, 'journal.db'))
    before = f.everything()
    refused(f, 'a folder that has keys of a journal', 'nothing was changed',
            '--demo')
    case('and they were not changed', f.everything() == before)


def modes(f):
    def mode(name):
        return stat.S_IMODE(os.lstat(os.path.join(f.data, name)).st_mode)
    case.equal('the folder is its owner\'s', mode('.'), 0o700)
    case.equal('the master key is its owner\'s', mode('master.key'), 0o600)
    case('nobody else reads the journal',
         all(mode(n) & 0o007 == 0 for n in os.listdir(f.data)),
         {n: oct(mode(n)) for n in os.listdir(f.data)})


def started(f, want):
    """The folder as the service sees it."""
    s = service.Service.__new__(service.Service)
    s.dir, s.data, s.args = f.dir, f.data, ['--listen', '127.0.0.1:0']
    s.env = dict(os.environ, DRAWBRIDGE_DATA=f.data)
    s.log, s.process = f.path('log'), None
    s.start()
    try:
        got = {o['name']: o['roles'] for o in
               s.ask('operator', 'list') if 'name' in o}
        case.equal('the service knows its first operators', sorted(got),
                   sorted(want))
        status = s.ask('status')
        case('on the network that was said', status['network'] == 'main' and
             not status.get('demo'), status)
        r = s.run('account', 'create', 'carol')
        case('who has no key loosens nothing', r.returncode != 0 and
             s.ask('account', 'list') == [], r.stdout + r.stderr)
    finally:
        s.stop()


def real(f):
    one, two = f.operator('one'), f.operator('two')
    r = f.init('--operator', one, '--operator', two, '--network', 'main')
    case('two operators on main: both of them for what loosens',
         r.returncode == 0 and '2 of them' in r.stdout, r.stdout + r.stderr)
    case('nothing for trying in it', not any(
        os.path.exists(os.path.join(f.data, n))
        for n in ('operators', 'drill.keys')))
    modes(f)
    started(f, ['one', 'two'])


def history(f):
    scenario = f.path('small.jsonl')
    r = f.run('simulate', '--seed', '1', '--preset', 'tiny', '-o', scenario)
    if r.returncode != 0:
        r = f.run('simulate', '--seed', '1', '--preset', 'small', '-o',
                  scenario)
    assert r.returncode == 0, r.stderr
    r = f.init('--operator', f.operator('one'), '--network', 'main',
               '--history', scenario)
    case('a history is taught', r.returncode == 0 and 'were taught' in
         r.stdout and not r.stdout.startswith('0 '), r.stdout + r.stderr)
    r = f.run('audit', 'verify', '--db',
              os.path.join(f.data, 'journal.db'))
    case('and the journal with it verifies', r.returncode == 0, r.stderr)


def drill(f):
    r = f.init('--demo', '--drill', '--history', THEFT)
    case('a folder for the drill', r.returncode == 0, r.stderr)
    with open(os.path.join(f.data, 'drill.keys'), encoding='utf-8') as k:
        keys = json.load(k)
    case('with keys and second factors of those who take part',
         len(keys['keys']) == 100 and len(keys['codes']) == 98,
         '%d keys, %d codes' % (len(keys['keys']), len(keys['codes'])))
    case.equal('drill.keys is its owner\'s', stat.S_IMODE(os.lstat(
        os.path.join(f.data, 'drill.keys')).st_mode), 0o600)
    with open(os.path.join(f.data, 'drawbridged.conf'),
              encoding='utf-8') as c:
        case('only its own address may say whom it plays',
             'proxies 127.0.0.2\n' in c.read())
    r = f.run('audit', 'log', '--db', os.path.join(f.data, 'journal.db'),
              '--json')
    case('no secret stands in the journal open', r.returncode == 0 and
         not any(k['secret'] in r.stdout for k in keys['keys'].values()))
    with open(os.path.join(f.data, 'journal.db'), 'rb') as j:
        raw = j.read()
    case('nor in its bytes', not any(
        k['secret'].encode() in raw for k in keys['keys'].values()))


def main():
    with Folder() as f:
        one, two = f.operator('one'), f.operator('two')
        words(f, one, two)
        usage(f, one)
        files(f, one)
        twice(f)
    for of in (real, history, drill):
        with Folder() as f:
            of(f)
    case.end()


if __name__ == '__main__':
    main()
