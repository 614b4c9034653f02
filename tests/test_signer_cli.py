#!/usr/bin/env python3
"""drawbridge signer: founding, ceremonies, approvals, refusals."""
import base64
import json
import os
import random
import re
import shutil
import stat
import subprocess
import sys

SOURCE = os.environ.get('SOURCE', '.')
sys.path.insert(0, os.path.join(SOURCE, 'tests'))
import service                                          # noqa: E402
import signer_cli as cli                                # noqa: E402
import signer_wire as wire                              # noqa: E402

case = service.Cases()
DICE = ''.join(random.Random(5).choices('123456', k=99))


def refused(name, got, word, status=cli.FAILED):
    """By its word, and what it means, on standard error."""
    case(name, got.returncode == status and 'refused, %s: ' % word in
         got.stderr, (got.returncode, got.stderr[-300:]))


def says(name, got, text, status=cli.FAILED):
    case(name, got.returncode == status and text in got.stderr,
         (got.returncode, got.stderr[-300:]))


def usage():
    with cli.Host() as h:
        for args in ((), ('nothing',), ('init', 'x'), ('status', '--dice'),
                     ('unlock', '--host', 'a:1'), ('sign',), ('--fee',),
                     ('approve',), ('external', 'x')):
            got = h.run(*args)
            case('usage: signer %s' % ' '.join(args), got.returncode ==
                 cli.USAGE and 'usage:' in got.stderr, got.stderr[:200])
        got = h.run('--help')
        case('--help', got.returncode == cli.DONE and
             'drawbridge-signer(1)' in got.stdout, got.stdout[:200])


def founding():
    with cli.Host() as h:
        says('init needs a folder', h.run('init'), '--data')
        says('init needs settings', h.run('init', '--data', h.data),
             '--settings')
        bad = h.write('bad', h.read('settings').replace('wpkh',
                                                        'wsh 1 of 2'))
        says('C4: settings that could pay twice found nothing',
             h.run('init', '--data', h.data, '--settings', bad),
             'more than half')
        says('the backup needs a terminal', h.init(), '--backup-to')
        case('and nothing was made', not os.path.exists(
            os.path.join(h.data, 'seed')))
        h.write('short', 'eleven byte\n')
        says('a short passphrase', h.run(
            'init', '--data', h.data, '--settings', h.settings,
            '--passphrase-file', h.path('short'), '--no-backup'), '12 bytes')
        got = h.init('--no-backup', '--json')
        said = json.loads(got.stdout)
        case('init on regtest, without a backup', got.returncode == 0 and
             said['network'] == 'regtest' and len(said['key']) == 64,
             got.stderr)
        for name in ('seed', 'journal'):
            mode = os.stat(os.path.join(h.data, name)).st_mode
            case('%s is its owner\'s alone' % name,
                 stat.S_IMODE(mode) == 0o600, oct(mode))
        says('a second signer in the same folder', h.init('--no-backup'),
             'there is a signer in it')
        first = said['external']
        got = h.run('show', '--data', h.data, '--json')
        said = json.loads(got.stdout)
        case('show: without the signer running', got.returncode == 0 and
             said['external'] == first and said['running'] is False,
             got.stdout)
        got = h.run('descriptors', '--data', h.data)
        case('descriptors', got.stdout.split('\n')[0] == first, got.stdout)
        shutil.rmtree(h.data)
        got = h.init('--no-backup', '--json')
        case('another one has other keys',
             json.loads(got.stdout)['external'] != first, got.stdout)


def main_net():
    with cli.Host(network='main') as h:
        says('no backup, off regtest', h.init('--no-backup', '--height',
                                              '800000'), 'regtest alone')
        says('the height is told, off regtest', h.init(), '--height')
        got = h.init('--height', '800000', '--backup-to', h.path('backup'),
                     input_='\n\n\n')
        says('a backup that is not read back', got, 'was not read back')
        case('and nothing was made', not os.path.exists(
            os.path.join(h.data, 'seed')))


def backup():
    with cli.Host() as h:
        got = h.init('--backup-to', h.path('backup'), input_='tprvwrong\n\n' +
                     'x' * 111 + '\n\n')
        says('three wrong ones', got, 'was not read back')
        lines = h.read('backup').split('\n')
        got = h.init('--backup-to', h.path('backup'))
        says('a backup is never overwritten', got, 'exists')
        os.unlink(h.path('backup'))
        wrong = h.init('--backup-to', h.path('backup'),
                       input_=lines[0] + '\n\n\n')
        says('the backup of another wallet', wrong, 'was not read back')
        case('it says so', 'of another wallet' in wrong.stderr, wrong.stderr)


def ceremony():
    """On a terminal: dice, passphrase, the key in groups, read back."""
    with cli.Host() as h:
        t = cli.Terminal('init', '--data', h.data, '--settings', h.settings,
                         '--dice')
        t.wait_for('0 of 99: ')
        t.type(DICE[:50])
        t.wait_for('50 of 99: ')
        t.type(DICE[50:])
        t.wait_for('99, enough: ')
        t.type('')
        t.wait_for('A passphrase')
        t.type(cli.PHRASE)
        t.wait_for('again: ')
        t.type(cli.PHRASE)
        shown = t.wait_for('Now type') or ''
        case('the passphrase is not shown', cli.PHRASE not in t.seen)
        rows = re.findall(r'^  \d+  ([\w ]+)\r?$', shown, re.M)
        key = ''.join(rows).replace(' ', '')
        case('the master key in groups of four', key.startswith('tprv') and
             len(key) == 111 and rows[0].split()[1] == key[4:8], shown)
        found = re.search(r'^\[\{.*\}\]', shown, re.M)
        case('what Bitcoin Core imports', found is not None and
             'tprv' in json.loads(found.group(0))[0]['desc'])
        t.wait_for('> ')
        at = key.index('9') if '9' in key[8:] else 20
        t.type(key[:at] + ('8' if key[at] != '8' else '7') + key[at + 1:])
        case('one wrong letter', t.wait_for('Not the backup') is not None)
        t.wait_for('> ')
        t.type(' '.join(rows[:2]))
        t.wait_for('> ')
        t.type(' '.join(rows[2:]))
        case('typed back, proved', t.wait_for('Proved') is not None, t.seen)
        case('the signer is there', t.end() == 0 and os.path.exists(
            os.path.join(h.data, 'seed')))
        with open(os.path.join(h.data, 'public'), encoding='ascii') as f:
            case('nothing secret is in its public file', key not in f.read())


def dice():
    with cli.Host() as h:
        for name, text, why in (
                ('98 of them', DICE[:98], 'it takes 99'),
                ('a seven', DICE + '7', 'digits 1 to 6'),
                ('all ones', '1' * 99, 'in a row'),
                ('five faces', DICE.replace('6', '5'), 'face'),
                ('a staircase', '123456' * 17, 'repeat')):
            got = h.init('--no-backup', '--dice', input_=text + '\n\n')
            says('dice that are none: ' + name, got, why)
        got = h.init('--no-backup', '--dice', '--json', input_=DICE + '\n\n')
        case('dice', got.returncode == 0, got.stderr)
        first = json.loads(got.stdout)['external']
        shutil.rmtree(h.data)
        got = h.init('--no-backup', '--dice', '--json', input_=DICE + '\n\n')
        case('the same dice give another seed: the system\'s part is in it',
             json.loads(got.stdout)['external'] != first)


def opening():
    with cli.Host() as h:
        h.init('--no-backup')
        says('nobody is there', h.ask('status'), 'the signer (')
        h.start()
        case('H12: locked at first', h.status()['locked'] is True)
        says('a resume without approvals is no request', h.ask('resume'),
             '--approval')
        with h.relay.requests() as s:
            a = wire.ask(s, wire.RESUME, 77)
            case('what is no request is refused under its own tag',
                 (a.kind, a.tag, a.refusal) == (wire.REFUSED, 77,
                                                wire.MALFORMED), repr(a))
        h.write('wrong', 'another passphrase\n')
        got = h.ask('unlock', '--passphrase-file', h.path('wrong'))
        refused('a wrong passphrase', got, 'passphrase')
        got = h.ask('unlock', '--passphrase-file', h.path('wrong'), '--json')
        case('a refusal as JSON', json.loads(got.stdout)['refused'] ==
             'passphrase' and got.returncode == cli.FAILED, got.stdout)
        case('unlock', h.unlock().stdout == 'unlocked\n')
        status = h.status()
        case('status', status['locked'] is False and status['epoch'] == 1 and
             status['armed'] is True, status)
        case('the newest head is kept', os.path.exists(h.path('head')))
        got = h.run('status', '--data', h.data)
        case('status for people', 'per-transaction        5 BTC\n' in
             got.stdout, got.stdout)
        case('show: with the signer running', json.loads(h.run(
            'show', '--data', h.data, '--json').stdout)['status']['quorum']
            == 2)
        case('lock', h.ask('lock').stdout == 'locked\n' and
             h.status()['locked'] is True)


def halting():
    with cli.Host() as h:
        h.init('--no-backup')
        h.start()
        h.unlock()
        got = h.ask('halt', '--reason', 'a drill')
        case('halt takes one', got.returncode == 0, got.stderr)
        status = h.status()
        case('halted', status['halted'] is True and
             status['halt-reason'] == 'a drill', status)
        one = h.approvals('one', ['alice'], 'resume')
        refused('resume with one approval', h.ask('resume', '--approval',
                                                  one), 'approvals')
        twice = h.approvals('twice', ['alice', 'alice'], 'resume')
        refused('resume with one who says it twice', h.ask(
            'resume', '--approval', twice), 'approval-bad')
        other = h.approvals('other', ['alice', 'bob'], 'rearm')
        refused('H6: approvals of another purpose', h.ask(
            'resume', '--approval', other), 'approval-bad')
        two = h.approvals('two', ['alice', 'bob'], 'resume')
        got = h.ask('resume', '--approval', two)
        case('resume with two', got.stdout == 'resumed\n', got.stderr)
        h.ask('halt', '--reason', 'again')
        refused('H6: an old resume does not end the next halt', h.ask(
            'resume', '--approval', two), 'approval-bad')
        t = cli.Terminal('approve', 'resume', '--as', 'alice', '--key',
                         h.path('alice.key'), '--data', h.data)
        case('who approves a resume sees why it stopped',
             'halted: again' in (t.wait_for('[y/N]') or ''), t.seen)
        t.type('n')
        t.end()
        got = h.approve('alice', 'resume', '--answers', '99')
        case('an approval away from the signer', got.stdout.startswith(
            'drawbridge-signer-approval-1 resume - '), got.stderr)
        says('approve: what there is not', h.approve('alice', 'riches'),
             'approve what?')


def agreeing():
    """Who approves sees what he signs, and is asked."""
    with cli.Host() as h:
        h.init('--no-backup')
        h.write('public', h.read('signer/public'))
        script = bytes.fromhex('0014' + '11' * 20)
        receipt = h.write('receipt', h.engine.pay(5, b'w-1', script,
                                                  150000000) + '\n')
        trust = h.write('trust', 'drawbridge-receipts-1 %s regtest %s\n' % (
            cli.DEPLOYMENT.hex(), h.engine.public.hex()))
        args = ['approve', 'pay', '--receipt', receipt, '--trust', trust,
                '--as', 'alice', '--key', h.path('alice.key'), '--signer',
                h.path('public')]
        t = cli.Terminal(*args)
        shown = t.wait_for('[y/N]') or ''
        case('the whole text is shown', 'amount: 1.50000000' in shown and
             'script: 0014' + '11' * 20 in shown and 'id: w-1' in shown,
             shown)
        case('and the address', '1.5 BTC to bcrt1q' in shown, shown)
        t.type('n')
        case('a no is a no', t.end() == cli.FAILED and
             'drawbridge-signer-approval' not in t.seen, t.seen)
        got = h.run(*args, input_='y\n')
        case('a yes is a line', got.stdout.startswith(
            'drawbridge-signer-approval-1 pay 772d31 '), got.stderr)
        got = h.run(*args, '--json', '--yes')
        said = json.loads(got.stdout)
        case('a yes as JSON', said['id'] == 'w-1' and said['by'] == 'alice'
             and said['approval'].startswith('drawbridge-signer-'), said)
        other = h.write('other', h.engine.receipt(
            1, 5, b'w-1', script, 150000000) + '\n')
        got = h.run(*args[:3], other, *args[4:], '--yes')
        says('a receipt for somebody else\'s signer', got, '`pay`')
        forged = base64.b64decode(h.read('receipt'))
        forged = forged[:-1] + bytes([forged[-1] ^ 1])
        other = h.write('other', base64.b64encode(forged).decode() + '\n')
        got = h.run(*args[:3], other, *args[4:], '--yes')
        says('a receipt that the engine did not sign', got, 'not signed')


def others():
    """What is meant for this signer is nobody else's to pay by."""
    with cli.Host() as h:
        script = bytes.fromhex('0014' + '11' * 20)
        trust = h.write('trust', 'drawbridge-receipts-1 %s regtest %s\n' % (
            cli.DEPLOYMENT.hex(), h.engine.public.hex()))
        for purpose, word in ((1, None), (cli.PAY_OWN, 'pay-own'),
                              (cli.BURN, 'burn'),
                              (cli.STANDING, 'standing')):
            what = (b'w-1', script, 1000) if word != 'standing' else ()
            file = h.write('receipt', h.engine.receipt(purpose, 5, *what) +
                           '\n')
            for args in (('verify', '--trust', trust),
                         ('redeem', '--trust', trust, '--ledger',
                          h.path('ledger-%d' % purpose), '--new')):
                got = subprocess.run(
                    [cli.PROGRAM, 'receipt'] + list(args) + [file],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    text=True)
                if word is None:
                    case('receipt %s: pay' % args[0], got.returncode == 0,
                         got.stderr)
                else:
                    says('receipt %s: `%s`' % (args[0], word), got,
                         'its purpose is `%s`' % word)


def governing():
    """Settings, re-arming, epochs: what people decide."""
    with cli.Host() as h:
        h.init('--no-backup')
        h.start()
        h.unlock()
        tighter = h.write('tighter', h.read('settings').replace(
            'per-transaction 5', 'per-transaction 4'))
        says('settings without a custodian', h.ask('settings', tighter),
             '--approval')
        alice = h.approvals('a', ['alice'], 'settings', tighter)
        refused('settings by one who is no custodian', h.ask(
            'settings', tighter, '--approval', alice), 'approval-bad')
        t = cli.Terminal('approve', 'settings', tighter, '--as', 'bob',
                         '--key', h.path('bob.key'), '--data', h.data)
        case('who approves settings sees all of them',
             'per-transaction 4 BTC' in (t.wait_for('[y/N]') or ''), t.seen)
        t.type('n')
        t.end()
        bob = h.approvals('b', ['bob'], 'settings', tighter)
        got = h.ask('settings', tighter, '--approval', bob)
        case('tighter settings, at once', got.returncode == 0 and
             h.status()['per-transaction'] == 400000000, got.stderr)
        refused('H6: the same approval again', h.ask(
            'settings', h.settings, '--approval', bob), 'approval-bad')
        bob = h.approvals('b', ['bob'], 'settings', h.settings)
        got = h.ask('settings', h.settings, '--approval', bob)
        status = h.status()
        case('looser settings wait', got.returncode == 0 and
             status['settings-wait'] is True and
             status['per-transaction'] == 400000000, status)
        carol = h.approvals('c', ['carol'], 'rearm')
        got = h.ask('rearm', '--approval', carol)
        case('rearm', got.returncode == 0, got.stderr)
        key = 'ab' * 32
        two = h.approvals('e', ['alice'], 'epoch', '2', '--engine', key)
        got = h.ask('epoch', '2', '--engine', key, '--approval', two)
        case('H5: the next epoch', got.returncode == 0 and
             h.status()['epoch'] == 2, got.stderr)
        refused('H5: the same epoch again', h.ask(
            'epoch', '2', '--engine', key, '--approval', two), 'epoch')


def burning():
    with cli.Host() as h:
        h.init('--no-backup')
        h.start()
        h.unlock()
        script = bytes.fromhex('0014' + '11' * 20)
        burn = h.write('burn', h.engine.receipt(
            cli.BURN, 5, b'w-1', script, 1000) + '\n')
        got = h.ask('burn', '--receipt', burn)
        body = base64.b64decode(got.stdout)
        case('C1: burned, in the signer\'s word', got.returncode == 0 and
             len(body) == 241 and body[40:44] == b'\x03w-1', got.stderr)
        pay = h.write('pay', h.engine.pay(6, b'w-2', script, 1000) + '\n')
        refused('C1: a payment is no burn', h.ask('burn', '--receipt', pay),
                'receipt-purpose')
        adopt = h.write('adopt', h.engine.standing(3) + '\n')
        args = ('adopt', '--standing', adopt, '--booked', str(
            h.status()['signed-sequence']))
        two = h.approvals('two', ['alice', 'bob'], *args)
        got = h.ask(*args, '--approval', two)
        case('C5: an engine that went back is adopted', got.returncode == 0,
             got.stderr)


def recovering():
    with cli.Host() as h:
        h.init('--no-backup')
        h.start()
        h.unlock()
        h.ask('halt')
        args = ('recover', '--data', h.data, '--settings', h.settings,
                '--passphrase-file', h.phrase)
        says('recover needs a floor', h.run(*args), '--floor')
        args += ('--floor', '4711', '--head', h.path('head'))
        says('recover: not while it runs', h.run(*args, '--yes'),
             'stop it first')
        h.stop()
        says('recover: asked first', h.run(*args, input_='n\n'),
             'nothing was changed')
        says('C4: the new journal begins above every old head', h.run(
            *args, '--yes', '--first-sequence', '1'), 'had reached')
        tr = h.write('tr', h.read('settings').replace('wpkh', 'tr'))
        says('recover: settings of another wallet', h.run(
            *args[:4], tr, *args[5:], '--yes'), 'another wallet')
        head = h.read('head')
        got = h.run(*args, '--yes')
        case('recover', got.returncode == 0, got.stderr)
        case('the old journal is put aside', any(
            n.startswith('journal.old-') for n in os.listdir(h.data)))
        h.start()
        h.unlock()
        status = h.status()
        case('C4: all is spent, nothing is armed, and there is a floor',
             status['armed'] is False and status['floor'] == 4711 and
             status['short-spent'] == status['short-max'], status)
        case('the newest head is the new journal\'s',
             h.read('head') != head and status['sequence'] > 10 ** 12)


def putting_back():
    """C4: yesterday's journal, and somebody who holds today's head."""
    with cli.Host() as h:
        h.init('--no-backup')
        shutil.copytree(h.data, h.path('yesterday'))
        h.start()
        h.unlock()
        h.ask('halt')
        h.stop()
        shutil.rmtree(h.data)
        os.rename(h.path('yesterday'), h.data)
        h.start()
        h.unlock()
        burn = h.write('burn', h.engine.receipt(
            cli.BURN, 5, b'w-1', b'\x00\x14' + b'1' * 20, 1000) + '\n')
        refused('C4: a journal that was put back', h.ask(
            'burn', '--receipt', burn), 'behind')


def far_away():
    """--host: TLS with keys that both ends know."""
    with cli.Host() as h:
        h.init('--no-backup')
        me = h.run('identity', h.path('me.pem')).stdout.strip()
        case('identity', len(me) == 64 and me == h.run(
            'identity', h.path('me.pem')).stdout.strip(), me)
        stranger = h.run('identity', h.path('stranger.pem')).stdout.strip()
        pin = wire.make_identity(h.data)
        h.write('signer/pins', me + ' the test\n')
        h.relay = wire.Relay(h.data, ['--listen', '127.0.0.1:0'],
                             program=wire.SIGNER)
        where = ['--host', '127.0.0.1:%d' % h.relay.port, '--pin', pin]
        got = h.run('status', *where, '--identity', h.path('me.pem'),
                    '--json')
        case('status from another host', got.returncode == 0 and
             json.loads(got.stdout)['locked'] is True, got.stderr)
        got = h.run('status', *where, '--identity', h.path('stranger.pem'))
        case('a stranger is not heard', got.returncode == cli.FAILED and
             stranger != me, got.stdout)
        got = h.run('status', *where[:3], 'ab' * 32, '--identity',
                    h.path('me.pem'))
        case('another relay is not believed', got.returncode == cli.FAILED,
             got.stdout)
        got = h.run('unlock', *where, '--identity', h.path('me.pem'))
        case('the custodian\'s own is not said from afar',
             got.returncode == cli.USAGE, got.stderr)


def main():
    usage()
    founding()
    main_net()
    backup()
    ceremony()
    dice()
    opening()
    halting()
    agreeing()
    others()
    governing()
    burning()
    recovering()
    putting_back()
    far_away()
    case.end()


if __name__ == '__main__':
    main()
