/** A network that sees pictures: its worst mistakes, the confusion matrix, examples of each class, one channel. */

import { shortened } from './axes.js';
import { clamp, num, probability, whole } from './numbers.js';
import { drawFitted, paintPlanes, paintSigned, sizedPixels } from './pixels.js';
import { classColour, look } from './theme.js';

const GAP = 10;
const WORDS = 18; // pixels under a picture for what is said of it

/** → the box, with at(x, y): the cell of the confusion matrix or the picture that lies there. */
export function drawImages(kept, { context, width, height }, { frame, points, classes, unit, words, examples }) {
  const areas = [];
  const whole = { l: 0, t: 0, w: width, h: height };
  if (unit) drawUnit(kept, context, unit, width, height);
  else if (examples) areas.push(...drawExamples(kept, context, points.examples, classes, words, whole));
  else {
    const top = frame.parts.confusion ? Math.round(height * 0.46) : height;
    areas.push(...drawMistakes(kept, context, frame, classes, words, { ...whole, h: top }));
    if (frame.parts.confusion)
      areas.push(...drawConfusion(context, frame, classes, words, { ...whole, t: top + GAP, h: height - top - GAP }));
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

/** A unit's weights on pixels, or its channel of the picture, with its filter in the corner. */
function drawUnit(kept, context, { bytes, start, rows, columns, channels, filter, root = 1 }, width, height) {
  kept.unit = sizedPixels(kept.unit, columns, rows);
  if (channels === 3) paintPlanes(kept.unit, bytes, start, 3);
  else paintSigned(kept.unit, bytes, start, true, root);
  const box = drawFitted(context, kept.unit, 0, 0, width, height);
  const side = Math.min(64, width / 5);
  if (!filter) return box;
  kept.filter ??= {};
  drawUnit(kept.filter, context, filter, side, side);
  return box;
}

/** The pictures that the network is most wrong about, each with what it says and what is true. */
function drawMistakes(kept, context, { parts }, classes, words, { l, t, w, h }) {
  title(context, words.mistakes, l, t, w);
  const { digits } = parts;
  if (!digits?.shape[0] || h < 80) return [];
  const count = digits.shape[0];
  const top = t + 24;
  const best = layout(count, w, h - 24);
  const areas = [];
  for (let n = 0; n < Math.min(count, best.across * best.down); n++) {
    const x = l + (n % best.across) * best.cell;
    const y = top + Math.floor(n / best.across) * (best.cell + WORDS);
    const side = best.cell - GAP;
    drawPicture(kept, `digit ${n}`, context, digits.data, n, digits.shape.slice(1), x, y, side);
    const right = parts['digit.true']?.data[n];
    const mistake = {
      kind: 'mistake',
      l: x,
      t: y,
      w: side,
      h: side,
      row: parts['digit.index']?.data[n],
      place: parts['digit.place']?.data[n],
      right,
    };
    const shares = parts['digit.probability'];
    const number = shares?.shape[1];
    let text = '';
    let wrong = true;
    context.font = `600 12px ${look.font}`;
    if (shares) {
      mistake.probability = shares.data.subarray(n * number, (n + 1) * number);
      const said = argmax(mistake.probability);
      wrong = said !== right;
      text = `${classes[said] ?? said}`;
      const sure = `${text} ${probability(mistake.probability[said])}`;
      if (context.measureText(sure).width <= side + GAP - 2) text = sure;
    } else {
      mistake.value = parts['digit.value'].data[n];
      text = [mistake.value, right].map((value) => num(value, side < 100 ? 2 : 3)).join(' · ');
      wrong = false;
    }
    context.textBaseline = 'top';
    context.textAlign = 'left';
    context.fillStyle = wrong ? look.alarm : look.ink;
    context.fillText(shortened(context, text, side + GAP - 2), x, y + side + 3);
    areas.push(mistake);
  }
  return areas;
}

function drawPicture(kept, key, context, data, n, [channels, rows, columns], x, y, side) {
  kept.pictures ??= new Map();
  const pixels = sizedPixels(kept.pictures.get(key), columns, rows);
  kept.pictures.set(key, pixels);
  paintPlanes(pixels, data, n * channels * rows * columns, channels);
  const box = drawFitted(context, pixels, x, y, side, side);
  context.strokeStyle = look.line;
  context.lineWidth = 1;
  context.strokeRect(box.x, box.y, box.w, box.h);
}

/** The first training pictures of each class, with how many rows there are. */
function drawExamples(kept, context, examples, classes, words, { l, t, w, h }) {
  title(context, words.examples, l, t, w);
  if (!examples) return [];
  const { groups, shape, more } = examples;
  examples.bytes ??= Uint8Array.from(atob(examples.pixels), (c) => c.charCodeAt(0));
  const data = examples.bytes;
  const top = t + 24;
  const room = h - 24 - (more ? 20 : 0);
  const halves = groups.length > 12 ? 2 : 1;
  const lines = Math.ceil(groups.length / halves);
  const wide = w / halves;
  const most = Math.max(1, ...groups.map((group) => group.shown));
  const names = Math.min(96, wide * 0.34);
  const side = Math.max(6, Math.min(room / lines - 4, (wide - names) / most - 4, 76));
  const pitch = Math.min(room / lines, side + 12);
  const areas = [];
  let n = 0;
  groups.forEach((group, k) => {
    const x = l + Math.floor(k / lines) * wide;
    const y = top + (k % lines) * pitch;
    const middle = y + side / 2;
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    context.font = `${pitch < 20 ? 11 : 13}px ${look.font}`;
    if (group.rows) {
      context.fillStyle = classColour(group.class);
      context.fillRect(x, middle - 5, 10, 10);
    }
    const total = group.rows && Object.values(group.rows).reduce((sum, v) => sum + v, 0);
    const name = group.rows ? (classes[group.class] ?? '') : num(group.true[0]);
    const two = pitch >= 34 && group.rows;
    context.fillStyle = look.ink;
    context.fillText(shortened(context, name, names - 20, classes), x + (group.rows ? 16 : 0), middle - (two ? 8 : 0));
    context.fillStyle = look.soft;
    context.font = `12px ${look.font}`;
    if (two) context.fillText(shortened(context, whole(total), names - 20), x + 16, middle + 8);
    for (let i = 0; i < group.shown; i++, n++)
      drawPicture(kept, `example ${n}`, context, data, n, shape, x + names + i * (side + 4), y, side);
    areas.push({ kind: 'example', l: x, t: y, w: wide, h: pitch, group, total });
  });
  context.fillStyle = look.soft;
  if (more) context.fillText(words.more, l, t + h - 10);
  return areas;
}

/** Columns and the side of a cell, so that as many as there are fit in and stay large. */
function layout(count, width, height) {
  let best = { across: 1, down: 1, cell: 0 };
  for (let across = 1; across <= count; across++) {
    const cell = Math.min(96, width / across, height / Math.ceil(count / across) - WORDS);
    const down = Math.ceil(count / across);
    if (cell > best.cell) best = { across, down, cell };
  }
  return best;
}

const argmax = (values) => values.reduce((best, v, k) => (v > values[best] ? k : best), 0);

/** Validation rows by true and predicted class: shares of each true class, by the depth of the colour. */
function drawConfusion(context, { parts }, classes, words, { l, t, w, h }) {
  title(context, words.confusion, l, t, w);
  const { confusion } = parts;
  if (!confusion) return [];
  context.font = `12px ${look.font}`;
  const count = confusion.shape[0];
  const widest = 6 + Math.max(...classes.map((name) => context.measureText(name).width));
  const names = clamp(widest, 30, 0.35 * w);
  const upright = widest > 34;
  const foot = upright ? Math.min(widest, 0.35 * h) : 16;
  const side = Math.min((w - names - 2) / count, (h - 24 - 24 - foot) / count, 40);
  const found = [];
  const x0 = l + Math.max(names, (w - count * side) / 2);
  const y0 = t + 24;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (let row = 0; row < count; row++) {
    const total = confusion.data.subarray(row * count, (row + 1) * count).reduce((sum, v) => sum + v, 0);
    for (let column = 0; column < count; column++) {
      const value = confusion.data[row * count + column];
      const share = total ? value / total : 0;
      const x = x0 + column * side;
      const y = y0 + row * side;
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
      context.fillText(shortened(context, classes[k] ?? '', names - 6, classes), x0 - 6, y0 + (k + 0.5) * side);
      context.save();
      context.translate(x0 + (k + 0.5) * side, y0 + count * side + (upright ? 4 : 9));
      if (upright) context.rotate(-Math.PI / 2);
      else context.textAlign = 'center';
      context.fillText(shortened(context, classes[k] ?? '', upright ? foot - 4 : side, classes), 0, 0);
      context.restore();
    }
  }
  context.font = `13px ${look.font}`;
  context.fillStyle = look.ink;
  context.textAlign = 'center';
  context.fillText(words.predicted, x0 + (count * side) / 2, y0 + count * side + foot + 12);
  return found;
}
