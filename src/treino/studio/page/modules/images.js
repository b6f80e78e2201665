/** A network that sees images: weights of its first layer, its worst mistakes, and the confusion matrix. */

import { shortened } from './axes.js';
import { num } from './numbers.js';
import { paintSigned, sizedPixels } from './pixels.js';
import { look } from './theme.js';

const GAP = 10;

/** → the box, with at(x, y): the cell of the confusion matrix or the mistake that lies there. */
export function drawImages(kept, { context, width, height }, { frame, classes, unit, words }) {
  const areas = [], top = Math.round(height * 0.46);
  if (unit) drawUnit(kept, context, unit, width, height);
  else {
    areas.push(...drawMistakes(kept, context, frame, classes, words, { l: 0, t: 0, w: width, h: top }));
    areas.push(...drawConfusion(context, frame, classes, words, { l: 0, t: top + GAP, w: width, h: height - top - GAP }));
  }
  const at = (x, y) => areas.find((a) => x >= a.l && x < a.l + a.w && y >= a.t && y < a.t + a.h) ?? null;
  return { l: 0, t: 0, r: width, b: height, at, holds: () => true };
}

function title(context, text, l, t, room) {
  context.font = `600 13px ${look.font}`;
  context.fillStyle = look.ink;
  context.textAlign = 'left';
  context.textBaseline = 'top';
  context.fillText(shortened(context, text, room), l, t + 1);
}

function drawUnit(kept, context, { bytes, start, rows, columns }, width, height) {
  kept.unit = sizedPixels(kept.unit, columns, rows);
  context.imageSmoothingEnabled = false;
  paintSigned(kept.unit, bytes, start, true);
  const side = Math.min(width / columns, height / rows), across = side * columns, down = side * rows;
  context.drawImage(kept.unit.canvas, (width - across) / 2, (height - down) / 2, across, down);
}

/** The rows that the network is most wrong about, each with what it says and what is true. */
function drawMistakes(kept, context, { parts }, classes, words, { l, t, w, h }) {
  title(context, words.mistakes, l, t, w);
  const digits = parts.digits;
  if (!digits?.shape[0] || h < 80) return [];
  const [count, rows, columns] = digits.shape, top = t + 24, best = layout(count, w, h - 24);
  const found = [];
  for (let n = 0; n < Math.min(count, best.across * best.down); n++) {
    const x = l + (n % best.across) * best.cell, y = top + Math.floor(n / best.across) * (best.cell + 18), side = best.cell - GAP;
    context.imageSmoothingEnabled = false;
    context.drawImage(digitPixels(kept, n, digits, rows, columns), x, y, side, side);
    context.strokeStyle = look.line;
    context.lineWidth = 1;
    context.strokeRect(x, y, side, side);
    const probability = parts['digit.probability'], number = probability.shape[1];
    const of = probability.data.subarray(n * number, (n + 1) * number), said = argmax(of), right = parts['digit.true']?.data[n];
    context.font = `600 12px ${look.font}`;
    context.textBaseline = 'top';
    context.textAlign = 'left';
    context.fillStyle = said === right ? look.ink : look.alarm;
    const text = `${classes[said] ?? said} ${num(of[said], 2)}`;
    context.fillText(shortened(context, text, side), x, y + side + 3);
    found.push({ kind: 'mistake', l: x, t: y, w: side, h: side, row: parts['digit.index']?.data[n], probability: of, right });
  }
  return found;
}

/** Columns and the side of a cell, so that as many as there are fit in and stay large. */
function layout(count, width, height) {
  let best = { across: 1, down: 1, cell: 0 };
  for (let across = 1; across <= count; across++) {
    const cell = Math.min(96, width / across, height / Math.ceil(count / across) - 18), down = Math.ceil(count / across);
    if (cell > best.cell) best = { across, down, cell };
  }
  return best;
}

const argmax = (values) => values.reduce((best, v, k) => (v > values[best] ? k : best), 0);

function digitPixels(kept, n, { data }, rows, columns) {
  kept.digits ??= [];
  const pixels = (kept.digits[n] = sizedPixels(kept.digits[n], columns, rows)), image = pixels.image.data;
  for (let i = 0; i < rows * columns; i++) {
    const ink = look.dark ? data[n * rows * columns + i] : 255 - data[n * rows * columns + i];
    image.set([ink, ink, ink, 255], 4 * i);
  }
  pixels.context.putImageData(pixels.image, 0, 0);
  return pixels.canvas;
}

/** Validation rows by true and predicted class: shares of each true class, by the depth of the colour. */
function drawConfusion(context, { parts }, classes, words, { l, t, w, h }) {
  title(context, words.confusion, l, t, w);
  const { confusion } = parts;
  if (!confusion) return [];
  const count = confusion.shape[0], names = 30, side = Math.min((w - names - 2) / count, (h - 24 - 40) / count, 40), found = [];
  const x0 = l + Math.max(names, (w - count * side) / 2), y0 = t + 24;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (let row = 0; row < count; row++) {
    const total = confusion.data.subarray(row * count, (row + 1) * count).reduce((sum, v) => sum + v, 0);
    for (let column = 0; column < count; column++) {
      const value = confusion.data[row * count + column], share = total ? value / total : 0;
      const x = x0 + column * side, y = y0 + row * side;
      context.globalAlpha = value ? 0.12 + 0.88 * Math.sqrt(share) : 0.04;
      context.fillStyle = row === column ? look.train : look.alarm;
      context.fillRect(x, y, side - 1, side - 1);
      context.globalAlpha = 1;
      if (side > 17 && value) {
        context.font = `12px ${look.font}`;
        context.fillStyle = share > 0.35 ? look.panel : look.ink;
        if (context.measureText(value).width < side - 2) context.fillText(value, x + side / 2, y + side / 2);
      }
      found.push({ kind: 'cell', l: x, t: y, w: side, h: side, row, column, value, total });
    }
  }
  if (side > 10) {
    context.font = `12px ${look.font}`;
    context.fillStyle = look.soft;
    for (let k = 0; k < count; k++) {
      context.textAlign = 'right';
      context.fillText(shortened(context, classes[k] ?? '', names - 6), x0 - 6, y0 + (k + 0.5) * side);
      context.textAlign = 'center';
      context.fillText(shortened(context, classes[k] ?? '', side), x0 + (k + 0.5) * side, y0 + count * side + 9);
    }
  }
  context.font = `13px ${look.font}`;
  context.fillStyle = look.ink;
  context.textAlign = 'center';
  context.fillText(words.predicted, x0 + (count * side) / 2, y0 + count * side + 28);
  return found;
}

