// The baseline in JavaScript: the PSBTs that `bench_signer write` made, parsed,
// signed, their signatures validated and written out by bitcoinjs-lib.  No
// policy, no receipts, no journal, no low R.
//
//	node sign.mjs addon|wasm|hd DIR COUNT WARM
//
//	addon	ECDSA by secp256k1, libsecp256k1 compiled for Node; keys at hand
//	wasm	by tiny-secp256k1, libsecp256k1 as WebAssembly; keys at hand:
//		what has Schnorr
//	hd	as addon, each key derived from the seed as the PSBT says
//
// Prints one line of JSON: ns of CPU time and of the clock, an input.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const bitcoin = require('bitcoinjs-lib');
const wasm = require('tiny-secp256k1');
// The binding itself: without it the package falls back to JavaScript.
const addon = require('secp256k1/bindings.js');
const [how, dir, count, warm] = process.argv.slice(2);
const network = bitcoin.networks.regtest;

bitcoin.initEccLib(wasm);

const sign = how === 'wasm' ? wasm.sign :
  (hash, key) => addon.ecdsaSign(hash, key).signature;
const verify = how === 'wasm' ?
  (pub, hash, sig) => wasm.verify(hash, pub, sig) :
  (pub, hash, sig) => addon.ecdsaVerify(sig, hash, pub);

// Taproot's public keys have 32 bytes.
function validate(pub, hash, sig) {
  return pub.length === 32 ? wasm.verifySchnorr(hash, pub, sig) :
    verify(pub, hash, sig);
}

function keysOf(bytes) {
  const out = [];
  for (let i = 0; i < bytes.length; i += 32) {
    const key = Uint8Array.from(bytes.subarray(i, i + 32));
    out.push({
      publicKey: wasm.pointFromScalar(key, true),
      sign: (hash) => sign(hash, key),
      signSchnorr: (hash) => wasm.signSchnorr(hash, key),
    });
  }
  return out;
}

function work(bytes, keys, master) {
  const psbt = bitcoin.Psbt.fromBuffer(bytes, { network });
  for (let i = 0; i < keys.length; i++) {
    if (master)
      psbt.signInputHD(i, master);
    else
      psbt.signInput(i, keys[i]);
  }
  if (!psbt.validateSignaturesOfAllInputs(validate))
    throw new Error('a signature that does not verify');
  return psbt.toBuffer();
}

let master;
if (how === 'hd') {
  const { BIP32Factory } = require('bip32');
  const ecc = { ...wasm, sign, verify: (hash, pub, sig) =>
    verify(pub, hash, sig) };
  master = BIP32Factory(ecc).fromSeed(readFileSync(join(dir, 'seed')),
    network);
}
const jobs = [];
for (let i = 0; i < Number(count); i++)
  jobs.push([readFileSync(join(dir, `${i}.psbt`)),
    keysOf(readFileSync(join(dir, `${i}.keys`)))]);
let inputs = 0;
for (let i = 0; i < Number(warm); i++)
  work(...jobs[i % jobs.length], master);
const cpu = process.cpuUsage();
const wall = process.hrtime.bigint();
for (const [bytes, keys] of jobs) {
  work(bytes, keys, master);
  inputs += keys.length;
}
const took = Number(process.hrtime.bigint() - wall);
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ cpu_ns: (user + system) * 1000 / inputs,
  wall_ns: took / inputs }));
