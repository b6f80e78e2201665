/** The decision boundary over two axes: classes by colour, lines between them, rows, and the classes' names. */

import { drawAxes, makeBox } from './axes.js';
import { clamp } from './numbers.js';
import { marginOf, paintClasses, paintShares, paintSigned, sizedPixels, strokeContour } from './pixels.js';
import { drawNear, drawRows } from './rows.js';
import { look } from './theme.js';

const M = 24; // the grid on which places for names are sought
const NAMED = 10; // classes that get a name, at most

/** What is kept between two drawings: the pixels, and where the names stood. */
export const makePlane = () => ({ pixels: null, unit: null, places: [], free: null, points: null });

/** Draw the plane, or unit: {bytes, size, scale, colour} in its place; → the box. */
export function drawPlane(plane, { context, width, height }, { frame, points, classes, near, unit, dashed, playing }) {
  const box = makeBox(width, height, points.low, points.high);
  const { l, t, r, b } = box;
  const W = r - l;
  const H = b - t;
  const { winner } = frame.parts;
  const margin = marginOf(frame);
  const [rows, columns] = winner.shape;
  context.save();
  context.beginPath();
  context.roundRect(l, t, W, H, 6);
  context.clip();
  context.imageSmoothingQuality = 'high';
  context.drawImage(unit ? unitPixels(plane, unit) : classPixels(plane, winner, margin), l, t, W, H);
  context.translate(l, t);
  context.lineJoin = 'round';
  context.strokeStyle = look.ink;
  context.lineCap = dashed ? 'butt' : 'round';
  context.lineWidth = 2;
  context.globalAlpha = unit ? 0.35 : 0.95;
  strokeContour(context, winner.data, margin, [rows, columns], W, H, dashed);
  const beside = frame.parts['beside.winner'];
  if (beside && !unit) {
    context.lineWidth = 1.3;
    context.globalAlpha = 0.8;
    context.lineCap = dashed ? 'round' : 'butt';
    strokeContour(context, beside.data, marginOf(frame, 'beside.'), beside.shape, W, H, !dashed);
  }
  context.restore();
  drawAxes(context, box, points.axes);
  const place = (set, i) => [box.X(set.x[i]), box.Y(set.y[i])];
  drawRows(context, points, frame, place);
  drawNear(context, place, near);
  if (!unit) drawNames(plane, context, box, { winner, points, classes, playing });
  return box;
}

function classPixels(plane, winner, margin) {
  plane.pixels = sizedPixels(plane.pixels, winner.shape[1], winner.shape[0]);
  paintClasses(plane.pixels, winner.data, margin);
  return plane.pixels.canvas;
}

function unitPixels(plane, { bytes, start, size, scale, colour }) {
  plane.unit = sizedPixels(plane.unit, size, size);
  if (scale === 'share') paintShares(plane.unit, bytes, start, colour);
  else paintSigned(plane.unit, bytes, start);
  return plane.unit.canvas;
}

function drawNames(plane, context, { l, t, r, b, low, high }, { winner, points, classes, playing }) {
  if (plane.points !== points) {
    plane.points = points;
    plane.free = freeOf(points, low, high);
    plane.places = [];
  }
  const found = namePlaces(winner, plane.free);
  const W = r - l;
  const H = b - t;
  context.font = `700 15px ${look.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  const shown = [...found]
    .filter(([, place]) => place.room >= 1.4)
    .sort((a, q) => q[1].area - a[1].area)
    .slice(0, NAMED);
  const before = plane.places;
  plane.places = [];
  for (const [k, { x, y }] of shown) {
    const place = calm(before[k], [x, y], playing, k, winner);
    const [px, py] = place;
    plane.places[k] = place;
    const name = classes[k] ?? String(k);
    const half = context.measureText(name).width / 2 + 6;
    const cx = clamp(l + px * W, l + half, r - half);
    const cy = clamp(b - py * H, t + 14, b - 14);
    context.strokeStyle = look.plot;
    context.lineWidth = 4.5;
    context.globalAlpha = 0.9;
    context.strokeText(name, cx, cy);
    context.globalAlpha = 1;
    context.fillStyle = look.ink;
    context.fillText(name, cx, cy);
  }
}

/** While it plays a name moves a little at a time, and never through another class's region. */
function calm(before, next, playing, k, { data, shape: [rows, columns] }) {
  if (!playing || !before) return next;
  const between = before.map((v, i) => v + (next[i] - v) * 0.15);
  const cell =
    Math.min(rows - 1, (between[1] * rows) | 0) * columns + Math.min(columns - 1, (between[0] * columns) | 0);
  return data[cell] === k ? between : next;
}

/** How far each place of a small grid is from any row, in cells. */
function freeOf(points, low, high) {
  const free = new Float32Array(M * M).fill(Infinity);
  const span = [high[0] - low[0] || 1, high[1] - low[1] || 1];
  for (const rows of points.rows)
    rows.x.forEach((value, i) => {
      const x = ((value - low[0]) / span[0]) * M;
      const y = ((rows.y[i] - low[1]) / span[1]) * M;
      for (let q = 0; q < M * M; q++) {
        const away = Math.hypot(((q % M) + 0.5 - x) * 0.55, ((q / M) | 0) + 0.5 - y);
        if (away < free[q]) free[q] = away;
      }
    });
  return free.map((away) => away * 1.6);
}

/** For each class the place in its region that is furthest from other classes, from rows and from the frame. */
function namePlaces({ data, shape: [rows, columns] }, free) {
  const at = (x, y) => data[((((y + 0.5) / M) * rows) | 0) * columns + ((((x + 0.5) / M) * columns) | 0)];
  const room = new Float32Array(M * M);
  const found = new Map();
  for (let y = 0; y < M; y++)
    for (let x = 0; x < M; x++) room[y * M + x] = Math.min(x * 0.55, (M - 1 - x) * 0.55, y, M - 1 - y) + 1;
  const back = [
    [-1, 0],
    [0, -1],
    [-1, -1],
    [1, -1],
  ];
  const forth = back.map(([x, y]) => [-x, -y]);
  for (const { around, from, to, by } of [
    { around: back, from: 0, to: M * M, by: 1 },
    { around: forth, from: M * M - 1, to: -1, by: -1 },
  ])
    for (let q = from; q !== to; q += by) {
      const x = q % M;
      const y = (q / M) | 0;
      const own = at(x, y);
      for (const [dx, dy] of around) {
        const nx = x + dx;
        const ny = y + dy;
        if (nx < 0 || ny < 0 || nx >= M || ny >= M) continue;
        room[q] = Math.min(room[q], at(nx, ny) === own ? room[ny * M + nx] + 1 : 1);
      }
    }
  for (let q = 0; q < M * M; q++) {
    const own = at(q % M, (q / M) | 0);
    const worth = Math.min(room[q], free[q]);
    const best = found.get(own);
    const area = (best?.area ?? 0) + 1;
    if (!best || worth > best.worth)
      found.set(own, { x: ((q % M) + 0.5) / M, y: (((q / M) | 0) + 0.5) / M, room: room[q], worth, area });
    else best.area = area;
  }
  found.delete(data.BYTES_PER_ELEMENT === 1 ? 255 : 65535); // no finite answer
  return found;
}
