/** Which equal rows a split keeps on one side, as treino decides in Python: returning_rows.py, splits.split_evenly. */

import { split } from './random.js';

const LARGE_ROWS = 10;
const LARGE_SHARE = 0.05;
const OFTEN = 4;
const OTHER_ANSWERS = 0.1;
const MISSED = 0.1;
const DRAWS = 40;

const sizesOf = (first) => {
  const size = new Int32Array(first.length);
  for (const f of first) size[f]++;
  return size;
};

/** Of each row the first that equals it, or the row itself where such rows return by nature. */
export function unitsOf(first, table, answer) {
  const n = first.length;
  const D = table.length / n;
  const size = sizesOf(first);
  const natural = Uint8Array.from(size, (k) => Number(k >= LARGE_ROWS && k > LARGE_SHARE * n));
  const small = [...size.keys()].filter((i) => size[i] > 1 && !natural[i]);
  const expected = new Map(small.map((i) => [i, n - size[i]]));
  for (let j = 0; small.length && j < D; j++) {
    const count = new Map();
    for (let i = 0; i < n; i++) count.set(table[i * D + j], (count.get(table[i * D + j]) ?? 0) + 1);
    for (const i of small) {
      const others = (count.get(table[i * D + j]) - size[i]) / (n - size[i]);
      expected.set(i, expected.get(i) * others);
    }
  }
  for (const i of small) if (expected.get(i) >= 1) natural[i] = 1;
  const rest = [...first.keys()].filter((i) => size[first[i]] > 1 && !natural[first[i]]);
  const groups = new Set(rest.map((i) => first[i]));
  const others = first.reduce((k, f) => k + Number(!natural[f]), 0);
  if (rest.length >= OFTEN * groups.size && 2 * rest.length > others) {
    const count = new Map();
    for (const i of rest) count.set(answer[i], (count.get(answer[i]) ?? 0) + 1);
    const chance = 1 - [...count.values()].reduce((sum, k) => sum + (k / rest.length) ** 2, 0);
    const later = rest.filter((i) => first[i] !== i);
    const differ = later.filter((i) => answer[i] !== answer[first[i]]).length / later.length;
    if (differ > OTHER_ANSWERS * chance) for (const f of groups) natural[f] = 1;
  }
  return first.map((f, i) => (natural[f] ? i : f));
}

/** How many rows equal others and are kept with none of them. */
export function returning(first, units) {
  const [equal, kept] = [sizesOf(first), sizesOf(units)];
  return first.reduce((n, f, i) => n + Number(equal[f] > 1 && kept[units[i]] === 1), 0);
}

/** By how many rows the held-back parts are off their shares; 0 up to one row or a tenth. */
function offShare(part, validation, test) {
  const count = [0, 0, 0];
  for (const p of part) count[p]++;
  return [validation, test].reduce((sum, share, k) => {
    const wanted = share * part.length;
    const missed = Math.abs(count[1 + k] - wanted);
    return sum + (wanted > 0 && missed > Math.max(MISSED * wanted, 1) ? missed : 0);
  }, 0);
}

/** The first of some draws in which each part has its share of the rows; else the nearest. */
export function splitEvenly(first, label, validation, test, dataSeed) {
  let best = null;
  let least = Number.POSITIVE_INFINITY;
  const draws = first.some((f, i) => f !== i) ? DRAWS : 1;
  for (let draw = 0; draw < draws && least; draw++) {
    const part = split(first, label, validation, test, dataSeed, draw);
    const missed = offShare(part, validation, test);
    if (missed < least) [best, least] = [part, missed];
  }
  return best;
}
