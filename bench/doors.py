"""The customers' door under load: `make bench NAME=doors`.

Signed withdrawals (HMAC), each decided and durable before it is answered,
over 64 connections that are kept; the server on one core, the load on the
other.  Beside it in the same run, with the same requests:

 nginx     answering `return 200` and nothing else
 echo      libuv and llhttp answering a fixed body: the least latency
 fastify   Fastify and PostgreSQL, a service as one writes it usually
 redis     a Lua script with appendfsync=always (no HTTP, no signature),
           64 in flight

and the same withdrawals signed with Ed25519 and RSA, where both cores are
the server's; and one longer run with HMAC, with what the rooms' memory did
and how far behind the book was (it gives way while nobody asks).  Medians of
five rounds.
"""
import hashlib
import hmac
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))

RUNS = 5
CONNECTIONS = 64
REQUESTS = 50000
# 200 withdrawals a minute are one account's limit, and 4096 acts of operators
# in ten minutes everybody's.
KEYS = 900
SLOW = 6000             # requests with Ed25519 or RSA
SLOW_KEYS = 200
LONG = 190 * KEYS       # in one minute
PATH = "/sapi/v1/capital/withdraw/apply"


def note(text):
    print("# " + text, file=sys.stderr, flush=True)


def pinned(core, args):
    return ["taskset", "-c", str(core)] + args


class Proc:
    def __init__(self, args, ready=None, **kw):
        self.p = subprocess.Popen(args, stdout=subprocess.PIPE, text=True,
                                  start_new_session=True, **kw)
        if ready:
            for line in self.p.stdout:
                if line.startswith(ready):
                    break

    def stop(self):
        self.p.terminate()
        self.p.wait(20)
        self.p.stdout.close()


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port):
    import socket
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("bench: nothing listens on %d" % port)


def raw(key, body, host):
    return ("POST %s HTTP/1.1\r\nHost: %s\r\nX-MBX-APIKEY: %s\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            "Content-Length: %d\r\n\r\n%s" %
            (PATH, host, key, len(body), body)).encode()


def requests(path, keys, n, sign, address):
    """n requests, each good for a minute from now."""
    t = int(time.time() * 1000)
    with open(path, "wb") as f:
        for i in range(n):
            k = keys[i % len(keys)]
            body = ("coin=BTC&address=%s&amount=0.0%05d&withdrawOrderId="
                    "%x-%x&recvWindow=60000&timestamp=%d" %
                    (address(i % 1000), 1000 + i % 99000, t, i, t))
            body += "&signature=" + sign(k, body)
            r = raw(k["api_key"], body, "127.0.0.1")
            f.write(struct.pack("<I", len(r)) + r)


def sign_hmac(key, body):
    return hmac.new(key["secret"].encode(), body.encode(),
                    hashlib.sha256).hexdigest()


class Signer:
    """RSA and Ed25519 by node, all at once: Python has neither."""

    MAKE = r"""
const c = require('crypto'), fs = require('fs');
const [, kind, n, folder] = process.argv;
for (let i = 0; i < +n; i++) {
  const { publicKey, privateKey } = kind === 'rsa' ?
    c.generateKeyPairSync('rsa', { modulusLength: 2048 }) :
    c.generateKeyPairSync('ed25519');
  fs.writeFileSync(`${folder}/${i}.pem`,
    privateKey.export({ type: 'pkcs8', format: 'pem' }));
  fs.writeFileSync(`${folder}/${i}.pub`,
    publicKey.export({ type: 'spki', format: 'pem' }));
}"""
    SIGN = r"""
const c = require('crypto'), fs = require('fs');
const [, kind, n, folder] = process.argv, keys = [];
for (let i = 0; i < +n; i++)
  keys.push(c.createPrivateKey(fs.readFileSync(`${folder}/${i}.pem`)));
const lines = fs.readFileSync(0, 'utf8').trimEnd().split('\n');
for (const [i, line] of lines.entries()) {
  const s = c.sign(kind === 'rsa' ? 'RSA-SHA256' : null, Buffer.from(line),
    keys[i % +n]);
  console.log(encodeURIComponent(s.toString('base64')));
}"""

    def __init__(self, folder, kind, n):
        self.folder, self.kind, self.n = folder, kind, n
        os.makedirs(folder)
        self.node(self.MAKE)

    def node(self, script, text=""):
        return subprocess.run(["node", "-e", script, self.kind, str(self.n),
                               self.folder], input=text, text=True,
                              stdout=subprocess.PIPE, check=True).stdout

    def public(self, i):
        return os.path.join(self.folder, "%d.pub" % i)

    def sign_all(self, bodies):
        return self.node(self.SIGN, "\n".join(bodies) + "\n").split()


def slow_requests(path, keys, signer, n, address):
    t = int(time.time() * 1000)
    bodies = ["coin=BTC&address=%s&amount=0.0%05d&withdrawOrderId=%x-s%x"
              "&recvWindow=60000&timestamp=%d" %
              (address(i % 1000), 1000 + i % 99000, t, i, t) for i in range(n)]
    with open(path, "wb") as f:
        for i, sig in enumerate(signer.sign_all(bodies)):
            r = raw(keys[i % len(keys)], bodies[i] + "&signature=" + sig,
                    "127.0.0.1")
            f.write(struct.pack("<I", len(r)) + r)


def load(build, port, path, core=1, repeat=1):
    exe = os.path.join(build, "bench/http_load")
    out = subprocess.run(pinned(core, [exe, "127.0.0.1", str(port),
                                       str(CONNECTIONS), path, str(repeat)]),
                         stdout=subprocess.PIPE, check=True).stdout
    r = json.loads(out)
    if r["broken"]:
        note("broken connections: %d" % r["broken"])
    return r


class Nginx:
    def __init__(self, folder):
        self.port = free_port()
        conf = os.path.join(folder, "nginx.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write("""daemon off; worker_processes 1; pid %s/nginx.pid;
error_log /dev/null crit;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000;
client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path %s;
uwsgi_temp_path %s; scgi_temp_path %s;
server { listen 127.0.0.1:%d; default_type application/json;
location / { return 200 '{"id":"00000000000000000000000000000000"}'; } } }
""" % ((folder,) + (os.path.join(folder, "t"),) * 5 + (self.port,)))
        self.p = Proc(pinned(0, ["nginx", "-c", conf, "-p", folder]),
                      stderr=subprocess.DEVNULL)
        wait_port(self.port)

    def stop(self):
        self.p.stop()


class Echo:
    def __init__(self, build):
        self.port = free_port()
        self.p = Proc(pinned(0, [os.path.join(build, "bench/echo"),
                                 str(self.port)]))
        wait_port(self.port)

    def stop(self):
        self.p.stop()


def pg_bin(name):
    for v in range(20, 11, -1):
        p = "/usr/lib/postgresql/%d/bin/%s" % (v, name)
        if os.path.exists(p):
            return p
    raise SystemExit("bench: PostgreSQL's %s is not there" % name)


def as_postgres(args):
    """initdb and postgres refuse to run as root."""
    return (["setpriv", "--reuid=postgres", "--regid=postgres",
             "--clear-groups"] if os.geteuid() == 0 else []) + args


class Fastify:
    """All on the server's core, its database too."""

    def __init__(self, build, folder, keys):
        self.port, pg = free_port(), free_port()
        modules = os.path.join(build, "fastify")
        os.makedirs(modules, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(ROOT, "bench/fastify", name), modules)
        if not os.path.exists(os.path.join(modules, "node_modules/fastify")):
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund",
                            "--ignore-scripts"], cwd=modules, check=True,
                           stdout=subprocess.DEVNULL)
        data = os.path.join(folder, "pg")
        os.makedirs(data)
        if os.geteuid() == 0:
            shutil.chown(data, "postgres", "postgres")
            os.chmod(folder, 0o755)
        subprocess.run(as_postgres([pg_bin("initdb"), "-D", data, "-A",
                                    "trust", "-U", "bench"]), check=True,
                       stdout=subprocess.DEVNULL, cwd=data)
        self.pg = Proc(pinned(0, as_postgres([
            pg_bin("postgres"), "-D", data, "-p", str(pg), "-k", data,
            "-h", "127.0.0.1"])), stderr=subprocess.DEVNULL, cwd=data)
        wait_port(pg)
        secrets = os.path.join(folder, "keys.json")
        with open(secrets, "w", encoding="ascii") as f:
            json.dump({k["api_key"]: {"secret": k["secret"],
                                      "account": k["account"]}
                       for k in keys}, f)
        self.node = Proc(pinned(0, [
            "node", os.path.join(ROOT, "bench/fastify/server.mjs"),
            str(self.port), "postgres://bench@127.0.0.1:%d/postgres" % pg,
            secrets, os.path.abspath(modules)]), ready="ready")

    def stop(self):
        self.node.stop()
        self.pg.stop()


def redis_always(build, folder, file):
    """Decisions a second, each synced, 64 in flight."""
    sock = os.path.join(folder, "r.sock")
    p = Proc(pinned(0, ["redis-server", "--port", "0", "--unixsocket", sock,
                        "--save", "", "--appendonly", "yes", "--appendfsync",
                        "always", "--dir", folder]))
    for _ in range(100):
        if os.path.exists(sock):
            break
        time.sleep(0.05)
    try:
        out = subprocess.run(pinned(1, [
            os.path.join(build, "bench/bench_redis"), sock,
            os.path.join(ROOT, "bench/limits.lua"), "hash", file]),
            stdout=subprocess.PIPE, check=True).stdout
        return json.loads(out)["decisions_per_second"]
    finally:
        p.stop()


def add(got, name, r):
    got.setdefault(name, []).append(r)


def start_service(service):
    """Its processes on the first core: children inherit it."""
    s = service.Service(start=False, conf="connections-max 2000\n")
    service.DAEMON, daemon = os.path.join(s.dir, "pinned"), service.DAEMON
    with open(service.DAEMON, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nexec taskset -c 0 %s \"$@\"\n" % daemon)
    os.chmod(service.DAEMON, 0o755)
    s.start()
    service.DAEMON = daemon
    s.hot("1000000")
    return s


def make_keys(s):
    keys = []
    for i in range(KEYS):
        s.account("a%d" % i, btc="100000")
        k = s.key("a%d" % i)
        keys.append({"api_key": k.api_key, "secret": k.secret,
                     "account": k.account})
    return keys


def hmac_rounds(build, folder, s, keys, got):
    path = os.path.join(folder, "requests")
    nginx, echo = Nginx(folder), Echo(build)
    fastify = Fastify(build, folder, keys)
    file = os.path.join(folder, "redis-requests")
    subprocess.run([os.path.join(build, "bench/bench_engine"), "write", file,
                    "10000", "30000"], check=True)
    try:
        for i in range(RUNS):
            note("hmac: round %d of %d" % (i + 1, RUNS))
            requests(path, keys, REQUESTS, sign_hmac, s.address)
            add(got, "drawbridge", load(build, s.port, path))
            add(got, "nginx", load(build, nginx.port, path, repeat=3))
            add(got, "echo", load(build, echo.port, path, repeat=3))
            small = os.path.join(folder, "small")
            requests(small, keys, REQUESTS // 10, sign_hmac, s.address)
            add(got, "fastify", load(build, fastify.port, small))
            with tempfile.TemporaryDirectory(dir=folder) as d:
                add(got, "redis", {"per_second": redis_always(build, d,
                                                              file)})
    finally:
        nginx.stop()
        echo.stop()
        fastify.stop()


def both_cores(s):
    for pid in s.rooms().values():
        subprocess.run(["taskset", "-a", "-p", "-c", "0,1", str(pid)],
                       check=True, stdout=subprocess.DEVNULL)


def slow_rounds(build, folder, s, got):
    both_cores(s)
    for kind in ("ed25519", "rsa"):
        signer = Signer(os.path.join(folder, kind + "-keys"), kind,
                        SLOW_KEYS)
        keys = []
        for i in range(SLOW_KEYS):
            s.account("%s-%d" % (kind, i), btc="100000")
            keys.append(s.key("%s-%d" % (kind, i), kind,
                              public=signer.public(i)).api_key)
        path = os.path.join(folder, kind)
        for i in range(RUNS):
            note("%s: round %d of %d" % (kind, i + 1, RUNS))
            slow_requests(path, keys, signer, SLOW, s.address)
            add(got, kind, load(build, s.port, path))


def resident_kb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def caught_up_s(s, key):
    """How long a question waits for the book."""
    start = time.monotonic()
    s.history(type("K", (), key), limit=1)
    return time.monotonic() - start


def long_run(build, folder, s, keys):
    path, rooms = os.path.join(folder, "long"), s.rooms()
    before = {name: resident_kb(pid) for name, pid in rooms.items()}
    note("one longer run")
    # Limits count by the minutes of this clock.
    time.sleep(60 - time.clock_gettime(time.CLOCK_BOOTTIME) % 60)
    requests(path, keys, LONG, sign_hmac, s.address)
    r = load(build, s.port, path)
    wait = caught_up_s(s, keys[0])
    os.unlink(path)
    out = {"longer run: taken": r["ok"], "longer run: refused": r["refused"],
           "longer run: seconds": r["seconds"],
           "longer run: a second": r["ok"] / r["seconds"],
           "longer run: the next question waits, s": wait}
    for name, pid in rooms.items():
        out["longer run: %s grew by, MB" % name] = (
            resident_kb(pid) - before[name]) / 1e3
    return out


def bench_doors(build):
    os.environ.setdefault("BUILD", build)
    os.environ.setdefault("SOURCE", ROOT)
    import service
    build = os.path.abspath(build)
    base = os.path.join(build, "bench")
    os.makedirs(base, exist_ok=True)
    got = {}
    with tempfile.TemporaryDirectory(prefix="doors-", dir=base) as folder:
        s = start_service(service)
        try:
            keys = make_keys(s)
            hmac_rounds(build, folder, s, keys, got)
            more = long_run(build, folder, s, keys)
            slow_rounds(build, folder, s, got)
        finally:
            s.__exit__(None, None, None)
    figures, ratios = summary(got)
    ratios.update(more)
    return figures, ratios


def summary(got):
    figures, ratios = {}, {}
    med = {}
    for name, runs in got.items():
        rates = [r["per_second"] for r in runs]
        med[name] = statistics.median(rates)
        figures[name + ", requests"] = {
            "median": med[name], "min": min(rates), "max": max(rates),
            "runs": len(rates)}
        if "p99_us" in runs[0]:
            for q in ("p50_us", "p99_us"):
                med[name, q] = statistics.median(r[q] for r in runs)
                ratios["%s, %s" % (name, q)] = med[name, q]
            refused = sum(r["refused"] for r in runs)
            if refused:
                ratios[name + ", refused in all"] = refused
    ratios["drawbridge / nginx return 200 (aim 0.7)"] = (
        med["drawbridge"] / med["nginx"])
    ratios["drawbridge / the better of Fastify and Redis (aim 5)"] = (
        med["drawbridge"] / max(med["fastify"], med["redis"]))
    ratios["p99: drawbridge / echo (aim at most 3)"] = (
        med["drawbridge", "p99_us"] / med["echo", "p99_us"])
    return figures, ratios
