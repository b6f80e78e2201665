/** Numbers as people read them, and round places on an axis. */

import { localised } from './words.js';

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** Four significant digits, no needless exponent, a real minus sign: as in treino's pictures. */
export function num(value, digits = 4) {
  if (value == null || Number.isNaN(value)) return '–';
  if (value < 0) return `−${num(-value, digits)}`;
  if (value === Infinity) return '∞';
  if (value === 0) return '0';
  if (value < 1e-3 || value >= 1e7) return exponential(value, Math.max(0, digits - 2));
  const places = Math.max(0, digits - 1 - Math.floor(Math.log10(value)));
  return localised(
    places ? lessThanOne(value, places).replace(/\.?0+$/, '') : value.toFixed(0).replace(/^\d{5,}$/, whole),
  );
}

/** So many places, and more for what is short of 1, which is not written as 1: as Python's numeral. */
function lessThanOne(value, places) {
  const texts = [];
  for (let more = places; more <= 6; more++) texts.push(value.toFixed(more));
  return (Math.abs(value) < 1 && places && texts.find((text) => Math.abs(text) !== 1)) || value.toFixed(places);
}

function exponential(value, places) {
  return localised(
    value
      .toExponential(places)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e')
      .replace('-', '−'),
  );
}

/** The same number of places every time, so that a number that moves does not jump; but something is never 0. */
export function fixed(value, places = 3) {
  if (value == null || Number.isNaN(value)) return '–';
  if (Math.abs(value) >= 100 || (value && !Number(value.toFixed(places)))) return num(value, places);
  return localised(lessThanOne(value, places).replace('-', '−'));
}

/** A probability in two places; one that is short of 1 is not written as 1. */
export const probability = (share) => (share > 0.995 && share < 1 ? `>${localised('0.99')}` : fixed(share, 2));

/** A share in percent: whole, or with as many places as tell it from nothing and from all. */
export function percent(share) {
  const places = share > 0.995 || share < 0.005 ? 1 : 0;
  const text = (100 * share).toFixed(places);
  if (share && !Number(text)) return `${num(100 * share, 2)} %`;
  return `${localised((share < 1 && Number(text) === 100 ? (100 * share).toFixed(4) : text).replace(/\.0+$/, ''))} %`;
}

/** A count, its thousands apart by a narrow space, as in treino's sentences. */
export const whole = (value) => (value == null ? '–' : String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f'));

/** Round values from low to high, about so many. */
export function ticks(low, high, count) {
  const range = high - low;
  if (!(range > 0) || !Number.isFinite(range)) return [low];
  const raw = range / count;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * size).find((k) => k >= raw);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++)
    found.push(+(k * step).toPrecision(12));
  return found;
}

/** Texts of the values at ticks, with as many digits as tell them apart. */
export function tickTexts(values) {
  for (let digits = 4; ; digits++) {
    const texts = values.map((value) => num(value, digits));
    if (digits > 15 || new Set(texts).size === new Set(values).size) return texts;
  }
}

/** The largest of many values, or of all but the few that lie far above the others: where a linear axis ends. */
export function usualMost(values) {
  const sorted = Float64Array.from(values).sort();
  const usual = sorted[Math.floor(0.97 * (sorted.length - 1))];
  return sorted.at(-1) > 3 * usual && usual > 0 ? usual : sorted.at(-1);
}

/** Round values of a logarithmic axis: powers of ten, with 2 and 5 between where there are few. */
export function logTicks(low, high) {
  const decades = Math.log10(high / low);
  const found = [];
  const between = decades > 3 ? [1] : decades > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++)
    for (const k of between) {
      const value = +(k * 10 ** e).toPrecision(6);
      if (value >= low && value <= high) found.push(value);
    }
  return found;
}

/** The end of an axis of steps: a round number that leaves a little room, so that it seldom moves. */
export function roundEnd(step) {
  if (step <= 190) return 200;
  const size = 10 ** Math.floor(Math.log10(step * 1.03));
  return [1, 1.5, 2, 3, 4, 6, 8, 10].map((k) => k * size).find((k) => k >= step * 1.03);
}
