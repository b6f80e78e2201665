/** A box with two axes on a canvas: from values to places and back, ticks and names. */

import { ticks, tickTexts } from './numbers.js';
import { look } from './theme.js';

const widest = (low, high) => Math.max(...tickTexts(ticks(low, high, 6)).map((text) => text.length));

/** low, high: [x, y] at the box's corners. At its left there is room for the longest number and the axis's name. */
export function makeBox(
  width,
  height,
  low,
  high,
  { left = 28 + 7.5 * widest(low[1], high[1]), right = 12, top = 10, bottom = 44 } = {},
) {
  const l = left;
  const r = width - right;
  const t = top;
  const b = height - bottom;
  const spanX = high[0] - low[0] || 1;
  const spanY = high[1] - low[1] || 1;
  return {
    l,
    r,
    t,
    b,
    low,
    high,
    width,
    height,
    X: (x) => l + ((x - low[0]) / spanX) * (r - l),
    Y: (y) => b - ((y - low[1]) / spanY) * (b - t),
    x: (px) => low[0] + ((px - l) / (r - l)) * spanX,
    y: (py) => low[1] + ((b - py) / (b - t)) * spanY,
    holds: (px, py) => px >= l && px <= r && py >= t && py <= b,
  };
}

/** Ticks and names of both axes; lines: also a faint line at each tick. */
export function drawAxes(context, box, names, lines = false) {
  const [nameX, nameY] = names;
  const { l, r, t, b, low, high, height } = box;
  context.font = `12px ${look.font}`;
  context.fillStyle = look.soft;
  context.strokeStyle = look.line;
  context.lineWidth = 1;
  context.textBaseline = 'top';
  context.textAlign = 'center';
  const room = Math.max(2, Math.min(6, Math.floor((r - l) / 50)));
  const valuesX = ticks(low[0], high[0], room);
  const textsX = tickTexts(valuesX);
  let free = l;
  valuesX.forEach((v, k) => {
    const x = box.X(v);
    const half = context.measureText(textsX[k]).width / 2;
    if (lines) stroke(context, x, t, x, b);
    if (x < l + 8 || x > r - 8 || x - half < free) return;
    context.fillText(textsX[k], x, b + 7);
    free = x + half + 6;
  });
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  const valuesY = ticks(low[1], high[1], 6);
  const textsY = tickTexts(valuesY);
  valuesY.forEach((v, k) => {
    const y = box.Y(v);
    if (y > b + 1 || y < t - 1) return;
    if (lines) stroke(context, l, y, r, y);
    if (y < b - 4 && y > t + 4) context.fillText(textsY[k], l - 8, y);
  });
  context.font = `13px ${look.font}`;
  context.fillStyle = look.ink;
  context.textAlign = 'center';
  context.textBaseline = 'bottom';
  context.fillText(shortened(context, nameX, r - l), (l + r) / 2, height - 2);
  context.save();
  context.translate(2, (t + b) / 2);
  context.rotate(-Math.PI / 2);
  context.textBaseline = 'top';
  context.fillText(shortened(context, nameY, b - t), 0, 0);
  context.restore();
}

/** A straight line. */
export function stroke(context, x0, y0, x1, y1) {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

/** A text that lines may pass behind. */
export function over(context, text, x, y) {
  Object.assign(context, { strokeStyle: look.panel, lineWidth: 4, lineJoin: 'round' });
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

/**
 * A text that fits. Where it would not, its middle is left out, or its end or beginning, or all but where it differs
 * first from the others that stand beside it.
 */
export function shortened(context, text, room, others = []) {
  if (context.measureText(text).width <= room) return text;
  const cuts = [0.5, 1, 0].map((share) => {
    let kept = Math.max(2, Math.floor((text.length * room) / context.measureText(text).width) - 1);
    const parts = () => {
      const head = Math.ceil(kept * share);
      return [text.slice(0, head), text.slice(text.length - (kept - head))];
    };
    while (kept > 2 && context.measureText(parts().join('…')).width > room) kept--;
    return parts();
  });
  const tells = ([head, tail]) =>
    !others.some((other) => other !== text && other.startsWith(head) && other.endsWith(tail));
  const cut = cuts.find(tells);
  if (cut || others.length < 2) return (cut ?? cuts[0]).join('…');
  const alike = (other) => [...text].findIndex((letter, k) => letter !== other[k]);
  const from = Math.max(...others.filter((other) => other !== text).map(alike));
  const most = Math.max(1, cuts[1][0].length - 1);
  return `…${text.slice(from, from + most)}…`;
}
