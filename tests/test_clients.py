#!/usr/bin/env python3
"""The real clients of the customers' door, unmodified, with every key type.

They come from npm, as the lock file says; what npm has been asked for once
is kept in the build folder.
"""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402

HERE = os.path.join(service.SOURCE, 'tests', 'clients')
MODULES = os.path.join(service.BUILD, 'clients')
CLIENTS = ('ccxt', 'connector', 'wallet', 'nba', 'binance')
KINDS = ('hmac', 'rsa', 'ed25519')


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def install():
    """What the lock file says, once; '' or why not."""
    for program in ('node', 'npm', 'openssl'):
        if shutil.which(program) is None:
            return 'there is no ' + program
    os.makedirs(MODULES, exist_ok=True)
    lock = os.path.join(HERE, 'package-lock.json')
    mark = os.path.join(MODULES, 'installed')
    if os.path.exists(mark) and read(mark) == read(lock):
        return ''
    for name in ('package.json', 'package-lock.json'):
        shutil.copy(os.path.join(HERE, name), os.path.join(MODULES, name))
    try:
        r = subprocess.run(
            ['npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts',
             '--fetch-retries=1', '--fetch-timeout=60000'], cwd=MODULES,
            check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return 'npm took too long'
    if r.returncode != 0:
        return 'npm: ' + ' '.join(r.stdout.split())[:300]
    shutil.copy(lock, mark)
    return ''


def make_pair(folder, kind, name):
    """(private PEM, file of the public one)"""
    private = os.path.join(folder, '%s-%s.pem' % (name, kind))
    public = os.path.join(folder, '%s-%s.pub' % (name, kind))
    algorithm = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] \
        if kind == 'rsa' else ['-algorithm', 'ED25519']
    subprocess.run(['openssl', 'genpkey', '-out', private] + algorithm,
                   check=True, stderr=subprocess.DEVNULL)
    subprocess.run(['openssl', 'pkey', '-in', private, '-pubout', '-out',
                    public], check=True)
    with open(private, encoding='ascii') as f:
        return f.read(), public


def new_key(s, account, kind, name, **kw):
    """What a client is given; no public key may be registered twice."""
    secret, public = (None, None) if kind == 'hmac' else \
        make_pair(s.dir, kind, name)
    k = s.key(account, kind, public=public, **kw)
    return {'key': k.api_key, 'secret': secret or k.secret}


def prepare(s):
    """An account for each client and kind, for they are weighed by it."""
    c = {'base': s.url, 'modules': os.path.abspath(MODULES),
         'address': s.address(1), 'keys': {}, 'deposits': {}, 'wrong': {},
         'refused': {'unknown': 'dbk_' + 'a' * 32}}
    n = 100
    for client in CLIENTS:
        c['keys'][client], c['deposits'][client] = {}, {}
        for kind in KINDS:
            n += 1
            name = '%s-%s' % (client, kind)
            s.account(name, btc='50', address=s.address(n))
            c['deposits'][client][kind] = s.address(n)
            c['keys'][client][kind] = new_key(s, name, kind, client)
    s.account('carol', btc='50')
    away = ('192.0.2.0/24', '2001:db8::/32')
    for kind in KINDS:
        gone = new_key(s, 'carol', kind, 'gone')
        s.cli('key', 'revoke', gone['key'])
        c['wrong'][kind] = gone['secret']
        c['refused'][kind] = {
            'a key that may only read': new_key(
                s, 'carol', kind, 'reads', withdraw=False, ips=()),
            'a key from another network': new_key(
                s, 'carol', kind, 'away', ips=away),
            'a revoked key': gone}
    return c


def main():
    why = install()
    if why:
        print('ok the clients from npm # SKIP ' + why)
        return 0
    with service.Service(policy=service.EASY) as s:
        s.hot('1000')
        path = os.path.join(s.dir, 'clients.json')
        config = prepare(s)
        with open(path, 'w', encoding='utf-8') as f:
            json.dump(config, f)
        r = subprocess.run(['node', os.path.join(HERE, 'run.mjs'), path],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=False)
        sys.stdout.write(r.stdout)
        if r.returncode != 0 and 'not ok' not in r.stdout:
            print('not ok the clients ran: status %d' % r.returncode)
        return r.returncode


if __name__ == '__main__':
    sys.exit(main())
