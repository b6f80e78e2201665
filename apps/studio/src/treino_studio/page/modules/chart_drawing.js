/** What the chart (chart.js) draws, and where things lie in it. */

import { over, stroke } from './axes.js';
import { clamp, logTicks, ticks, tickTexts, usualMost, whole } from './numbers.js';
import { placeAt } from './store.js';
import { look } from './theme.js';
import { t } from './words.js';

export const FEW = 12; // lines that are named, and drawn in full
const LONG = 8; // times the usual distance of two measurements, from which on nothing is drawn between them
const NEAR = 10; // pixels from the pointer to what it is on
const SPARSE = 9; // pixels between the points of a line, from which on each is seen

export const endOf = ({ panes, x }) =>
  x.end ?? Math.max(1, ...panes.flatMap(({ lines }) => lines.map((line) => line.x.at(-1) ?? 0)));

const LEAST = 60; // pixels of a pane below which all get equal parts

/** Where panes and axes lie. */
export function boxOf(context, width, height, content, view, bare) {
  const { panes, x, marks, margin = {} } = content;
  const span = view.span ?? [x.start ?? 0, endOf(content)];
  const gap = 20;
  const t = bare ? 4 : marks ? 27 : 10;
  const bottom = height - (bare ? 4 : x.name && !margin.left ? 38 : 22);
  const high = bottom - t - gap * (panes.length - 1);
  const share = (0.6 * high) / (0.4 + 0.6 * panes.length) < LEAST ? 1 : 0.6;
  const shares = panes.map((_, k) => (k ? share : 1));
  const sum = shares.reduce((a, b) => a + b, 0);
  let top = t;
  const laid = panes.map((pane, k) => {
    const b = top + (shares[k] / sum) * high;
    const scale = scaleOf(pane, span, view, Math.max(2, Math.floor((b - top) / 32)));
    const at = { ...pane, ...scale, t: top, b };
    at.Y = (v) => b - ((scale.f(v) - scale.low) / (scale.high - scale.low || 1)) * (b - at.t);
    top = b + gap;
    return at;
  });
  context.font = `12px ${look.font}`;
  const widest = Math.max(0, ...laid.flatMap((pane) => pane.texts.map((text) => context.measureText(text).width)));
  const l = bare ? 2 : Math.max(margin.left ?? 34, Math.ceil(widest) + 14);
  const r = width - (bare ? 2 : (margin.right ?? 16));
  const wide = span[1] - span[0] || 1;
  const X = (v) => l + ((v - span[0]) / wide) * (r - l);
  return { l, r, t, b: bottom, width, height, span, panes: laid, X, x: (px) => span[0] + ((px - l) / (r - l)) * wide };
}

/** The places of a line's points from the last before a range to the first behind it. */
function within({ x }, [low, high]) {
  return [Math.max(0, placeAt(x, low)), Math.min(x.length - 1, placeAt(x, high) + 1)];
}

/**
 * How values stand on an axis; f: what is linear on it. All points have their place, but those of lines aside, and of
 * many lines those that lie far out: they leave the pane.
 */
function scaleOf({ lines, log, falls, low: floor, high: ceiling, guide }, span, view, count) {
  const found = [];
  const many = lines.length > FEW;
  for (const line of lines.some(({ aside }) => !aside) ? lines.filter(({ aside }) => !aside) : lines) {
    const [from, to] = within(line, span);
    for (let k = from; k <= to; k++)
      for (const y of [line.y[k], line.low?.[k], line.high?.[k]]) if (Number.isFinite(y)) found.push(y);
    if (Number.isFinite(line.dot) && !view.span) found.push(line.dot);
  }
  if (guide != null) found.push(guide);
  const ys = Float64Array.from(found.length ? found : [0, 1]).sort();
  const at = (share, of = ys) => of[Math.min(of.length - 1, Math.floor(share * of.length))];
  const positive = ys.subarray(ys.findIndex((y) => y > 0));
  const least = at(0.02, positive); // a loss of 0 lies at the foot
  const high = many ? usualMost(ys) : ys.at(-1);
  let low = ys[0];
  if (log !== null && ys.at(-1) > 0 && view.log) {
    let [from, to] = [
      Math.max(positive[0], least / 100, 1e-9 * high) / 1.2,
      1.2 * Math.min(ys.at(-1), 10 * (high || 1)),
    ];
    if (to / from < 2) [from, to] = [from / 1.3, to * 1.3];
    const marked = logMarks(from, to, count + 1);
    return {
      log: true,
      low: Math.log10(from),
      high: Math.log10(to),
      f: (v) => Math.log10(Math.max(v, from / 2)),
      ticks: marked,
      texts: tickTexts(marked),
    };
  }
  if (many && low > high / 2) low = at(0.02);
  const tight = view.span || (!falls && floor == null && low > high / 2);
  const room = 0.06 * (tight ? high - low || Math.abs(high) || 1 : high || 1);
  const from = tight ? low - room : (floor ?? Math.min(0, low));
  const to = Math.min(high + room, ceiling ?? Infinity);
  const marked = ticks(from, to, count);
  return {
    log: false,
    low: from,
    high: to > from ? to : from + 1,
    f: (v) => v,
    ticks: marked,
    texts: tickTexts(marked),
  };
}

/** Round values of a logarithmic axis, at most so many. */
function logMarks(low, high, most) {
  const digit = (value) => Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
  let found = logTicks(low, high);
  for (const digits of [[1, 2, 5], [1]])
    if (found.length > most) found = found.filter((value) => digits.includes(digit(value)));
  const every = Math.ceil(found.length / most);
  return found.length > 1
    ? found.filter((_, k) => k % every === 0)
    : ticks(low, high, most).filter((value) => value >= low && value <= high);
}

// ---- what is drawn

/** A level and its value at each tick; values of x that don't meet. */
export function drawTicks(context, { l, r, b, width, span, panes, X }, { x, margin }) {
  context.lineWidth = 1;
  context.strokeStyle = look.line;
  context.fillStyle = look.soft;
  context.font = `12px ${look.font}`;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const pane of panes) {
    let last = Infinity;
    pane.ticks.forEach((value, k) => {
      const y = pane.Y(value);
      if (y < pane.t - 1 || y > pane.b + 1) return;
      stroke(context, l, y, r, y);
      if (last - y < 15) return;
      context.fillText(pane.texts[k], l - 8, y);
      last = y;
    });
  }
  if (panes.length > 1) for (const pane of panes) nameIn(context, pane, r);
  for (const pane of panes) aboveIn(context, pane, l, span);
  context.font = `12px ${look.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'top';
  context.fillStyle = look.soft;
  const room = clamp(Math.floor((r - l) / (context.measureText(whole(Math.round(span[1]))).width + 24)), 1, 8);
  for (const v of ticks(...span, room)) {
    if (!Number.isInteger(v)) continue;
    const text = whole(v);
    const half = context.measureText(text).width / 2;
    context.fillText(text, Math.min(X(v), width - half), b + 7);
  }
  if (x.name && !margin?.left) context.fillText(x.name, (l + r) / 2, b + 23);
}

/** How many lines leave a pane at its top. */
function aboveIn(context, { lines, f, high, t: top }, l, span) {
  const leaves = (line) => {
    const [from, to] = within(line, span);
    for (let k = from; k <= to; k++) if (Number.isFinite(line.y[k]) && f(line.y[k]) > high) return true;
    return false;
  };
  const n = lines.filter(leaves).length;
  if (!n) return;
  context.font = `12px ${look.font}`;
  Object.assign(context, { textAlign: 'left', fillStyle: look.soft });
  over(context, `↑ ${t('lines_above', { n: whole(n) })}`, l + 6, top + 8);
}

/** What a pane is of, in the corner that its lines leave free. */
function nameIn(context, { name, falls, t, b }, r) {
  context.font = `600 12px ${look.font}`;
  context.fillStyle = look.ink;
  if (name) over(context, name, r - 6, falls ? t + 10 : b - 10);
}

/** The lines of a pane, the strong ones above; pane.places: where their points lie. */
export function drawPane(context, box, pane, smooth) {
  const few = pane.lines.length <= FEW;
  const faint = few ? 1 : Math.min(0.9, 4 / Math.sqrt(pane.lines.length));
  context.save();
  context.beginPath();
  context.rect(box.l, pane.t - 3, box.r - box.l + 2, pane.b - pane.t + 6);
  context.clip();
  context.lineJoin = 'round';
  if (pane.guide != null) level(context, box, pane.Y(pane.guide));
  pane.places = new Map();
  for (const line of [...pane.lines].sort((a, b) => Number(Boolean(a.strong)) - Number(Boolean(b.strong)))) {
    const [from, to] = within(line, box.span);
    const count = to - from + 1;
    const near = line.noisy && smooth ? Math.max(2, Math.round(smooth * count)) : 0;
    const every = near ? Math.max(1, Math.floor(count / Math.max(200, box.r - box.l))) : 1;
    const alpha = (line.alpha ?? 1) * (line.strong ? 1 : faint);
    if (near || line.high) drawBand(context, box, pane, line, [from, to, every, near], alpha);
    const y = near ? smoothed(line.y, near) : line.y;
    const places = [];
    for (let k = from; k <= to; k += every) if (Number.isFinite(y[k])) places.push([box.X(line.x[k]), pane.Y(y[k]), k]);
    if (every > 1 && Number.isFinite(y[to])) places.push([box.X(line.x[to]), pane.Y(y[to]), to]);
    pane.places.set(line, places);
    context.setLineDash(line.dash ? [7, 5] : []);
    context.globalAlpha = alpha;
    context.strokeStyle = context.fillStyle = line.colour;
    context.lineWidth = line.strong ? 3 : (line.width ?? (few ? 2.2 : 1.4));
    context.lineCap = line.looked ? 'round' : 'butt'; // a point alone is a dot
    const far = line.looked
      ? Math.max(LONG * middleOf(line.x.slice(1).map((x, k) => x - line.x[k])), (box.span[1] - box.span[0]) / 50)
      : Infinity;
    context.beginPath();
    if (places.length === 1) context.arc(places[0][0], places[0][1], 2.5, 0, 7);
    if (places.length === 1) context.fill();
    else
      places.forEach(([x, y, k], n) => {
        if (n && line.x[k] - line.x[places[n - 1][2]] > far) context.moveTo(x - 0.1, y);
        context.lineTo(x, y);
      });
    context.stroke();
    if (few && !line.noisy && places.length > 1 && places.at(-1)[0] - places[0][0] > SPARSE * (places.length - 1)) {
      context.beginPath();
      for (const [x, y] of places) {
        context.moveTo(x + 2.4, y);
        context.arc(x, y, 2.4, 0, 7);
      }
      context.fill();
    }
  }
  context.restore();
}

const middleOf = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** The lowest and highest values around each step. low, high: those of the steps that a point is the mean of. */
function drawBand(
  context,
  box,
  pane,
  { x, y, low: lowest = y, high: highest = y, colour },
  [from, to, every, near],
  alpha,
) {
  const up = [];
  const down = [];
  for (let k = from; k <= to; k += every) {
    let low = Infinity;
    let high = -Infinity;
    const around = Math.max(near, every >> 1);
    for (let q = Math.max(0, k - around); q <= Math.min(y.length - 1, k + around); q++) {
      if (lowest[q] != null) low = Math.min(low, lowest[q]);
      if (highest[q] != null) high = Math.max(high, highest[q]);
    }
    if (high < low || y[k] == null) continue;
    up.push([box.X(x[k]), pane.Y(high)]);
    down.push([box.X(x[k]), pane.Y(low)]);
  }
  context.globalAlpha = 0.16 * alpha;
  context.fillStyle = colour;
  context.beginPath();
  for (const place of [...up, ...down.reverse()]) context.lineTo(...place);
  context.fill();
}

/** The mean over as many values on either side, fewer towards the ends: the first and last stay; gaps stay gaps. */
function smoothed(list, near) {
  const sums = new Float64Array(list.length + 1);
  const counts = new Uint32Array(list.length + 1);
  list.forEach((v, i) => {
    sums[i + 1] = sums[i] + (v ?? 0);
    counts[i + 1] = counts[i] + (v == null ? 0 : 1);
  });
  return list.map((v, i) => {
    const around = Math.min(near, i, list.length - 1 - i);
    const [a, b] = [i - around, i + around + 1];
    return v == null ? null : (sums[b] - sums[a]) / (counts[b] - counts[a]);
  });
}

/** A line from top to bottom. */
export function upright(context, box, x, colour, dash = [], top = box.t) {
  context.strokeStyle = colour;
  context.lineWidth = 1.2;
  context.setLineDash(dash);
  stroke(context, x, top, x, box.b);
  context.setLineDash([]);
}

function level(context, { l, r }, y) {
  context.strokeStyle = look.strong;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  stroke(context, l, y, r, y);
}

/** The range that is being chosen. */
export function drawDrag(context, { t, b }, [from, to]) {
  context.globalAlpha = 0.14;
  context.fillStyle = look.accent;
  context.fillRect(from, t, to - from, b - t);
  context.globalAlpha = 1;
}

/** All that was changed at one x is one mark; from the right on each text that has room is shown. */
export function drawMarks(context, box, marks) {
  const joined = new Map();
  for (const { x, text } of marks) joined.set(x, [joined.get(x), text].filter(Boolean).join(' · '));
  context.font = `600 12px ${look.font}`;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  let left = box.r + 10;
  for (const [at, text] of [...joined].sort(([a], [b]) => b - a)) {
    const x = box.X(at);
    const wide = context.measureText(text).width + 14;
    if (x < box.l - 1 || x > box.r + 1) continue;
    context.globalAlpha = 0.8;
    upright(context, box, x, look.mark, [4, 3], box.t - 8);
    context.globalAlpha = 1;
    context.fillStyle = look.mark;
    const from = clamp(x - wide / 2, box.l - 30, Math.max(box.l - 30, box.r - wide + 20));
    context.beginPath();
    if (text && from + wide <= left - 4) {
      context.roundRect(from, 1, wide, 19, 9.5);
      context.fill();
      context.fillStyle = look.panel;
      context.fillText(text, from + wide / 2, 11);
      left = from;
    } else {
      context.arc(x, box.t - 3, 3.5, 0, 7);
      context.fill();
    }
  }
}

/** The x in view, with a dot on each line that has a value there; one that lies above its pane is a triangle. */
export function drawNow(context, box, at, bare) {
  const x = box.X(at);
  if (x < box.l - 1 || x > box.r + 1) return;
  if (!bare) upright(context, box, x, look.ink, [], box.t - 4);
  for (const pane of box.panes)
    for (const { dot, colour } of pane.lines) {
      if (dot == null) continue;
      context.beginPath();
      if (pane.f(dot) > pane.high) {
        context.moveTo(x, pane.t - 5);
        context.lineTo(x + 6, pane.t + 5);
        context.lineTo(x - 6, pane.t + 5);
        context.closePath();
      } else context.arc(x, pane.Y(dot), bare ? 3 : 4.5, 0, 7);
      context.fillStyle = bare ? look.ink : colour;
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = look.panel;
      context.stroke();
    }
}

/** Letters at the ends of lines, under each other where they would meet, and rings where lines part. */
export function drawTags(context, box, pane) {
  context.font = `700 12px ${look.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  let free = -Infinity;
  for (const [line, places] of [...pane.places]
    .filter(([line, places]) => places.length && (line.tag || line.ring))
    .sort((a, b) => a[1].at(-1)[1] - b[1].at(-1)[1])) {
    const [x, y] = places.at(-1);
    const at = Math.max(free, clamp(y, pane.t, pane.b));
    if (line.ring && line.x[0] >= box.span[0]) {
      context.beginPath();
      context.arc(places[0][0], places[0][1], 5, 0, 7);
      context.fillStyle = look.panel;
      context.fill();
      context.lineWidth = 2;
      context.strokeStyle = look.ink;
      context.stroke();
    }
    if (!line.tag) continue;
    free = at + 20;
    const middle = x + 26 > box.width ? x - 17 : x + 17;
    context.beginPath();
    context.roundRect(middle - 9, at - 9, 18, 18, 9);
    context.fillStyle = line.alpha == null ? look.ink : look.strong;
    context.fill();
    context.fillStyle = look.panel;
    context.fillText(line.tag, middle, at + 0.5);
  }
}

/** The line that is nearest to a place, and its nearest point: { line, k }; nulls: none is near. */
export function nearest({ panes }, x, y) {
  let found = { line: null, k: null };
  let least = NEAR;
  for (const { places: lines } of panes)
    for (const [line, places] of lines)
      places.forEach((place, n) => {
        const before = places[n - 1] ?? place;
        const away = toSegment(x, y, before, place);
        if (away >= least) return;
        least = away;
        found = { line, k: x - before[0] < place[0] - x ? before[2] : place[2] };
      });
  return found;
}

/** Pixels from a place to the line between two others. */
export function toSegment(x, y, [x0, y0], [x1, y1]) {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const along = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1);
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(x0 + share * dx - x, y0 + share * dy - y);
}
