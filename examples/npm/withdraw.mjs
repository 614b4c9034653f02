// A withdrawal through Drawbridge with ccxt as it comes from npm: only the
// addresses of the server are changed.
//
//	KEY=... SECRET=... node withdraw.mjs [URL [AMOUNT [ADDRESS]]]
import ccxt from 'ccxt';

const { KEY, SECRET } = process.env;
const [base = 'http://127.0.0.1:8080', amount = '0.02',
  address = 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202'] =
  process.argv.slice(2);
if (!KEY || !SECRET) {
  console.error('KEY and SECRET are wanted in the environment');
  process.exit(2);
}

const exchange = new ccxt.binance({ apiKey: KEY, secret: SECRET,
  options: { fetchMarkets: { types: ['spot'] } } });
Object.assign(exchange.urls.api, { public: `${base}/api/v3`,
  private: `${base}/api/v3`, sapi: `${base}/sapi/v1` });

try {
  const { id } = await exchange.withdraw('BTC', Number(amount), address);
  const all = await exchange.fetchWithdrawals('BTC');
  const mine = all.find((w) => w.id === id);
  console.log(`${id}: ${mine.amount} BTC to ${mine.address}`);
  console.log(`status ${mine.status}, says the client; ` +
    `the server: ${mine.info.info || 'nothing more'}`);
} catch (e) {
  console.error(e.message);
  process.exit(1);
}
