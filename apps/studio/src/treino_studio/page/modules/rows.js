/** The rows of the picture: how each is drawn, which are wrong, which is nearest to the pointer. */

import { clamp } from './numbers.js';
import { classColour, look } from './theme.js';

const MANY = 20; // errors from which on their rings fade
export const SPLITS = ['train', 'validation', 'test'];

/** The network's answers on the shown rows of a split, null where the frame has none that fit. */
export function answers(frame, rows) {
  const part = frame?.parts[`predicted.${rows.split}`];
  return part && part.data.length === rows.true.length ? part.data : null;
}

/**
 * Draw classified rows: dots train, diamonds validate, rimmed discs test; a ring below is an error, fainter where many
 * are.
 */
export function drawRows(context, points, frame, place) {
  const total = points.rows.reduce((sum, rows) => sum + rows.true.length, 0);
  const drawn = [];
  const size = total > 900 ? 0.7 : total > 400 ? 0.85 : 1;
  const wrong = [];
  for (const rows of points.rows) {
    const said = answers(frame, rows);
    const groups = new Map();
    rows.true.forEach((c, i) => {
      const at = place(rows, i);
      if (!groups.has(c)) groups.set(c, []);
      groups.get(c).push(at);
      if (said && said[i] !== c) wrong.push(at);
    });
    for (const [c, places] of groups) drawn.push(() => drawGroup(context, rows.split, places, classColour(c), size));
  }
  context.beginPath();
  for (const [x, y] of wrong) ring(context, x, y, 7.4 * size);
  context.lineWidth = 1.3;
  context.globalAlpha = clamp(MANY / wrong.length, 0.4, 1);
  context.strokeStyle = look.ink;
  context.stroke();
  context.globalAlpha = 1;
  for (const draw of drawn) draw();
}

function drawGroup(context, split, places, colour, size) {
  const diamond = 4.6 * size;
  const radius = (split === 'test' ? 4.8 : 3.3) * size;
  context.beginPath();
  for (const [x, y] of places) {
    if (split !== 'validation') ring(context, x, y, radius);
    else {
      context.moveTo(x, y - diamond);
      context.lineTo(x + diamond, y);
      context.lineTo(x, y + diamond);
      context.lineTo(x - diamond, y);
      context.closePath();
    }
  }
  context.lineWidth = split === 'test' ? 1.6 : 2.2;
  context.strokeStyle = split === 'test' ? look.ink : look.halo;
  context.fillStyle = colour;
  if (split === 'test') {
    context.fill();
    context.stroke();
  } else {
    // the halo lies behind, so that it parts a dot from its ground and not dots from each other
    context.stroke();
    context.fill();
  }
}

function ring(context, x, y, radius) {
  context.moveTo(x + radius, y);
  context.arc(x, y, radius, 0, 7);
}

/** Rows with number values as small marks of one colour for each split. */
export function drawValues(context, points, place, colour = null) {
  for (const rows of points.rows) {
    const ink = { train: look.train, validation: look.val, test: look.ink }[rows.split];
    context.globalAlpha = rows.true.length > 400 ? 0.5 : 0.75;
    rows.true.forEach((value, i) => {
      const [x, y] = place(rows, i, value);
      if (!Number.isFinite(y)) return;
      context.beginPath();
      if (rows.split === 'validation') {
        context.moveTo(x, y - 4.4);
        context.lineTo(x + 4.4, y);
        context.lineTo(x, y + 4.4);
        context.lineTo(x - 4.4, y);
        context.closePath();
      } else context.arc(x, y, 3.2, 0, 7);
      context.fillStyle = colour?.(value) ?? ink;
      context.fill();
      if (colour || rows.split === 'test') {
        context.lineWidth = 1;
        context.strokeStyle = rows.split === 'test' ? look.ink : look.halo;
        context.stroke();
      }
    });
  }
  context.globalAlpha = 1;
}

/** The row nearest to a place, within ten pixels: {rows, i}, or null. */
export function nearest(points, place, x, y) {
  let found = null;
  let least = 10;
  for (const rows of points.rows)
    for (let i = 0; i < rows.true.length; i++) {
      const [px, py] = place(rows, i, rows.true[i]);
      const away = Math.hypot(px - x, py - y);
      if (away < least) {
        least = away;
        found = { rows, i };
      }
    }
  return found;
}

export function drawNear(context, place, near) {
  if (!near) return;
  const [x, y] = place(near.rows, near.i, near.rows.true[near.i]);
  context.beginPath();
  context.arc(x, y, 12, 0, 7);
  context.lineWidth = 2.5;
  context.strokeStyle = look.accent;
  context.stroke();
}
