#!/usr/bin/env python3
"""drawbridge audit asked: a journal against its customers' signatures."""
import base64
import json
import os
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402

case = service.Cases()


def pair(folder, kind):
    pem, pub = (os.path.join(folder, kind + x) for x in ('.pem', '.pub'))
    algorithm = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] \
        if kind == 'rsa' else ['-algorithm', 'ED25519']
    subprocess.run(['openssl', 'genpkey', '-out', pem] + algorithm,
                   check=True, stderr=subprocess.DEVNULL)
    subprocess.run(['openssl', 'pkey', '-in', pem, '-pubout', '-out', pub],
                   check=True)
    return pem, pub


def sign(folder, pem, kind, message):
    path = os.path.join(folder, 'message')
    with open(path, 'w', encoding='ascii') as f:
        f.write(message)
    args = ['openssl', 'dgst', '-sha256', '-sign', pem, path] \
        if kind == 'rsa' else ['openssl', 'pkeyutl', '-sign', '-rawin',
                               '-inkey', pem, '-in', path]
    raw = subprocess.run(args, stdout=subprocess.PIPE, check=True).stdout
    return urllib.parse.quote(base64.b64encode(raw).decode(), safe='')


def asked(s):
    r = subprocess.run([service.PROGRAM, 'audit', 'asked', '--json', '--db',
                        os.path.join(s.data, 'journal.db')],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, check=False)
    return r.returncode, json.loads(r.stdout), r.stderr


def main():
    with service.Service(policy=service.EASY) as s:
        s.hot('1000')
        s.account('carol', btc='50')
        k = s.key('carol')
        case('hmac', s.apply(k, '0.1', s.address(1))[0] == 200)
        keys = {}
        for kind in ('rsa', 'ed25519'):
            pem, pub = pair(s.dir, kind)
            keys[kind] = s.key('carol', kind, public=pub).api_key
            for i in range(3):
                message = ('coin=BTC&address=%s&amount=0.0%d&timestamp=%d' %
                           (s.address(i), i + 1, int(time.time() * 1000)))
                r = s.get('/sapi/v1/capital/withdraw/apply',
                          {'X-MBX-APIKEY': keys[kind]}, 'POST', message +
                          '&signature=' + sign(s.dir, pem, kind, message))
                case('%s, %d' % (kind, i), r[0] == 200, str(r[:2]))
        s.stop()
        status, found, _ = asked(s)
        case('all are what was signed', status == 0 and found == {
            'signed': 6, 'hmac': 1, 'unsigned': 0, 'wrong': 0}, str(found))

        # Whoever owned the engine writes one more for a key that signs.
        path = os.path.join(s.dir, 'made-up.jsonl')
        t = int(time.time() * 1000) + 1000
        with open(path, 'w', encoding='ascii') as f:
            f.write('{"type":"scenario","t":0,"version":1,"network":'
                    '"regtest"}\n')
            f.write(json.dumps({
                'type': 'withdraw', 't': t, 'id': 'made-up', 'account':
                'carol', 'via': 'api', 'address': s.address(9), 'amount':
                '0.5', 'key': keys['ed25519'], 'ip': '127.0.0.1'}) + '\n')
        r = subprocess.run([service.PROGRAM, 'record', '--quiet', '--db',
                            os.path.join(s.data, 'journal.db'), path],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=False)
        case('a withdrawal is made up', r.returncode == 0, r.stdout)
        status, found, said = asked(s)
        case('it is found, and named', status == 1 and found['wrong'] == 1 and
             'made-up' in said, '%d %s %s' % (status, found, said))
    case.end()


if __name__ == '__main__':
    main()
