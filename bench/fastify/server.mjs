// A withdrawal service the usual way: Fastify, node-postgres, one transaction
// a withdrawal that locks the account's row, checks the signature, the day's
// limits of the account and of everybody, and inserts.
//
//	node server.mjs PORT DATABASE-URL SECRET-FILE
import { createRequire } from 'node:module';
import { createHmac, timingSafeEqual, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [, , port, database, secretsFile, modules] = process.argv;
const require = createRequire(pathToFileURL(modules + '/'));
const fastify = require('fastify')({ logger: false });
const { Pool } = require('pg');
const pool = new Pool({ connectionString: database, max: 32 });
const keys = new Map(Object.entries(JSON.parse(
  readFileSync(secretsFile, 'utf8'))));

await pool.query(`
  drop table if exists withdrawal, account;
  create table account (name text primary key, balance bigint not null,
    limit_24h bigint not null);
  create table withdrawal (id text primary key, account text not null,
    address text not null, amount bigint not null,
    asked timestamptz not null default now(), state text not null);
  create index on withdrawal (account, asked);
  create index on withdrawal (asked);
  create table if not exists platform (one int primary key, spent bigint);
  delete from platform; insert into platform values (1, 0);`);
for (const { account } of keys.values()) {
  await pool.query(`insert into account values ($1, 100000000000000,
    100000000000000) on conflict do nothing`, [account]);
}

fastify.addContentTypeParser('application/x-www-form-urlencoded',
  { parseAs: 'string' }, (req, body, done) => done(null, body));

const withdraw = async (account, params, message) => {
  const id = createHash('sha256').update(account + message).digest('hex')
    .slice(0, 32);
  const amount = Math.round(Number(params.get('amount')) * 1e8);
  const c = await pool.connect();
  try {
    await c.query('begin');
    const a = await c.query(
      'select balance, limit_24h from account where name = $1 for update',
      [account]);
    const spent = await c.query(`select coalesce(sum(amount), 0) as sum,
      count(*) as n from withdrawal where account = $1 and
      asked > now() - interval '24 hours'`, [account]);
    const all = await c.query(
      'select spent from platform where one = 1');
    const good = Number(a.rows[0].balance) >= amount &&
      Number(spent.rows[0].sum) + amount <= Number(a.rows[0].limit_24h) &&
      Number(all.rows[0].spent) < 1e18;
    await c.query('insert into withdrawal values ($1,$2,$3,$4,now(),$5)',
      [id, account, params.get('address'), amount,
        good ? 'released' : 'denied']);
    await c.query('update account set balance = balance - $2 where name = $1',
      [account, amount]);
    await c.query('commit');
    return { id };
  } catch (e) {
    await c.query('rollback');
    throw e;
  } finally {
    c.release();
  }
};

fastify.post('/sapi/v1/capital/withdraw/apply', async (req, reply) => {
  const key = keys.get(req.headers['x-mbx-apikey']);
  const at = req.body.lastIndexOf('&signature=');
  const message = req.body.slice(0, at);
  const mac = createHmac('sha256', key?.secret ?? '').update(message)
    .digest();
  const given = Buffer.from(req.body.slice(at + 11), 'hex');
  if (!key || given.length !== 32 || !timingSafeEqual(mac, given)) {
    return reply.code(400).send({ code: -1022, msg: 'bad signature' });
  }
  const params = new URLSearchParams(message);
  if (Math.abs(Date.now() - Number(params.get('timestamp'))) > 60000) {
    return reply.code(400).send({ code: -1021, msg: 'timestamp' });
  }
  return withdraw(key.account, params, message);
});

await fastify.listen({ port: Number(port), host: '127.0.0.1' });
console.log('ready');
