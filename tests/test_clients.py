#!/usr/bin/env python3
"""The real clients of the customers' door, unmodified, with every key type."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402

HERE = os.path.join(service.SOURCE, 'tests', 'clients')
MODULES = os.path.join(service.BUILD, 'clients')


def install():
    """What the lock file says, once; '' or why not."""
    os.makedirs(MODULES, exist_ok=True)
    for name in ('package.json', 'package-lock.json'):
        shutil.copy(os.path.join(HERE, name), os.path.join(MODULES, name))
    if os.path.exists(os.path.join(MODULES, 'node_modules', 'ccxt')):
        return ''
    r = subprocess.run(['npm', 'ci', '--no-audit', '--no-fund',
                        '--ignore-scripts'], cwd=MODULES, check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True)
    return '' if r.returncode == 0 else r.stdout[-300:]


def make_key(folder, kind):
    private = os.path.join(folder, kind + '.pem')
    public = os.path.join(folder, kind + '.pub')
    algorithm = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] \
        if kind == 'rsa' else ['-algorithm', 'ED25519']
    subprocess.run(['openssl', 'genpkey', '-out', private] + algorithm,
                   check=True, stderr=subprocess.DEVNULL)
    subprocess.run(['openssl', 'pkey', '-in', private, '-pubout', '-out',
                    public], check=True)
    with open(private, encoding='ascii') as f:
        return f.read(), public


def main():
    why = install()
    if why:
        print('not ok the clients are installed: ' + why.replace('\n', ' '))
        return 1
    with service.Service(policy=service.EASY) as s:
        s.hot('1000')
        deposit = s.address(77)
        s.account('carol', btc='50', address=deposit)
        keys = {}
        k = s.key('carol')
        keys['hmac'] = {'key': k.api_key, 'secret': k.secret}
        for kind in ('rsa', 'ed25519'):
            private, public = make_key(s.dir, kind)
            keys[kind] = {'key': s.key('carol', kind,
                                       public=public).api_key,
                          'secret': private}
        reads = s.key('carol', withdraw=False, ips=())
        elsewhere = s.key('carol', ips=('192.0.2.0/24',))
        gone = s.key('carol')
        s.cli('key', 'revoke', gone.api_key)
        unknown = s.key('carol')
        s.cli('key', 'revoke', unknown.api_key)
        path = os.path.join(s.dir, 'clients.json')
        with open(path, 'w', encoding='utf-8') as f:
            json.dump({
                'base': s.url, 'modules': os.path.abspath(MODULES),
                'keys': keys, 'address': s.address(1), 'deposit': deposit,
                'refused': {
                    'unknown': 'dbk_' + 'a' * 32,
                    'keys': {
                        name: {'key': x.api_key, 'secret': x.secret}
                        for name, x in (
                            ('a key that may only read', reads),
                            ('a key from another network', elsewhere),
                            ('a revoked key', gone))},
                }}, f)
        r = subprocess.run(['node', os.path.join(HERE, 'run.mjs'), path],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=False)
        sys.stdout.write(r.stdout)
        if r.returncode != 0 and 'not ok' not in r.stdout:
            print('not ok the clients ran: status %d' % r.returncode)
        return r.returncode


if __name__ == '__main__':
    sys.exit(main())
