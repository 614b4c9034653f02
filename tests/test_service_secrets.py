#!/usr/bin/env python3
"""Planted secrets are nowhere in the clear: not in the data folder, not in
the log, not in what the service tells; and no core is left behind.

An HMAC secret, a TOTP seed with its recovery codes, and a code as it was
entered.
"""
import base64
import hashlib
import hmac
import os
import re
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from service import EASY, Cases, Service  # noqa: E402

case = Cases()


def forms(secret):
    """The ways in which it could lie about."""
    raw = secret.encode()
    return {raw, raw.hex().encode(), raw.hex().upper().encode(),
            base64.b64encode(raw).rstrip(b'=')[:-1],
            base64.urlsafe_b64encode(raw).rstrip(b'=')[:-1]}


def seed_forms(base32):
    raw = base64.b32decode(base32 + '=' * (-len(base32) % 8))
    return forms(base32) | {raw, raw.hex().encode(),
                            base64.b64encode(raw).rstrip(b'=')[:-1]}


def totp(base32):
    raw = base64.b32decode(base32 + '=' * (-len(base32) % 8))
    mac = hmac.new(raw, struct.pack('>Q', int(time.time()) // 30),
                   hashlib.sha1).digest()
    at = mac[-1] & 15
    return '%06d' % ((struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) %
                     1000000)


def files(folder):
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def found(folder, planted):
    hits = []
    for path in files(folder):
        with open(path, 'rb') as f:
            data = f.read()
        hits += ['%s in %s' % (what, os.path.relpath(path, folder))
                 for what, all_ in planted.items()
                 if any(form in data for form in all_)]
    return hits


def enrol(s, account):
    """A TOTP seed and recovery codes, as an operator has them made."""
    got = s.run('account', 'totp', account, '--as', 'alice', '--reason', 'x',
                '--json')
    text = got.stdout + got.stderr
    seed = re.search(r'secret=([A-Z2-7]{16,})', text)
    codes = re.findall(r'\b[0-9a-z]{4,5}(?:-[0-9a-z]{4,5})+\b', text)
    return seed and seed.group(1), codes, text


def main():
    with Service(policy=EASY) as s:
        s.hot('1000')
        s.account('carol', btc='50')
        key = s.key('carol')
        planted = {'HMAC secret': forms(key.secret) |
                   forms(key.secret[len('dbs_'):])}
        seed, codes, text = enrol(s, 'carol')
        if seed:
            planted['TOTP seed'] = seed_forms(seed)
            for c in codes:
                planted['recovery code'] = planted.get(
                    'recovery code', set()) | {c.encode()}
        else:
            print('# no seed: %r' % text[:300])
        case('a seed and recovery codes were planted', bool(seed) and
             len(codes) > 3, text[:300])
        code = totp(seed) if seed else '000000'
        got = s.signed(key, '/sapi/v1/capital/withdraw/apply', 'POST',
                       headers={'Drawbridge-Code': code}, coin='BTC',
                       address=s.address(1), amount='0.1',
                       withdrawOrderId='c1')
        case('the code is taken', got[0] == 200, got)
        s.apply(key, '0.1', s.address(2))
        wrong = dict(key.__dict__, secret='dbs_wrongwrongwrong')
        s.signed(type('K', (), wrong), '/api/v3/account')
        # A signature is a secret for as long as its window is open; whoever
        # reads the log must not have it.
        stamp = int(time.time() * 1000)
        text = s.sign(key, dict(coin='BTC', timestamp=stamp))
        s.get('/sapi/v1/capital/config/getall?' + text,
              {'X-MBX-APIKEY': key.api_key})
        planted['signature'] = {text.rsplit('=', 1)[1].encode()}
        s.ask('status')
        db = ['--db', os.path.join(s.data, 'journal.db')]
        for args in (['export'] + db, ['events', '--json'],
                     ['audit', 'log'] + db):
            out = s.run(*args).stdout.encode()
            case('%s tells none' % args[0], len(out) > 500 and not any(
                form in out for all_ in planted.values() for form in all_),
                out[:300])
        case('running: none is in a file', not found(s.dir, planted),
             found(s.dir, planted))
        # What dies leaves nothing.
        for room in ('auth', 'api', 'engine'):
            s.kill_room(room, signal.SIGABRT)
            s.wait_ready()
        s.kill()
        case('killed: none is in a file', not found(s.dir, planted),
             found(s.dir, planted))
        cores = [p for p in list(files(s.dir)) + [
            os.path.join('.', n) for n in os.listdir('.')]
            if re.match(r'(core(\..*)?|vgcore.*|.*\.core)$',
                        os.path.basename(p)) and os.path.isfile(p)]
        case('and no core', not cores, cores)
        # The search itself finds what is there.
        with open(os.path.join(s.data, 'planted'), 'w',
                  encoding='ascii') as f:
            f.write('x' + key.secret + 'y')
        case('the search finds one that lies there', found(
            s.dir, planted) == ['HMAC secret in data/planted'],
            found(s.dir, planted))
        os.unlink(os.path.join(s.data, 'planted'))
        s.start()
        case('and the secret is still good', s.signed(
            key, '/api/v3/account')[0] == 200)


if __name__ == '__main__':
    main()
    case.end()
