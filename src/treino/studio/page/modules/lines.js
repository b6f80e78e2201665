/** What the pages of sweeps, studies, scripts and the home page share: curves on a canvas, tables, a socket. */

import { drawAxes, makeBox } from './axes.js';
import { Connection, Refusal } from './connection.js';
import { cleared, el, pointIn } from './dom.js';
import { logTicks, num, whole } from './numbers.js';
import { classColour } from './theme.js';
import { hideTip } from './tip.js';
import { language, t } from './words.js';

const NEAR = 10; // pixels from the pointer to what it is on
const SPREAD = 50; // times the 2nd percentile is the 98th, from which on an axis is logarithmic

/** A panel with a heading. */
export const panel = (title, ...children) => el('section', { class: 'panel' }, el('h2', {}, title), children);

/** Where the shell reads out what is said. */
export const status = () => el('p', { class: 'hint', role: 'status', 'data-says': true });

/** A button for who watches and may steer, and how it is shown or hidden by a state. */
export function wheel(command) {
  const node = el('button', { type: 'button', class: 'primary', hidden: true, onclick: () => command('steer') }, t('take_wheel'));
  return { node, update: (state) => { node.hidden = state.steers || !state.can_steer; } };
}

/** A canvas with an accessible name, in a box of its own height. */
export function chart(name) {
  const canvas = el('canvas', { role: 'img', 'aria-label': name });
  return { canvas, box: el('div', { class: 'fill chart' }, canvas) };
}

/** How values stand on an axis: from 0 or from below the lowest, or by their logarithms; few that are far out are cut off. */
function axisOf(ys, curves) {
  const at = (share) => ys[Math.min(ys.length - 1, Math.floor(share * ys.length))];
  const positive = ys.filter((y) => y > 0), least = positive[Math.floor(0.02 * positive.length)]; // a loss of 0 lies at the foot
  const log = ys[0] >= 0 && positive.length > 0.8 * ys.length && at(0.98) > SPREAD * least;
  const far = curves > 12 && ys.at(-1) > 3 * at(0.97), high = (far ? at(0.97) : ys.at(-1)) || 1;
  if (log) {
    const top = 1.2 * Math.min(ys.at(-1), 10 * high), low = 0.8 * Math.max(positive[0], 1e-9 * top);
    return { f: (y) => Math.log10(Math.max(y, 0.5 * low)), low: Math.log10(low), high: Math.log10(top), ticks: thinned(logTicks(low, top)).map(Math.log10), label: (v) => num(10 ** v, 3) };
  }
  const floor = curves > 12 ? at(0.02) : ys[0], above = floor > high / 2;
  return { f: (v) => v, low: above ? floor - 0.1 * (high - floor) : Math.min(0, ys[0]), high: above ? high + 0.05 * (high - floor || high) : 1.05 * high };
}
const thinned = (values) => (values.length > 9 ? values.filter((v) => Math.round(100 * Math.log10(v)) % (100 * Math.ceil(values.length / 8)) === 0) : values);

/** Draw curves [{x, y, colour, strong}] over each other; → the plot that `nearest` looks at. */
export function drawLines(canvas, curves, names) {
  const { context, width, height } = cleared(canvas);
  const ys = curves.flatMap(({ y }) => y.filter(Number.isFinite)).sort((a, b) => a - b);
  if (!ys.length || !width) return null;
  const axis = axisOf(ys, curves.length), end = Math.max(1, ...curves.map(({ x }) => x.at(-1) ?? 0));
  const box = { ...makeBox(width, height, [0, axis.low], [end, axis.high], { left: 66 }), ticksY: axis.ticks, labelY: axis.label };
  const drawn = curves.map((curve) => ({ curve, places: curve.x.map((x, k) => (Number.isFinite(curve.y[k]) ? [box.X(x), box.Y(axis.f(curve.y[k]))] : null)) }));
  drawAxes(context, box, names, true);
  context.save();
  context.beginPath();
  context.rect(box.l, box.t, box.r - box.l, box.b - box.t);
  context.clip();
  const faint = Math.min(0.9, 4 / Math.sqrt(curves.length));
  for (const { curve, places: line } of [...drawn].sort((a, b) => Number(a.curve.strong ?? 0) - Number(b.curve.strong ?? 0))) {
    context.strokeStyle = context.fillStyle = curve.colour;
    context.globalAlpha = curve.strong ? 1 : faint;
    context.lineWidth = curve.strong ? 3 : 1.4;
    const known = line.filter(Boolean);
    context.beginPath();
    if (known.length === 1) context.arc(...known[0], 2.5, 0, 7);
    if (known.length === 1) context.fill();
    else for (const place of known) context.lineTo(...place);
    context.stroke();
  }
  context.restore();
  return { box, drawn };
}

/** The curve of a plot that is nearest to a place, and its nearest point: {curve, k}; null: none is near. */
export function nearest(plot, x, y) {
  let found = null, least = NEAR;
  for (const { curve, places } of plot?.drawn ?? []) {
    let last = null;
    places.forEach((place, k) => {
      if (!place) return;
      const away = toSegment(x, y, places[last ?? k], place);
      if (away < least) {
        least = away;
        found = { curve, k: last != null && x - places[last][0] < place[0] - x ? last : k };
      }
      last = k;
    });
  }
  return found;
}

/** Pixels from a place to the line between two others. */
export function toSegment(x, y, [x0, y0], [x1, y1]) {
  const dx = x1 - x0, dy = y1 - y0, along = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1);
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(x0 + share * dx - x, y0 + share * dy - y);
}

/** A canvas that the pointer asks: find(x, y) → what is there or null; show(found, event); pick(found) on a click on it. */
export function asked(canvas, find, show, pick) {
  let shown = null;
  const point = (found, event) => {
    shown = found;
    canvas.classList.toggle('hot', Boolean(found));
    if (!found) hideTip();
    show(found, event);
  };
  canvas.addEventListener('pointermove', (event) => point(find(...pointIn(event)), event));
  canvas.addEventListener('pointerleave', (event) => point(null, event));
  canvas.addEventListener('click', (event) => {
    const found = shown ?? find(...pointIn(event)); // a finger has not moved before
    if (found) pick(found);
  });
}

export const colourOf = (k) => classColour(k);

/** A time in words that fit a line. */
export function duration(seconds) {
  if (seconds == null) return t('time_unknown');
  return seconds < 90 ? t('seconds_left', { n: num(Math.round(seconds)) }) : t('minutes_left', { n: num(Math.round(seconds / 60)) });
}

/** A connection whose refusals are read out. take(message): what the server sends. */
export function connected(shell, path, take) {
  const connection = new Connection(shell.transport(path), { language: () => language.now, receive: take, status: shell.connected });
  return {
    connection,
    async command(verb, fields) {
      try {
        return await connection.send(verb, fields);
      } catch (refusal) {
        if (!(refusal instanceof Refusal)) throw refusal;
        shell.say([refusal.message, refusal.hint].filter(Boolean).join(' '), 'warning');
        return null;
      }
    },
  };
}

/** What a setting's value is shown as. */
export const shown = (value) => (typeof value === 'number' ? (Number.isInteger(value) ? whole(value) : num(value)) : value == null ? '–' : String(value));

/** The status of a run or network, in the reader's language. */
export const statusWord = (name) => t(`folder_${name}`);
