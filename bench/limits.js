// Baseline: the same limits as etc/default.policy, as a Node program written
// by hand.  Two variants, the better one counts:
//   maps   objects and Maps, as one would write it first
//   typed  typed arrays indexed by number, as one would write it for speed
// Usage: node limits.js VARIANT REQUESTS.bin  -> JSON with decisions a second
'use strict';
const fs = require('fs');
const [,, variant, file] = process.argv;
const buf = fs.readFileSync(file);
// Header: accounts u32, destinations u32, requests u32, networks u32; then
// records of 32 bytes: t_s f64, account u32, dest u32, amount f64, net u32, 0.
const nAccounts = buf.readUInt32LE(0), nDest = buf.readUInt32LE(4);
const n = buf.readUInt32LE(8), nNets = buf.readUInt32LE(12);
const H = 3600, D = 86400, W = 604800, HOT = 1e12;

class Window {			// one platform counter
	constructor(window, buckets) {
		this.w = window / buckets; this.n = buckets + 1;
		this.cells = new Float64Array(this.n);
		this.last = 0; this.total = 0;
	}
	roll(now) {
		const b = Math.floor(now / this.w);
		if (b - this.last >= this.n) {
			this.cells.fill(0); this.total = 0; this.last = b;
		}
		while (this.last < b) {
			const i = ++this.last % this.n;
			this.total -= this.cells[i]; this.cells[i] = 0;
		}
	}
	sum(now) { this.roll(now); return this.total; }
	add(now, v) {
		this.roll(now);
		this.cells[this.last % this.n] += v; this.total += v;
	}
}
class Distinct {		// last seen, in order of being seen
	constructor(window) { this.w = window; this.m = new Map(); }
	count(now, who) {
		for (const [k, t] of this.m) {
			if (t >= now - this.w) break;
			this.m.delete(k);
		}
		return this.m.size + (this.m.has(who) ? 0 : 1);
	}
	touch(now, who) { this.m.delete(who); this.m.set(who, now); }
}
// Many small windows of 8 buckets, one an entity, two ways.
class ManyMaps {
	constructor(window) { this.w = window; this.m = new Map(); }
	get(i) {
		let x = this.m.get(i);
		if (!x) this.m.set(i, x = new Window(this.w, 8));
		return x;
	}
	sum(i, now) { return this.get(i).sum(now); }
	add(i, now, v) { this.get(i).add(now, v); }
}
class ManyTyped {
	constructor(window, count) {
		this.w = window / 8; this.cells = new Float64Array(count * 9);
		this.last = new Uint32Array(count);
	}
	roll(i, now) {
		const b = Math.floor(now / this.w), o = i * 9;
		let l = this.last[i];
		if (b - l >= 9) this.cells.fill(0, o, o + 9);
		else while (l < b) this.cells[o + ++l % 9] = 0;
		this.last[i] = b;
	}
	sum(i, now) {
		this.roll(i, now);
		const c = this.cells, o = i * 9;
		return c[o] + c[o + 1] + c[o + 2] + c[o + 3] + c[o + 4] +
		    c[o + 5] + c[o + 6] + c[o + 7] + c[o + 8];
	}
	add(i, now, v) {
		this.roll(i, now);
		this.cells[i * 9 + this.last[i] % 9] += v;
	}
}
class FewMaps {			// distinct per entity, few members
	constructor(window) { this.w = window; this.m = new Map(); }
	get(i) {
		let x = this.m.get(i);
		if (!x) this.m.set(i, x = new Distinct(this.w));
		return x;
	}
	count(i, now, who) { return this.get(i).count(now, who); }
	touch(i, now, who) { this.get(i).touch(now, who); }
}
class FewTyped {
	constructor(window, count) {
		this.w = window; this.who = new Int32Array(count * 8).fill(-1);
		this.t = new Float64Array(count * 8);
	}
	count(i, now, who) {
		let c = 1;
		for (let o = i * 8, e = o + 8; o < e; o++)
			if (this.who[o] >= 0 && this.t[o] >= now - this.w &&
			    this.who[o] !== who) c++;
		return c;
	}
	touch(i, now, who) {
		let best = i * 8;
		for (let o = i * 8, e = o + 8; o < e; o++) {
			if (this.who[o] === who) { best = o; break; }
			if (this.t[o] < this.t[best]) best = o;
		}
		this.who[best] = who; this.t[best] = now;
	}
}
const typed = variant === 'typed';
const many = (w, c) => typed ? new ManyTyped(w, c) : new ManyMaps(w);
const few = (w, c) => typed ? new FewTyped(w, c) : new FewMaps(w);
const outlayW = many(D, nAccounts), committed = many(D, nAccounts);
const destSum = many(W, nDest), destPayers = few(W, nDest);
const netPayers = few(H, nNets);
const d6 = new Distinct(6 * H), d7 = new Distinct(W);
const s24 = new Window(D, 64), l7 = new Window(W, 64), m6 = new Window(6 * H, 64);
const h7 = new Window(W, 64), u1 = new Window(H, 64);
const credit = new Map();
const habit = new Float64Array(nAccounts).fill(2e7);
const limit = new Float64Array(nAccounts).fill(1e10);

function decide(now, a, d, amount, net) {
	const pair = a * 4294967296 + d, c = credit.get(pair) || 0;
	const proven = amount <= c;
	const outlay = outlayW.sum(a, now) + (proven ? 0 : amount);
	const small = !proven && outlay < 5e7;
	const surprising = !proven && !small && outlay > 3 * habit[a];
	const large = surprising && outlay >= HOT * 0.002;
	const habitual = !proven && !small && !surprising;
	let delay = 0, hold = false, deny = false;
	if (surprising && outlay >= 2e8) delay = H;
	if (large) delay = 12 * H;
	if (surprising) {
		if (d6.count(now, a) > 120) hold = true;
		if (d7.count(now, a) > 2500) hold = true;
		if (s24.sum(now) + amount > HOT * 0.3) hold = true;
		if (netPayers.count(net, now, a) > 4) hold = true;
	}
	if (large && l7.sum(now) + amount > HOT * 0.02) hold = true;
	if (small && m6.sum(now) + amount > HOT * 0.02) delay = Math.max(delay, 2 * H);
	if (habitual && h7.sum(now) + amount > HOT * 0.5) hold = true;
	if (!proven) {
		const s = destSum.sum(d, now) + amount;
		if (s > HOT * 0.01) hold = true;
		if (destPayers.count(d, now, a) > 3 && s > HOT * 0.0005) hold = true;
		if (u1.sum(now) + amount > HOT * 0.1) hold = true;
	}
	if (limit[a] > 0 && committed.sum(a, now) + amount > limit[a]) deny = true;
	if (!proven) outlayW.add(a, now, amount);
	if (surprising) { d6.touch(now, a); d7.touch(now, a); netPayers.touch(net, now, a); }
	if (!proven) destPayers.touch(d, now, a);
	if (deny) return 3;
	if (hold) return 2;
	committed.add(a, now, amount);
	if (!proven) { destSum.add(d, now, amount); u1.add(now, amount); }
	if (small) m6.add(now, amount);
	if (habitual) h7.add(now, amount);
	if (surprising) s24.add(now, amount);
	if (large) l7.add(now, amount);
	credit.set(pair, c + amount);
	return delay > 0 ? 1 : 0;
}
const counts = [0, 0, 0, 0];
const view = new DataView(buf.buffer, buf.byteOffset + 16);
const start = process.hrtime.bigint();
for (let i = 0, o = 0; i < n; i++, o += 32)
	counts[decide(view.getFloat64(o, true), view.getUint32(o + 8, true),
	    view.getUint32(o + 12, true), view.getFloat64(o + 16, true),
	    view.getUint32(o + 24, true))]++;
const ns = Number(process.hrtime.bigint() - start);
console.log(JSON.stringify({ variant, requests: n,
	decisions_per_second: Math.round(n / ns * 1e9),
	released: counts[0], delayed: counts[1], held: counts[2], denied: counts[3] }));
