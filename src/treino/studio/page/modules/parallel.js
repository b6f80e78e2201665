/** Parallel coordinates of a sweep: an axis for each setting, and one for the figure; a drag on an axis brushes. */

import { cleared, el, pointIn } from './dom.js';
import { num } from './numbers.js';
import { look } from './theme.js';
import { t } from './words.js';

/** changed(): the brushes are others. Fields low and high let the keyboard brush the figure. */
export function makeParallel(state, changed) {
  const canvas = el('canvas', { role: 'img', 'aria-label': t('parallel') });
  const keys = [...state.settings, 'best'], brushes = new Map();
  const value = (network, key) => (key === 'best' ? network.best : network.settings[key]);
  const parallel = { canvas, keys, brushes, value, scales: new Map(), X: () => 0, metric: state.metric };
  parallel.holds = (network) => [...brushes].every(([key, [low, high]]) => {
    const place = parallel.scales.get(key)?.place(value(network, key));
    return place != null && place >= low && place <= high;
  });
  let from = null;
  const axisAt = (x) => keys.reduce((near, key, k) => (Math.abs(parallel.X(k) - x) < Math.abs(parallel.X(keys.indexOf(near)) - x) ? key : near), keys[0]);
  const share = (y) => Math.min(1, Math.max(0, (canvas.clientHeight - 26 - y) / (canvas.clientHeight - 56)));
  canvas.addEventListener('pointerdown', (event) => {
    const [x, y] = pointIn(event);
    canvas.setPointerCapture(event.pointerId);
    from = { key: axisAt(x), at: share(y) };
    brushes.delete(from.key);
    changed();
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!from) return;
    const at = share(pointIn(event)[1]);
    if (Math.abs(at - from.at) > 0.02) brushes.set(from.key, [Math.min(at, from.at), Math.max(at, from.at)]);
    changed();
  });
  canvas.addEventListener('pointerup', () => { from = null; });
  const axis = el('select', { 'aria-label': t('brush_axis') }, keys.map((key) => el('option', { value: key }, key === 'best' ? state.metric : key)));
  const range = (name, initial) => el('input', { type: 'range', min: 0, max: 1, step: 0.02, value: initial, 'aria-label': t(name) });
  const low = range('brush_low', 0), high = range('brush_high', 1);
  const typed = () => { brushes.set(axis.value, [Math.min(low.valueAsNumber, high.valueAsNumber), Math.max(low.valueAsNumber, high.valueAsNumber)]); changed(); };
  low.addEventListener('input', typed);
  high.addEventListener('input', typed);
  axis.addEventListener('change', () => {
    [low.value, high.value] = brushes.get(axis.value) ?? [0, 1];
  });
  const clear = el('button', { type: 'button', class: 'small', onclick() { brushes.clear(); low.value = 0; high.value = 1; changed(); } }, t('brush_clear'));
  parallel.node = el('div', {}, el('div', { class: 'fill chart' }, canvas), el('div', { class: 'brush' }, axis, low, high, clear));
  return parallel;
}

/** Places from 0 to 1 of an axis's values: logarithmic where they span decades, by their order where texts. */
function scale(values) {
  const known = values.filter((v) => v != null), numbers = known.every((v) => typeof v === 'number');
  if (!numbers || new Set(known).size < 3) {
    const names = [...new Set(known.map(String))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
    return { place: (v) => (v == null ? null : names.length > 1 ? names.indexOf(String(v)) / (names.length - 1) : 0.5), low: names[0] ?? '', high: names.at(-1) ?? '' };
  }
  const least = Math.min(...known), most = Math.max(...known), log = least > 0 && most / least > 30;
  const f = log ? Math.log : (v) => v, span = f(most) - f(least) || 1;
  return { place: (v) => (v == null ? null : (f(v) - f(least)) / span), low: num(least, 3), high: num(most, 3) };
}

export function drawParallel(parallel, networks, chosen) {
  const { context, width, height } = cleared(parallel.canvas), { keys, scales, brushes } = parallel;
  if (!width) return;
  for (const key of keys) scales.set(key, scale(networks.map((n) => parallel.value(n, key))));
  const edge = Math.min(60, width / 8), Y = (place) => height - 26 - place * (height - 56);
  parallel.X = (k) => edge + (k * (width - 2 * edge)) / Math.max(1, keys.length - 1);
  for (const network of networks.slice(0, 600).reverse()) {
    const own = network.member === chosen, held = parallel.holds(network);
    context.strokeStyle = own ? look.val : held ? look.train : look.ghost;
    context.globalAlpha = own ? 1 : held ? 0.35 : 0.08;
    context.lineWidth = own ? 3 : 1.2;
    context.beginPath();
    keys.forEach((key, k) => {
      const place = scales.get(key).place(parallel.value(network, key));
      if (place != null) context.lineTo(parallel.X(k), Y(place));
    });
    context.stroke();
  }
  context.globalAlpha = 1;
  context.textAlign = 'center';
  keys.forEach((key, k) => {
    const x = parallel.X(k), { low, high } = scales.get(key);
    context.strokeStyle = look.strong;
    context.lineWidth = 1;
    context.strokeRect(x, Y(1), 0, Y(0) - Y(1));
    context.fillStyle = look.ink;
    context.font = `600 12px ${look.font}`;
    context.fillText(key === 'best' ? parallel.metric : key, x, 12);
    context.font = `12px ${look.font}`;
    context.fillStyle = look.soft;
    context.fillText(high, x, 26);
    context.fillText(low, x, height - 8);
    const brush = brushes.get(key);
    if (!brush) return;
    context.fillStyle = look.accent;
    context.globalAlpha = 0.3;
    context.fillRect(x - 7, Y(brush[1]), 14, Y(brush[0]) - Y(brush[1]));
    context.globalAlpha = 1;
  });
}
