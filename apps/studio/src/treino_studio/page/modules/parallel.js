/**
 * Parallel coordinates of a sweep: an axis for each setting, and one for the figure. A drag on an axis brushes it,
 * a click on it shows all again; a click on a line chooses its network.
 */

import { over, stroke } from './axes.js';
import { toSegment } from './chart_drawing.js';
import { cleared, el, pointIn, smallButton } from './dom.js';
import { asked } from './lines.js';
import { makeScale } from './scale.js';
import { look } from './theme.js';
import { t } from './words.js';

const NAMED = 9; // names on an axis, at most
const DRAWN = 600; // networks, at most
const AXIS = 14; // pixels from an axis, within which it is the axis that is meant
const TOP = 30;
const BOTTOM = 38;
const DASHES = { diverged: [5, 3], cut: [1.5, 3] };
const END = 3; // pixels from the middle of an end's mark to its edge

/**
 * brushes: a Map, key → [low, high] as shares of its axis. changed(): they are others. show(network or null, event):
 * the pointer is on it; pick(network). The fields beside the canvas let the keyboard brush.
 */
export function makeParallel(state, brushes, { changed, show, pick }) {
  const canvas = el('canvas', { role: 'img', 'aria-label': t('parallel') });
  const keys = [...state.settings, 'best'];
  const value = (network, key) => (key === 'best' ? network.best : network.settings[key]);
  const parallel = {
    canvas,
    keys,
    brushes,
    value,
    scales: new Map(),
    lines: [],
    X: (_k) => 0,
    metric: state.metric_name,
  };
  parallel.holds = (network) =>
    [...brushes].every(([key, [low, high]]) => {
      const place = parallel.scales.get(key)?.place(value(network, key));
      return place != null && place >= low && place <= high;
    });
  let from = null;
  const axisAt = (x) =>
    keys.reduce(
      (near, key, k) => (Math.abs(parallel.X(k) - x) < Math.abs(parallel.X(keys.indexOf(near)) - x) ? key : near),
      keys[0],
    );
  const onAxis = (x) => Math.abs(parallel.X(keys.indexOf(axisAt(x))) - x) <= AXIS;
  const share = (y) =>
    Math.min(1, Math.max(0, (canvas.clientHeight - BOTTOM - y) / (canvas.clientHeight - TOP - BOTTOM)));
  canvas.addEventListener('pointerdown', (event) => {
    const [x, y] = pointIn(event);
    if (!onAxis(x)) return;
    canvas.setPointerCapture(event.pointerId);
    from = { key: axisAt(x), at: share(y) };
    brushes.delete(from.key);
    axis.value = from.key;
    told();
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!from) return;
    const at = share(pointIn(event)[1]);
    if (Math.abs(at - from.at) > 0.02) brushes.set(from.key, [Math.min(at, from.at), Math.max(at, from.at)]);
    told();
  });
  for (const end of ['pointerup', 'pointercancel'])
    canvas.addEventListener(end, () => {
      from = null;
    });
  const near = (x, y) => {
    let found = null;
    let least = 8;
    if (from || onAxis(x)) return null;
    for (const { network, places } of parallel.lines)
      for (let k = 1; k < places.length; k++) {
        const away = toSegment(x, y, places[k - 1], places[k]);
        if (away < least) [least, found] = [away, network];
      }
    return found;
  };
  asked(canvas, near, show, pick);
  const axis = el(
    'select',
    { 'aria-label': t('brush_axis') },
    keys.map((key) => el('option', { value: key }, key === 'best' ? state.metric_name : key)),
  );
  const range = (name) =>
    el('input', {
      type: 'range',
      min: 0,
      max: 1,
      step: 0.02,
      value: name === 'brush_low' ? 0 : 1,
      'aria-label': t(name),
    });
  const low = range('brush_low');
  const high = range('brush_high');
  const between = el('output', { class: 'hint' });
  const typed = () => {
    brushes.set(
      axis.value,
      [low.valueAsNumber, high.valueAsNumber].sort((a, b) => a - b),
    );
    told();
  };
  /** Write the chosen axis's brush into the fields, and tell of it. */
  const told = () => {
    const brush = brushes.get(axis.value);
    const scale = parallel.scales.get(axis.value);
    [low.value, high.value] = brush ?? [0, 1];
    for (const slider of [low, high]) slider.style.setProperty('--at', `${100 * slider.valueAsNumber}%`);
    between.textContent = brush && scale ? `${scale.text(brush[0])} – ${scale.text(brush[1])}` : '';
    changed();
  };
  low.addEventListener('input', typed);
  high.addEventListener('input', typed);
  axis.addEventListener('change', told);
  const clear = smallButton(
    () => {
      brushes.clear();
      told();
    },
    {},
    t('brush_clear'),
  );
  parallel.node = [
    el('div', { class: 'fill parallel' }, canvas),
    el('div', { class: 'brush' }, axis, low, high, between, clear),
  ];
  return parallel;
}

/** The end of a line: a cross where its network diverged, a bar where it was cut. */
export function drawEnd(context, status, [x, y], colour, alpha = 1) {
  if (!DASHES[status]) return;
  context.globalAlpha = alpha;
  context.strokeStyle = colour;
  context.lineWidth = 1.6;
  context.setLineDash([]);
  if (status === 'cut') stroke(context, x, y - END - 1, x, y + END + 1);
  else for (const dy of [END, -END]) stroke(context, x - END, y - dy, x + END, y + dy);
  context.globalAlpha = 1;
}

/** A scale whose lowest value, the best one, is at the top as the best is everywhere. */
const turned = (scale) => ({
  ...scale,
  place: (v) => (v == null ? null : 1 - scale.place(v)),
  text: (place) => scale.text(1 - place),
  low: scale.high,
  high: scale.low,
});

/** networks: the best first. marked: those that are drawn strongly. colourOf(network): of the others. */
export function drawParallel(parallel, networks, marked, colourOf) {
  const { context, width, height } = cleared(parallel.canvas);
  const { keys, scales, brushes } = parallel;
  if (!width) return;
  for (const key of keys) {
    const values = networks.map((n) => parallel.value(n, key));
    scales.set(key, makeScale(values, key === 'best'));
  }
  const known = networks.filter((n) => n.best != null);
  if (known[0]?.best < known.at(-1)?.best) scales.set('best', turned(scales.get('best')));
  const edge = Math.min(60, width / 8);
  const Y = (place) => height - BOTTOM - place * (height - TOP - BOTTOM);
  parallel.X = (k) => edge + (k * (width - 2 * edge)) / Math.max(1, keys.length - 1);
  const lost = networks.filter((n) => n.status === 'diverged').slice(0, DRAWN / 3);
  const fine = networks.filter((n) => n.status !== 'diverged').slice(0, DRAWN - lost.length);
  const drawn = [...lost, ...fine.reverse()];
  const faint = Math.min(0.6, 5 / Math.sqrt(drawn.length || 1));
  parallel.lines = [];
  for (const network of [...drawn.filter((n) => !marked.has(n.member)), ...drawn.filter((n) => marked.has(n.member))]) {
    const own = marked.get(network.member);
    const held = parallel.holds(network);
    const colour = own ?? (held ? colourOf(network) : look.ghost);
    context.strokeStyle = colour;
    context.globalAlpha = own ? 1 : held ? faint : 0.08;
    context.lineWidth = own ? 3 : 1.2;
    context.setLineDash(DASHES[network.status] ?? []);
    const places = keys
      .map((key, k) => [parallel.X(k), scales.get(key).place(parallel.value(network, key))])
      .filter(([, place]) => place != null)
      .map(([x, place]) => [x, Y(place)]);
    if (network.status === 'diverged') places.push([parallel.X(keys.length - 1), height - END - 5]); // it has no figure
    context.beginPath();
    for (const place of places) context.lineTo(...place);
    context.stroke();
    if (network.status === 'diverged') drawEnd(context, 'diverged', places.at(-1), colour);
    if (held) parallel.lines.push({ network, places });
  }
  context.globalAlpha = 1;
  context.setLineDash([]);
  context.textAlign = 'center';
  const logs = keys.filter((key) => scales.get(key).log);
  const said = [t('parallel'), logs.length && `${t('chart_log_about')}: ${logs.join(', ')}`];
  parallel.canvas.setAttribute('aria-label', said.filter(Boolean).join('. '));
  keys.forEach((key, k) => {
    const x = parallel.X(k);
    const { low, high, log, names, place } = scales.get(key);
    context.strokeStyle = look.strong;
    context.lineWidth = 1;
    context.strokeRect(x, Y(1), 0, Y(0) - Y(1));
    context.fillStyle = look.ink;
    context.font = `600 12px ${look.font}`;
    context.fillText(key === 'best' ? parallel.metric : key, x, 12);
    context.font = `12px ${look.font}`;
    context.fillStyle = look.soft;
    context.fillText(high, x, 26);
    over(context, low, x, height - BOTTOM + 14);
    if (log) over(context, t('chart_log'), x, height - 6);
    for (const name of names?.length <= NAMED ? names.slice(1, -1) : []) over(context, name, x, Y(place(name)));
    if (key === 'best' && lost.length) context.fillText(t('folder_diverged'), x - 36, height - 4);
    const brush = brushes.get(key);
    if (!brush) return;
    context.fillStyle = look.accent;
    context.globalAlpha = 0.3;
    context.fillRect(x - 7, Y(brush[1]), 14, Y(brush[0]) - Y(brush[1]));
    context.globalAlpha = 1;
  });
}
