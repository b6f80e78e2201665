/**
 * cos, sin, exp and log, rounded correctly: browsers' own differ in their last bits, and bits of a training hang on
 * them.
 */

// Numbers of twice the precision: a sum of two, of which the high one is the sum rounded. A function returns the high
// one and leaves the other in `low`: a pair made for each would take ten times as long.
let low = 0;

function sum(a, b) {
  const s = a + b;
  const part = s - a;
  low = a - (s - part) + (b - part);
  return s;
}

function product(a, b) {
  // Dekker 1971
  const p = a * b;
  const wide_a = 134217729 * a;
  const wide_b = 134217729 * b;
  const a1 = wide_a - (wide_a - a);
  const a2 = a - a1;
  const b1 = wide_b - (wide_b - b);
  const b2 = b - b1;
  low = a2 * b2 - (p - a1 * b1 - a2 * b1 - a1 * b2);
  return p;
}

function add(a1, a2, b1, b2) {
  const s = sum(a1, b1);
  const e = low;
  const t = sum(a2, b2);
  const f = low;
  return sum(sum(s, e + t), low + f);
}

function times(a1, a2, b1, b2) {
  const p = product(a1, b1);
  return sum(p, low + (a1 * b2 + a2 * b1));
}

function over(a1, a2, n) {
  const q = a1 / n;
  const p = product(q, n);
  return sum(q, (a1 - p - low + a2) / n);
}

/** x − k c, where c is the sum of three numbers, each the rounded rest of those before it. */
function reduced(x, k, c) {
  let rest = x;
  let more = 0;
  for (const part of c) {
    const p = product(-k, part);
    rest = add(rest, more, p, low);
    more = low;
  }
  low = more;
  return rest;
}

/**
 * first + first · x / ((from + 1) …) + …: each term is the one before it times x, over the product of the next numbers.
 */
function series(first, first_low, x, x_low, from, each) {
  let all = first;
  let all_low = first_low;
  let term = first;
  let term_low = first_low;
  let n = from;
  while (Math.abs(term) > 1e-9) {
    term = times(term, term_low, x, x_low);
    term_low = low;
    for (let i = 0; i < each; i++) {
      term = over(term, term_low, ++n);
      term_low = low;
    }
    all = add(all, all_low, term, term_low);
    all_low = low;
  }
  let rest = 0; // of which half the precision is enough
  while (Math.abs(term) > 1e-34) {
    term *= x;
    for (let i = 0; i < each; i++) term /= ++n;
    rest += term;
  }
  return add(all, all_low, rest, 0);
}

const QUARTER = [1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33]; // of a turn
const LOG_2 = [Math.LN2, 2.3190468138462996e-17, 5.707708438416212e-34];

/** The cosine of x, |x| ≤ 10^6, after so many quarters of a turn. */
function turned(x, quarters) {
  const k = Math.round(x / QUARTER[0]);
  const r = reduced(x, k, QUARTER);
  const r_low = low;
  const square = times(r, r_low, r, r_low);
  const place = (((k + quarters) % 4) + 4) % 4; // cos r, −sin r, −cos r, sin r
  const value = place % 2 ? series(r, r_low, -square, -low, 1, 2) : series(1, 0, -square, -low, 0, 2);
  return place === 1 || place === 2 ? -value : value;
}

export const cos = (x) => turned(x, 0);
export const sin = (x) => (x === 0 ? x : turned(x, 3));

/** |x| ≤ 700. */
export function exp(x) {
  const k = Math.round(x / LOG_2[0]);
  return series(1, 0, reduced(x, k, LOG_2), low, 0, 1) * 2 ** k;
}

/** x from 10^-280 to 10^280. One step of Newton's method from what this browser says. */
export function log(x) {
  const near = Math.log(x);
  if (x === 1 || !Number.isFinite(near)) return near;
  const k = Math.round(-near / LOG_2[0]);
  const r = reduced(-near, k, LOG_2);
  const e = series(1, 0, r, low, 0, 1);
  const e_low = low;
  const off = add(times(e * 2 ** k, e_low * 2 ** k, x, 0), low, -1, 0); // x e^−near − 1
  return add(near, 0, off, low);
}
