/** Values of a setting or a figure as places from 0 to 1 and as colours, with a key to them. */

import { el } from './dom.js';
import { clamp, num, usualMost } from './numbers.js';
import { classColour, look, rgb } from './theme.js';
import { t } from './words.js';

const RAMPS = {
  light: ['#1b0c8f', '#8f0da4', '#d5505f', '#e07b00'],
  dark: ['#7d78ff', '#c65fc4', '#f57f6c', '#fbd45a'],
};
const MOST = 0.9; // share of the values that has the colours, where the others lie far beyond
const FAR = 0.4; // ... beyond so much of the axis
const NAMED = 12; // names that have a colour each; more are coloured by their order

/**
 * Settings that span decades are placed logarithmically (0 at the foot), texts and fewer than three numbers by their
 * order. figure: they were measured, and stand on a linear axis, where few far out lie at its end.
 * → {place(v), text(place), colour(v), low, high, log, names, ends}; names: null for numbers; log: whether places are
 * logarithmic; ends: of the colours, which a few values that lie far out would spoil.
 */
export function makeScale(values, figure = false) {
  const known = values.filter((v) => v != null);
  const numbers = known.every((v) => typeof v === 'number');
  if (!numbers || new Set(known).size < 3) {
    const names = [...new Set(known.map(String))].sort(new Intl.Collator(undefined, { numeric: true }).compare);
    const order = new Map(names.map((name, k) => [name, k]));
    const place = (v) => (v == null ? null : names.length > 1 ? order.get(String(v)) / (names.length - 1) : 0.5);
    return {
      place,
      names,
      text: (at) => names[Math.round(at * (names.length - 1))] ?? '',
      low: names[0] ?? '',
      high: names.at(-1) ?? '',
      colour: (v) =>
        v == null ? look.ghost : names.length > NAMED ? ramp(place(v)) : classColour(order.get(String(v))),
    };
  }
  const above = known.filter((v) => v > 0);
  const most = figure ? usualMost(known) : Math.max(...known);
  const log = !figure && Math.min(...known) >= 0 && most / Math.min(...above) > 30;
  const least = log ? Math.min(...above) : Math.min(...known);
  const f = log ? (v) => Math.log(Math.max(v, least)) : (v) => v;
  const back = log ? Math.exp : (v) => v;
  const span = f(most) - f(least) || 1;
  const place = (v) => (v == null ? null : Math.min(1, (f(v) - f(least)) / span));
  const low = num(Math.min(...known), 3);
  const high = (most < Math.max(...known) ? '≥ ' : '') + num(most, 3);
  const places = known.map(place).sort((a, b) => a - b);
  const at = (share) => places[Math.round(share * (places.length - 1))];
  const begin = at(1 - MOST) > FAR ? at(1 - MOST) : 0;
  const end = at(MOST) < 1 - FAR ? at(MOST) : 1;
  const text = (p) => num(back(f(least) + p * span), 3);
  const colour = (v) => (v == null ? look.ghost : ramp(clamp((place(v) - begin) / (end - begin || 1), 0, 1)));
  return {
    place,
    names: null,
    text,
    low,
    high,
    log,
    colour,
    ends: [begin ? `≤ ${text(begin)}` : low, end < 1 ? `≥ ${text(end)}` : high],
  };
}

/** The colour of a place from 0 to 1. */
function ramp(place) {
  const stops = look.dark ? RAMPS.dark : RAMPS.light;
  const at = place * (stops.length - 1);
  const k = Math.min(stops.length - 2, Math.floor(at));
  const [low, high] = [rgb(stops[k]), rgb(stops[k + 1])];
  return `#${low
    .map((c, i) =>
      Math.round(c + (at - k) * (high[i] - c))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}

/** A small square in a colour. */
export function swatch(colour) {
  const key = el('i', { class: 'key' });
  key.style.background = colour;
  return key;
}

/** What the colours of a scale mean: its names, or a bar between its ends. */
export function scaleKey(scale) {
  if (scale.names && scale.names.length <= NAMED)
    return scale.names.map((name) => el('li', {}, swatch(scale.colour(name)), name));
  const bar = el('i', { class: 'ramp' });
  bar.style.backgroundImage = `linear-gradient(90deg, ${[0, 1 / 3, 2 / 3, 1].map(ramp).join(', ')})`;
  const [low, high] = scale.ends ?? [scale.low, scale.high];
  return [el('li', {}, low, bar, high, scale.log && ` (${t('chart_log')})`)];
}
