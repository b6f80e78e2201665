/** Sentences that treino says elsewhere, too: each is its own key, and has a translation already (words.json). */

import { localised, t } from '../../page/modules/words.js';

/**
 * A sentence in the reader's language: its {places}, also {n:,} and {n:step|steps}, filled in, its [[lr=0.1]] as `lr
 * 0.1`.
 */
export function say(sentence, values = {}) {
  const read = t(`say:${sentence}`, Object.fromEntries(Object.keys(values).map((name) => [name, `{${name}}`]))).replace(
    /^say:/,
    '',
  );
  const plain = read.replace(/\[\[(\w+)(?:=([^\]]*))?\]\]/g, (_, name, value) =>
    value === undefined ? name : `${name} ${value}`,
  );
  const counted = plain.replace(/\{(\w+):([^{}|]*)\|([^{}]*)\}/g, (_, name, one, more) =>
    Number(values[name]) === 1 ? one : more,
  );
  return counted.replace(/\{(\w+)(?::[^{}]*)?\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export function percent(share, places = 1) {
  const text = (100 * share).toFixed(places);
  return localised(`${share && !Number(text) ? general(100 * share, 2) : text} %`);
}

/** Python's `f"{number:.{digits}g}"`. */
export function general(number, digits = 6) {
  if (!Number.isFinite(number)) return Number.isNaN(number) ? 'nan' : number < 0 ? '-inf' : 'inf';
  if (number === 0) return '0';
  const [mantissa, exponent] = number.toExponential(digits - 1).split('e');
  const bare = (text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (exponent < -4 || exponent >= digits)
    return `${bare(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return bare(number.toFixed(Math.max(0, digits - 1 - exponent)));
}
