/** Pictures of a regression, and of any network with one input: a line, a surface, predicted against true. */

import { drawAxes, makeBox } from './axes.js';
import { num } from './numbers.js';
import { paintRange, rangeColour, sizedPixels } from './pixels.js';
import { answers, drawNear, drawValues } from './rows.js';
import { classColour, look } from './theme.js';

/** The lowest and highest of finite numbers; [0, 1] where there are none. */
export function extent(...lists) {
  let low = Infinity;
  let high = -Infinity;
  for (const list of lists)
    for (const value of list) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  return low <= high ? [low, high === low ? low + 1 : high] : [0, 1];
}

const widened = (/** @type {number[]} */ [low, high]) => [low - 0.04 * (high - low), high + 0.04 * (high - low)];

/** The network along its one input; of a regression with the rows, of classes as probabilities. */
export function drawLine(_kept, { context, width, height }, { frame, points, classes, target, probability, near }) {
  const { x, value } = frame.parts;
  const curves = value.shape[1] ?? 1;
  const ofClasses = classes.length > 0;
  const trues = points.rows.map((rows) => rows.true);
  const [low, high] = ofClasses ? [0, 1] : widened(extent(...trues, value.data));
  const box = makeBox(width, height, [points.low[0], low], [points.high[0], high]);
  drawAxes(context, box, [points.axes[0], ofClasses ? probability : target], true);
  const place = ofClasses
    ? (rows, i, c) => [box.X(rows.x[i]), box.t + 10 + 9 * (c % Math.max(1, Math.floor((box.b - box.t) / 9)))]
    : (rows, i, v) => [box.X(rows.x[i]), box.Y(v)];
  context.save();
  clipTo(context, box);
  drawValues(context, points, place, ofClasses ? classColour : null);
  for (let k = 0; k < curves; k++) {
    context.beginPath();
    x.data.forEach((v, i) => {
      const y = value.data[i * curves + k];
      if (Number.isFinite(y)) context.lineTo(box.X(v), box.Y(y));
    });
    context.lineJoin = 'round';
    context.lineWidth = ofClasses ? 2.4 : 3;
    context.strokeStyle = ofClasses ? classColour(k) : look.ink;
    context.stroke();
  }
  drawNear(context, place, near);
  context.restore();
  return { ...box, place };
}

/** The target over two inputs, by colour; rows in the colour of their true value. */
export function drawSurface(kept, { context, width, height }, { frame, points, target, near }) {
  const box = makeBox(width, height, points.low, points.high, { right: 100 });
  const { value } = frame.parts;
  const [low, high] = extent(...points.rows.map((rows) => rows.true));
  kept.pixels = sizedPixels(kept.pixels, value.shape[1], value.shape[0]);
  paintRange(kept.pixels, value.data, low, high);
  context.save();
  clipTo(context, box);
  context.imageSmoothingQuality = 'high';
  context.drawImage(kept.pixels.canvas, box.l, box.t, box.r - box.l, box.b - box.t);
  context.restore();
  drawAxes(context, box, points.axes);
  const place = (rows, i) => [box.X(rows.x[i]), box.Y(rows.y[i])];
  drawValues(context, points, place, (v) => `rgb(${rangeColour((v - low) / (high - low)).join()})`);
  drawNear(context, place, near);
  drawScale(context, box, low, high, target);
  return { ...box, place };
}

function drawScale(context, { r, t, b }, low, high, target) {
  for (let y = t; y < b; y++) {
    context.fillStyle = `rgb(${rangeColour((b - y) / (b - t)).join()})`;
    context.fillRect(r + 14, y, 10, 1.5);
  }
  context.font = `12px ${look.font}`;
  context.fillStyle = look.soft;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  for (const k of [0, 0.5, 1]) context.fillText(num(low + k * (high - low), 3), r + 28, b - 5 - k * (b - t - 10));
  context.save();
  context.translate(r + 92, (t + b) / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = 'center';
  context.fillStyle = look.ink;
  context.fillText(target, 0, 0);
  context.restore();
}

/** What the network predicts against what is true; on the line both are the same. */
export function drawFit(_kept, { context, width, height }, { frame, points, words, near }) {
  const said = points.rows.map((rows) => answers(frame, rows) ?? []);
  const [low, high] = widened(extent(...points.rows.map((rows) => rows.true), ...said));
  const box = makeBox(width, height, [low, low], [high, high]);
  drawAxes(context, box, words, true);
  context.save();
  clipTo(context, box);
  context.beginPath();
  context.moveTo(box.l, box.b);
  context.lineTo(box.r, box.t);
  context.lineWidth = 1.5;
  context.strokeStyle = look.ink;
  context.stroke();
  const places = new Map(points.rows.map((rows, k) => [rows, said[k]]));
  const place = (rows, i, value) => [box.X(value), box.Y(places.get(rows)[i] ?? NaN)];
  drawValues(context, points, place);
  drawNear(context, place, near);
  context.restore();
  return { ...box, place };
}

function clipTo(context, { l, t, r, b }) {
  context.beginPath();
  context.roundRect(l, t, r - l, b - t, 6);
  context.clip();
}
