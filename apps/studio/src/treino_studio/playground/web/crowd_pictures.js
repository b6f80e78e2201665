/**
 * Pictures of a crowd's networks: one network's boundary with the rows, its curves, and every network's loss by a
 * setting.
 */

import { drawAxes, makeBox } from '../../page/modules/axes.js';
import { cleared } from '../../page/modules/dom.js';
import { usualMost } from '../../page/modules/numbers.js';
import { paintClasses, paintRange, rangeColour, sizedPixels, strokeContour } from '../../page/modules/pixels.js';
import { drawRows, drawValues } from '../../page/modules/rows.js';
import { classColour, look, rgb } from '../../page/modules/theme.js';
import { t } from '../../page/modules/words.js';
import { ticksOf } from './tile_map.js';

const SHADES = {
  light: ['#8cc4e8', '#3f97d0', '#0a63a8', '#08305c'],
  dark: ['#23587d', '#3b8fc4', '#7cc8f2', '#d6eefb'],
};

/** The colour of a panel, from few to many: shades of one colour. */
export function shadeOf(k, count) {
  const shades = look.dark ? SHADES.dark : SHADES.light;
  const at = count > 1 ? (k / (count - 1)) * (shades.length - 1) : 2;
  const low = Math.floor(at);
  const high = Math.ceil(at);
  const [a, b] = [rgb(shades[low]), rgb(shades[high])];
  return `rgb(${a.map((v, i) => Math.round(v + (b[i] - v) * (at - low)))})`;
}

/** The rows of a problem as the studio's pictures have them: {low, high, axes, rows: [{split, true, x, y}]}. */
export function pointsOf(prepared, { axes, low, high }) {
  const [across, down] = axes;
  const K = prepared.columns.length;
  const classes = prepared.classes.length > 0;
  const rows = ['train', 'validation'].map((split, part) => {
    const { places, y } = prepared.parts[part];
    const column = (k) => (k === null ? Array.from(y, () => 0) : Array.from(y, (_, i) => places[i * K + k]));
    return {
      split,
      true: classes ? Array.from(y) : Array.from(y, (value) => value * prepared.targetScale + prepared.targetMean),
      x: column(across),
      y: column(down),
    };
  });
  return { low, high, axes: [prepared.columns[across], down === null ? '' : prepared.columns[down]], rows };
}

/** A network's answers over the plane, with the rows. kept: what stays between two drawings. */
export function drawBoundary(canvas, kept, { big, points, prepared, range, small = false }) {
  const { context, width, height } = cleared(canvas);
  if (!width || !big) return;
  const box = makeBox(width, height, points.low, points.high, small ? { left: 0, right: 0, top: 0, bottom: 0 } : {});
  const W = box.r - box.l;
  const H = box.b - box.t;
  const { cells } = big;
  const bytes = new Uint8Array(big.bytes);
  const first = new Uint8Array(cells * cells);
  const second = new Uint8Array(cells * cells);
  for (let i = 0; i < first.length; i++) {
    first[i] = bytes[2 * i];
    second[i] = bytes[2 * i + 1];
  }
  kept.pixels = sizedPixels(kept.pixels, cells, cells);
  const classes = prepared.classes.length > 0;
  if (classes) paintClasses(kept.pixels, first, second, 0.62);
  else
    paintRange(
      kept.pixels,
      Array.from(second, (v, i) => (first[i] === 255 ? NaN : v)),
      0,
      255,
    );
  context.save();
  context.beginPath();
  context.roundRect(box.l, box.t, W, H, 8);
  context.clip();
  context.imageSmoothingQuality = 'high';
  context.drawImage(kept.pixels.canvas, box.l, box.t, W, H);
  if (classes) {
    context.translate(box.l, box.t);
    context.strokeStyle = look.ink;
    context.lineWidth = small ? 1.4 : 2;
    context.lineJoin = context.lineCap = 'round';
    strokeContour(context, first, second, [cells, cells], W, H);
    context.translate(-box.l, -box.t);
  }
  const place = (rows, i) => [box.X(rows.x[i]), box.Y(rows.y[i])];
  if (small && classes) drawSpecks(context, points, place);
  else if (classes) drawRows(context, points, null, place);
  else if (!small) {
    const [low, high] = range.map((value) => value * prepared.targetScale + prepared.targetMean);
    drawValues(context, points, place, (value) => `rgb(${rangeColour((value - low) / (high - low || 1))})`);
  }
  context.restore();
  if (!small) drawAxes(context, box, points.axes);
}

/** Rows in a small picture: too small to hide what lies behind them. */
function drawSpecks(context, points, place) {
  for (const rows of points.rows)
    rows.true.forEach((value, i) => {
      const [x, y] = place(rows, i);
      context.fillStyle = classColour(value);
      context.beginPath();
      context.arc(x, y, 1.5, 0, 7);
      context.fill();
    });
}

/** A network's loss on training and validation rows over the steps. history: {step, train, validation: []}. */
export function drawCurves(canvas, { step, train, validation }) {
  const { context, width, height } = cleared(canvas);
  if (!width || !step.length) return;
  const high = 1.06 * Math.max(...[...train, ...validation].filter(Number.isFinite));
  const box = makeBox(width, height, [0, 0], [Math.max(1, step.at(-1)), high], { left: 54, right: 74 });
  drawAxes(context, box, [t('word_step'), t('loss')], true);
  const over = train.at(-1) > validation.at(-1);
  for (const [values, colour, ink, word] of [
    [train, look.train, look.train_text, t('train')],
    [validation, look.val, look.val_text, t('validation')],
  ]) {
    context.beginPath();
    let last = null;
    values.forEach((value, k) => {
      if (!Number.isFinite(value)) return;
      last = [box.X(step[k]), box.Y(value)];
      context.lineTo(...last);
    });
    Object.assign(context, { strokeStyle: colour, lineWidth: 2, lineJoin: 'round' });
    context.stroke();
    if (!last) continue;
    Object.assign(context, {
      fillStyle: ink,
      textAlign: 'left',
      textBaseline: (values === train) === over ? 'bottom' : 'top',
      font: `600 12px ${look.font}`,
    });
    context.fillText(word, last[0] + 6, last[1]);
  }
}

/**
 * Every network as a dot: its validation loss over the setting that goes across; median and quartiles over them.
 * dots: [{id, column, panel, loss, gone}]. → the places of the dots: [{id, x, y}].
 */
export function drawDots(canvas, { dots, name, values, panels, hot }) {
  const { context, width, height } = cleared(canvas);
  const places = [];
  if (!width) return places;
  const most = 1.06 * usualMost(dots.map(({ loss }) => loss).filter(Number.isFinite)) || 1;
  const last = Math.max(1, values.length - 1);
  const box = makeBox(width, height, [-0.5, 0], [last + 0.5, most], { left: 54, right: 10, bottom: 44, top: 18 });
  drawAxes(context, { ...box, low: [1e9, 0], high: [1e9 + 1, most] }, [t(`many_${name}`), t('validation_loss')], true);
  context.font = `12px ${look.font}`;
  Object.assign(context, { fillStyle: look.soft, textAlign: 'center', textBaseline: 'top' });
  for (const [at, words] of ticksOf(name, values, Math.floor((box.r - box.l) / 46)))
    context.fillText(words, Math.min(box.r - 8, Math.max(box.l + 8, box.X(at))), box.b + 7);
  const down = (loss) => Math.min(box.b, Math.max(box.t, box.Y(loss)));
  const columns = values.map(() => []);
  const pitch = (box.r - box.l) / values.length;
  const radius = Math.max(1.3, Math.min(3, pitch / 5));
  for (const { id, column, panel, loss, gone } of dots) {
    const x = box.X(column) + (panels.length > 1 ? (panel / (panels.length - 1) - 0.5) * pitch * 0.5 : 0);
    if (!Number.isFinite(loss)) {
      if (loss !== undefined) cross(context, x, box.t - 8, 3);
      places.push({ id, x, y: box.t - 8 });
      continue;
    }
    const y = down(loss);
    places.push({ id, x, y });
    if (!gone) columns[column].push(loss);
    context.globalAlpha = gone ? 0.18 : dots.length > 1500 ? 0.5 : 0.75;
    context.fillStyle = shadeOf(panel, panels.length);
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fill();
  }
  context.globalAlpha = 1;
  const share = (list, q) => list[Math.round(q * (list.length - 1))];
  const quartiles = columns.map((list) => {
    list.sort((a, b) => a - b);
    return list.length ? [0.25, 0.5, 0.75].map((q) => down(share(list, q))) : null;
  });
  const known = quartiles.flatMap((three, k) => (three ? [[box.X(k), ...three]] : []));
  if (known.length > 1) {
    context.beginPath();
    for (const [x, , , high] of known) context.lineTo(x, high);
    for (const [x, low] of [...known].reverse()) context.lineTo(x, low);
    context.fillStyle = look.ink;
    context.globalAlpha = 0.1;
    context.fill();
    context.globalAlpha = 1;
  }
  context.beginPath();
  for (const [x, , middle] of known) context.lineTo(x, middle);
  Object.assign(context, { strokeStyle: look.ink, lineWidth: 2, lineJoin: 'round' });
  context.stroke();
  const found = places.find(({ id }) => id === hot);
  if (found) {
    context.beginPath();
    context.arc(found.x, found.y, radius + 4, 0, 7);
    Object.assign(context, { strokeStyle: look.accent, lineWidth: 2.5 });
    context.stroke();
  }
  return places;
}

function cross(context, x, y, size) {
  context.beginPath();
  context.moveTo(x - size, y - size);
  context.lineTo(x + size, y + size);
  context.moveTo(x - size, y + size);
  context.lineTo(x + size, y - size);
  Object.assign(context, { strokeStyle: look.alarm, lineWidth: 1.3 });
  context.stroke();
}
