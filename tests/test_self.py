#!/usr/bin/env python3
"""The self-service of account holders, with second factors, against a real
service."""
import base64
import hashlib
import hmac
import json
import os
import re
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402

POLICY = '''policy 1
default allow
shadow hold when amount > 100 btc
step-up "code"     when amount >= 1 btc and not code given
delay 1h "big"     when amount >= 2 btc
hold "very big"    when amount >= 3 btc
'''


def totp(secret, t=None, step=0):
    """RFC 6238, SHA-1, six digits."""
    key = base64.b32decode(secret + '=' * (-len(secret) % 8))
    n = int(time.time() if t is None else t) // 30 + step
    mac = hmac.new(key, struct.pack('>Q', n), hashlib.sha1).digest()
    at = mac[-1] & 15
    return '%06d' % ((struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff)
                     % 1000000)


LAST = [0]


def now_ms():
    """Never the same twice: a message is accepted once."""
    LAST[0] = max(LAST[0] + 1, int(time.time() * 1000))
    return LAST[0]


def ask(s, key, method, target, body=None, code=None, t=None, sign=None,
        connection=None):
    """One request, signed as contracts/door.md says."""
    raw = b'' if body is None else (
        body if isinstance(body, bytes) else json.dumps(body).encode())
    when = str(now_ms() if t is None else t)
    message = '%s\n%s\n%s\n%s' % (method, target, when,
                                  hashlib.sha256(raw).hexdigest())
    signature = sign(message.encode()) if sign else hmac.new(
        key.secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    head = {'Drawbridge-Key': key.api_key, 'Drawbridge-Time': when,
            'Drawbridge-Signature': signature}
    if raw:
        head['Content-Type'] = 'application/json'
    if code is not None:
        head['Drawbridge-Code'] = code
    r = s.get(target, head, method, raw if method == 'POST' else None,
              connection)
    return r[0], r[1]


class Phone:
    """Codes, each once: of the telephone, which waits for the next step when
    it must, or, quicker, recovery codes."""

    def __init__(self, secret):
        self.secret = secret
        self.last = -1
        self.recovery = []
        self.again = None

    def code(self):
        if len(self.recovery) > 1:
            return self.recovery.pop()
        if self.again:
            fresh = self.again(self.recovery.pop())
            self.secret, self.recovery = fresh.secret, fresh.recovery
            return self.recovery.pop()
        return self.totp()

    def totp(self):
        while True:
            now = int(time.time()) // 30
            for step in (now - 1, now, now + 1):
                if step > self.last:
                    self.last = step
                    return totp(self.secret, step * 30)
            time.sleep(0.5)


def enrol(s, key, case=None, code=None):
    status, j = ask(s, key, 'POST', '/v1/self/totp', code=code)
    if case:
        case('TOTP begins', status == 200 and j['uri'].startswith(
            'otpauth://totp/'), j)
    phone = Phone(j['secret'])
    status, done = ask(s, key, 'POST', '/v1/self/totp/confirm',
                       {'code': phone.totp()})
    if case:
        case('TOTP is confirmed, with ten recovery codes', status == 200 and
             done['state'] == 'done' and len(done['recovery']) == 10, done)
    phone.recovery = done.get('recovery', [])
    phone.again = lambda code: enrol(s, key, code=code)
    return phone


def openssl_key(folder, kind):
    private = os.path.join(folder, kind + '-self.pem')
    public = os.path.join(folder, kind + '-self.pub')
    subprocess.run(['openssl', 'genpkey', '-out', private] + (
        ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']
        if kind == 'rsa' else ['-algorithm', 'ED25519']), check=True,
        stderr=subprocess.DEVNULL)
    subprocess.run(['openssl', 'pkey', '-in', private, '-pubout', '-out',
                    public], check=True)
    with open(public, encoding='ascii') as f:
        pem = f.read()

    def sign(message):
        path = os.path.join(folder, 'message')
        with open(path, 'wb') as f:
            f.write(message)
        args = ['openssl', 'pkeyutl', '-sign', '-inkey', private, '-in',
                path] + (['-rawin', '-digest', 'sha256'] if kind == 'rsa'
                         else ['-rawin'])
        raw = subprocess.run(args, check=True,
                             stdout=subprocess.PIPE).stdout
        return base64.b64encode(raw).decode()
    return pem, sign


def spki_hex(pem):
    lines = [x for x in pem.splitlines() if not x.startswith('---')]
    return base64.b64decode(''.join(lines)).hex()


def first(s, case, key, reader):
    status, j = ask(s, key, 'GET', '/v1/self/keys')
    case('a key\'s use is told', any(x['used_ip'] == '127.0.0.1' for x in ask(
        s, key, 'GET', '/v1/self/keys')[1]), j)
    case('keys are listed', status == 200 and len(j) == 2 and
         j[0]['account'] == 'carol', j)
    case.equal('without a factor nothing is changed', ask(
        s, key, 'POST', '/v1/self/addresses',
        {'address': s.address(5)})[0], 401)
    case.equal('a reading key does not enrol', ask(
        s, reader, 'POST', '/v1/self/totp')[0], 401)
    case.equal('another signature', ask(
        s, key, 'GET', '/v1/self/keys',
        sign=lambda m: '0' * 64)[1].get('code'), -1022)
    now = int(time.time() * 1000)
    case.equal('the window', [ask(
        s, key, 'GET', '/v1/self/keys', t=now + d)[1].get('code')
        for d in (-31000, 5000)], [-1021, -1021])

    body = json.dumps({'address': s.address(6)}).encode()
    case.equal('a body that was not signed', ask(
        s, key, 'POST', '/v1/self/addresses', body,
        sign=lambda m: hmac.new(key.secret.encode(), m.replace(
            hashlib.sha256(body).hexdigest().encode(),
            hashlib.sha256(b'{}').hexdigest().encode()),
            hashlib.sha256).hexdigest())[1].get('code'), -1022)
    t = int(time.time() * 1000)
    got = [ask(s, key, 'GET', '/v1/self/why', t=t)[0] for _ in (0, 1)]
    case.equal('a signature is good once', got, [200, 400])
    case.equal('a member twice', ask(
        s, key, 'POST', '/v1/self/freeze', b'{"a":1,"a":2}')[0], 400)
    case.equal('a member that nobody knows', ask(
        s, key, 'POST', '/v1/self/cancel', {'x': 1})[0], 404)


def factors(s, case, key):
    phone = enrol(s, key, case)
    recovery = phone.recovery
    code = phone.totp()
    status, j = ask(s, key, 'POST', '/v1/self/addresses',
                    {'address': s.address(5), 'label': 'cold'}, code)
    case('an address is added with a code', status == 200 and
         j == {'state': 'done'}, j)
    case.equal('a code is good once', ask(
        s, key, 'POST', '/v1/self/addresses', {'address': s.address(6)},
        code)[1].get('code'), -4005)
    status, j = ask(s, key, 'GET', '/v1/self/addresses')
    case('it is in the book', status == 200 and [
        (x['address'], x['label']) for x in j] == [
            (s.address(5), 'cold')], j)
    status, j = ask(s, key, 'POST', '/v1/self/addresses/%s/remove' %
                    s.address(5), None, recovery[0])
    case('a recovery code serves', status == 200, j)
    case.equal('once', ask(s, key, 'POST', '/v1/self/addresses',
                           {'address': s.address(6)},
                           recovery.pop(0))[1].get('code'), -4005)
    case.equal('enrolling again wants a factor', ask(
        s, key, 'POST', '/v1/self/totp')[0], 401)
    return phone


def keys(s, case, key, phone):
    status, j = ask(s, key, 'POST', '/v1/self/keys',
                    {'type': 'hmac', 'label': 'mine',
                     'ips': ['127.0.0.1']}, phone.code())
    case('a key is made at once when it only reads', status == 200 and
         j['state'] == 'done' and j['secret'].startswith('dbs_'), j)
    new = service.Key(dict(j, account='carol'))
    case.equal('and works', s.signed(new, '/api/v3/account')[0], 200)
    status, j = ask(s, key, 'POST', '/v1/self/keys',
                    {'type': 'hmac', 'withdraw': True,
                     'ips': ['127.0.0.1']}, phone.code())
    case('one that may withdraw waits', status == 200 and
         j['state'] == 'waiting' and j['proposal'] > 0, j)
    wait = service.Key(dict(j, account='carol'))
    case.equal('and cannot be used', s.signed(
        wait, '/api/v3/account')[0], 401)
    s.cli('approve', str(j['proposal']), '--yes')
    time.sleep(0.3)
    case.equal('until operators agreed', s.apply(
        wait, '0.1', s.address(27))[0], 200)
    status, j = ask(s, key, 'POST', '/v1/self/keys',
                    {'type': 'hmac', 'withdraw': True}, phone.code())
    case('and without networks is refused', status == 400 and
         'networks' in j['msg'], j)
    status, j = ask(s, key, 'POST', '/v1/self/keys/%s' % new.api_key,
                    {'ips': ['192.0.2.0/24']}, phone.code())
    case('other networks loosen and wait', j.get('state') == 'waiting', j)
    return new


def public_keys(s, case, key, phone):
    for kind in ('ed25519', 'rsa'):
        pem, sign = openssl_key(s.dir, kind)
        message = 'drawbridge key proof\ncarol\n%s' % spki_hex(pem)
        body = {'type': kind, 'public_key': pem, 'ips': ['127.0.0.1']}
        status, j = ask(s, key, 'POST', '/v1/self/keys', dict(
            body, proof=sign(message.replace('carol', 'dave').encode())),
            phone.code())
        case(kind + ': a proof for another account', status == 400 and
             'proof' in j['msg'], j)
        status, j = ask(s, key, 'POST', '/v1/self/keys', dict(
            body, proof=sign(message.encode())), phone.code())
        case(kind + ': proven', status == 200 and 'api_key' in j and
             'secret' not in j, j)
        mine = service.Key({'api_key': j['api_key'], 'account': 'carol'})
        status, j = ask(s, mine, 'GET', '/v1/self/keys', sign=sign)
        case(kind + ': signs for itself', status == 200, j)


def others(s, case, key, phone, stranger):
    status, j = ask(s, key, 'POST', '/v1/self/keys/%s/revoke' %
                    stranger.api_key, None, phone.code())
    case('a key of another is unknown', status == 400 and
         'no such key' in j['msg'], j)
    wid = s.apply(stranger, '1.5', s.address(40))[1]['id']
    for what in ('code', 'cancel'):
        status, j = ask(s, key, 'POST', '/v1/self/withdrawals/%s/%s' %
                        (wid, what), None, phone.code())
        case('%s of another\'s withdrawal' % what, status == 400 and
             'no such withdrawal' in j['msg'], j)
    case.equal('its state is not told', ask(
        s, key, 'GET', '/v1/self/withdrawals/' + wid)[0], 404)


def state(s, key, wid):
    return ask(s, key, 'GET', '/v1/self/withdrawals/' + wid)[1]


def step_up(s, case, key, phone):
    wid = s.apply(key, '1.2', s.address(20))[1]['id']
    got = state(s, key, wid)
    case('a step-up waits for a code', got['state'] == 'waiting' and
         got['needs_code'], got)
    status, j = ask(s, key, 'POST', '/v1/self/withdrawals/%s/code' % wid,
                    None, phone.code())
    case('and is released by it', status == 200 and
         state(s, key, wid)['state'] == 'released', (j,
                                                     state(s, key, wid)))
    wid = s.apply(key, '2.2', s.address(21))[1]['id']
    ask(s, key, 'POST', '/v1/self/withdrawals/%s/code' % wid, None,
        phone.code())
    got = state(s, key, wid)
    case('a code buys off no delay', got['state'] == 'waiting' and
         not got['needs_code'], got)
    wid2 = s.apply(key, '3.2', s.address(22))[1]['id']
    ask(s, key, 'POST', '/v1/self/withdrawals/%s/code' % wid2, None,
        phone.code())
    case.equal('and no person', state(s, key, wid2)['state'], 'held')
    head = {'Drawbridge-Code': phone.code()}
    wid3 = s.apply(key, '2.3', s.address(23), headers=head)[1]['id']
    got = state(s, key, wid3)
    case('nor one that comes along', got['state'] == 'waiting' and
         got['rules'] == ['big'], got)
    case.equal('which was used by it', s.apply(
        key, '1.3', s.address(24), headers=head)[1].get('code'), -4001)
    status, j = ask(s, key, 'POST', '/v1/self/withdrawals/%s/cancel' % wid)
    case('cancelled with the signature alone', status == 200 and
         state(s, key, wid)['state'] == 'cancelled', j)
    status, j = ask(s, key, 'POST', '/v1/self/withdrawals/%s/cancel' % wid)
    case('not twice', status == 400 and 'too late' in j['msg'], j)


def restarts(s, case, key, phone):
    """What was used before stays used."""
    code = phone.totp()
    case.equal('a code before the restart', ask(
        s, key, 'POST', '/v1/self/addresses', {'address': s.address(7)},
        code)[0], 200)
    head = {'Drawbridge-Code': phone.totp()}
    case('and one with a withdrawal', 'id' in s.apply(
        key, '1.3', s.address(25), headers=head)[1])
    s.kill_room('auth')
    time.sleep(0.3)
    s.wait_ready()
    end = time.monotonic() + 15
    while time.monotonic() < end:
        status, j = ask(s, key, 'POST', '/v1/self/addresses',
                        {'address': s.address(8)}, code)
        if j.get('code') not in (-1021, -1008):
            break
        time.sleep(0.2)
    case.equal('is used after it', j.get('code'), -4005)
    case.equal('as is the other', s.apply(
        key, '1.3', s.address(26), headers=head)[1].get('code'), -4001)


def why(s, case, key, reader):
    s.apply(reader, '0.1', s.address(30))
    j = ask(s, key, 'GET', '/v1/self/why')[1]
    case('the true reason is the owner\'s', any(
        'may not withdraw' in x['why'] for x in j), j)


def lock(s, case):
    s.account('mallory', btc='5')
    key = s.key('mallory')
    phone = enrol(s, key)
    got = [ask(s, key, 'POST', '/v1/self/addresses',
               {'address': s.address(9)}, '%06d' % n)[1].get('code')
           for n in range(6)]
    case('wrong codes lock after five', got[:5] == [-4005] * 5 and
         got[5] == -1003, got)
    case.equal('then a right one is not taken either', ask(
        s, key, 'POST', '/v1/self/addresses', {'address': s.address(9)},
        phone.code())[1].get('code'), -1003)
    other = s.key('mallory')
    case.equal('another key of the account is not locked', ask(
        s, other, 'POST', '/v1/self/addresses', {'address': s.address(9)},
        phone.code())[0], 200)


def by_operators(s, case):
    s.account('erin', btc='50')
    key = s.key('erin')
    svg, png = (os.path.join(s.dir, 'qr.' + x) for x in ('svg', 'png'))
    j = s.cli('account', 'totp', 'erin', '--qr', svg)
    case('operators enrol', j['uri'].startswith('otpauth://totp/') and
         len(j['recovery']) == 10, j)
    with open(svg, encoding='ascii') as f:
        case('the code as SVG', f.read().startswith(('<?xml', '<svg')))
    case.equal('which only its owner reads', os.stat(svg).st_mode & 0o777,
               0o600)
    j = s.cli('account', 'totp', 'erin', '--qr', png)
    with open(png, 'rb') as f:
        case('and as PNG', f.read(8) == b'\x89PNG\r\n\x1a\n')
    phone = Phone(re.search('secret=([A-Z2-7]+)', j['uri']).group(1))
    time.sleep(0.3)         # auth hears of it after who asked has
    head = {'Drawbridge-Code': phone.totp()}
    got = s.apply(key, '1.5', s.address(60), headers=head)[1]
    case('a code of the telephone is taken', 'id' in got, got)
    wid = got.get('id', 'x')
    case.equal('its code serves', state(s, key, wid)['state'], 'released')
    head = {'Drawbridge-Code': j['recovery'][0]}
    wid = s.apply(key, '1.5', s.address(61), headers=head)[1]['id']
    case.equal('a recovery code of it, too', state(s, key, wid)['state'],
               'released')
    case.equal('once', s.apply(key, '1.5', s.address(62),
                               headers=head)[1].get('code'), -4001)
    s.cli('account', 'contact', 'erin', '--mail', 'erin@example.org',
          json_=False)
    case.equal('a contact that is none', s.run(
        'account', 'contact', 'erin', '--mail', 'erin', '--as', 'alice',
        '--reason', 'x').returncode, 1)
    s.cli('account', 'totp', 'erin', '--remove', json_=False)
    time.sleep(0.3)
    wid = s.apply(key, '1.5', s.address(63), headers={
        'Drawbridge-Code': j['recovery'][1]})[1]['id']
    case.equal('removed, no code is one', state(s, key, wid)['state'],
               'waiting')
    case.equal('and none is enrolled past the contact', ask(
        s, key, 'POST', '/v1/self/totp')[0], 401)


def freeze(s, case, key):
    status, j = ask(s, key, 'POST', '/v1/self/freeze')
    case('frozen with the signature alone', status == 200, j)
    case.equal('nothing leaves', s.apply(key, '0.1', s.address(31))[0], 400)
    status, j = ask(s, key, 'POST', '/v1/self/keys/%s/revoke' % key.api_key)
    case('the key revokes itself', status == 200, j)
    case.equal('and is dead', ask(s, key, 'GET', '/v1/self/keys')[0], 401)


def main():
    case = service.Cases()
    with service.Service(policy=POLICY) as s:
        s.hot('1000')
        s.account('carol', btc='50')
        s.account('dave', btc='50')
        key = s.key('carol')
        reader = s.key('carol', withdraw=False, ips=())
        stranger = s.key('dave')
        time.sleep(1.2)         # what was signed just at the start is refused
        first(s, case, key, reader)
        phone = factors(s, case, key)
        keys(s, case, key, phone)
        step_up(s, case, key, phone)
        others(s, case, key, phone, stranger)
        public_keys(s, case, key, phone)
        why(s, case, key, reader)
        lock(s, case)
        by_operators(s, case)
        restarts(s, case, key, phone)
        freeze(s, case, key)
        s.stop()
    case.end()


if __name__ == '__main__':
    main()
