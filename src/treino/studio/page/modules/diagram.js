/** The network: what each unit gives over the picture, and edges as wide as their weights. */

import { shortened } from './axes.js';
import { $, cleared, pointIn, setText } from './dom.js';
import { clamp, num, whole } from './numbers.js';
import { paintShares, paintSigned, sizedPixels } from './pixels.js';
import { classColour, look } from './theme.js';
import { head, hideTip, pair, showTip, soft } from './tip.js';
import { t } from './words.js';

const CROWDED = 12; // units in a column, for which a narrow page makes room

/** page: the run's page. Hovering a unit looks at it, a click on an edge opens the microscope. */
export function makeDiagram(page) {
  const canvas = $('#network-canvas'), thumbs = new Map();
  let plan = null;

  function draw(store) {
    const { frame } = store;
    if (!frame?.layers?.length || !canvas.clientWidth) return;
    const { context, width, height } = cleared(canvas);
    plan = planOf(frame, width, height);
    page.shell.stage.classList.toggle('tall', Math.max(...frame.layers.map((layer) => layer.units.length)) >= CROWDED);
    drawEdges(context, plan, page.hover, page.hover ?? page.pick);
    for (const edge of [page.pick, page.hover]) if (edge?.kind === 'edge') drawPicked(context, plan, edge);
    plan.columns.forEach((column, k) => drawColumn(context, plan, column, k, store, thumbs, page.hover));
    const sizes = frame.layers.map((layer) => layer.total).join('-');
    canvas.setAttribute('aria-label', t('network_at', { sizes, step: whole(frame.step) }));
    setText($('#network-about'), networkAbout(store));
  }

  canvas.addEventListener('pointermove', (event) => {
    const { frame } = page.store, hit = plan && hitAt(plan, ...pointIn(event));
    canvas.classList.toggle('hot', hit?.kind === 'edge');
    page.hoverOver(hit);
    if (!hit) return hideTip();
    showTip(event, hit.kind === 'edge' ? edgeTip(page.store, hit) : unitTip(page.store, hit), soft(t('at_step', { step: whole(frame.step) })));
  });
  canvas.addEventListener('pointerleave', () => {
    page.hoverOver(null);
    hideTip();
  });
  canvas.addEventListener('click', (event) => {
    const hit = plan && hitAt(plan, ...pointIn(event));
    if (hit) page.openMicroscope(hit);
  });
  return { draw };
}

function networkAbout({ state }) {
  const parameters = whole(state?.network?.parameters);
  return state?.network ? t('parameters', { n: parameters }) : '';
}

/** The name of a shown unit: an input's or a class's own, else its number. */
export function unitName({ frame, state }, k, i) {
  const layer = frame.layers[k], number = layer.units[i];
  const classes = k === frame.layers.length - 1 ? state?.data.classes : null;
  return layer.labels?.[i] ?? classes?.[number] ?? t('unit_of', { unit: number, layer: Math.max(0, k + frame.first - 1) });
}

function edgeTip(store, { k, i, j }) {
  const weight = store.frame.parts[`weight.${k + store.frame.first}`], value = weight.data[i * weight.shape[1] + j];
  return [head(`${unitName(store, k - 1, j)} → ${unitName(store, k, i)}`), pair(t('weight'), num(value)), soft(t('click_arithmetic'))];
}

function unitTip(store, { k, i }) {
  const { parts, layers, first } = store.frame, bias = parts[`bias.${k + first}`], dead = layers[k].dead?.includes(layers[k].units[i]);
  return [head(unitName(store, k, i)), bias && pair(t('bias'), num(bias.data[i])), dead && soft(t('dead_unit'))];
}

/** Where everything stands: columns of units from left to right. */
function planOf(frame, width, height) {
  const narrow = width < 520, { layers, parts, first } = frame, top = 42, bottom = 6;
  const left = narrow ? 34 : 108, right = narrow ? 66 : 104;
  const most = Math.max(...layers.map((layer) => layer.units.length)), gap = (height - top - bottom) / Math.max(most, 5);
  const size = clamp(Math.round(gap - (gap < 32 ? 5 : 9)), 10, narrow ? 36 : 46);
  const columns = layers.map((layer, k) => {
    const x = left + size / 2 + (k * (width - left - right - size)) / Math.max(1, layers.length - 1);
    const count = layer.units.length, pitch = Math.min((height - top - bottom) / count, size + 26);
    const places = layer.units.map((_, i) => [x, top + (height - top - bottom) / 2 + (i - (count - 1) / 2) * pitch]);
    const part = (name) => parts[`${name}.${k + first}`];
    return { layer, places, weight: part('weight'), bias: part('bias'), unit: part('tile') ?? part('unit'), tile: part('tile') };
  });
  return { columns, size, half: size / 2, narrow, width, pitch: columns.length > 1 ? columns[1].places[0][0] - columns[0].places[0][0] : 0 };
}

/** The curve from unit j of column k - 1 to unit i of column k. */
function curveOf({ columns, half, narrow }, k, i, j) {
  const [x0, y0] = columns[k - 1].places[j], [x1, y1] = columns[k].places[i];
  const from = x0 + half, to = x1 - half - (narrow ? 0 : 4), middle = (to - from) / 2;
  return [from, y0, from + middle, y0, to - middle, y1, to, y1];
}

const isDrawn = ({ columns }, k) => {
  const weight = columns[k].weight;
  return k > 0 && weight && weight.shape[0] === columns[k].places.length && weight.shape[1] === columns[k - 1].places.length;
};

function trace(context, [x, y, ...rest]) {
  context.beginPath();
  context.moveTo(x, y);
  context.bezierCurveTo(...rest);
}

function drawEdges(context, plan, hover, hot) {
  const unit = hot?.kind === 'unit' ? hot : null;
  context.lineCap = 'butt';
  for (let k = 1; k < plan.columns.length; k++) {
    if (!isDrawn(plan, k)) continue;
    const { data, shape: [units, inputs] } = plan.columns[k].weight, largest = data.reduce((most, v) => Math.max(most, Math.abs(v)), Math.min(0.5, 2 / Math.sqrt(plan.columns[k - 1].layer.total)));
    const calm = clamp(Math.sqrt(72 / (units * inputs)), 0.45, 1); // many edges are thinner and paler
    for (let i = 0; i < units; i++)
      for (let j = 0; j < inputs; j++) {
        const value = data[i * inputs + j], size = Math.min(1, Math.abs(value) / largest);
        const touches = !unit || (unit.k === k && unit.i === i) || (unit.k === k - 1 && unit.i === j);
        if (size < 0.02 && units * inputs > 64) continue;
        trace(context, curveOf(plan, k, i, j));
        context.strokeStyle = value >= 0 ? look.over : look.under;
        context.lineWidth = 0.5 + 5.5 * size * calm;
        context.globalAlpha = touches ? (unit ? 1 : calm) * (0.16 + 0.74 * size) : 0.04;
        context.stroke();
      }
  }
  context.globalAlpha = 1;
}

function drawPicked(context, plan, { k, i, j }) {
  if (j == null || !plan.columns[k]?.places[i] || !isDrawn(plan, k) || j >= plan.columns[k - 1].places.length) return;
  const { data, shape } = plan.columns[k].weight, curve = curveOf(plan, k, i, j);
  context.lineCap = 'round';
  for (const [width, colour] of [[11, look.panel], [8, look.ink], [4, data[i * shape[1] + j] >= 0 ? look.over : look.under]]) {
    trace(context, curve);
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
}

function headOf(layer, k, last) {
  if (layer.scale === 'share') return 'softmax';
  const kinds = layer.what.split(', ');
  if (last) return t('outputs');
  return k === 0 && layer.name === '' ? t('inputs') : kinds.at(-1);
}

function drawColumn(context, plan, column, k, store, thumbs, hover) {
  const { layer, places, bias, unit } = column, { half, size, narrow } = plan;
  const last = k === plan.columns.length - 1, x = places[0]?.[0] ?? 0;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  context.fillStyle = look.ink;
  context.font = `600 13px ${look.font}`;
  const title = narrow && k === 0 && layer.name === '' ? 'x' : headOf(layer, k, last);
  context.fillText(shortened(context, title, Math.max(40, plan.pitch - 6)), x, 11);
  context.fillStyle = look.soft;
  context.font = `12px ${look.font}`;
  const count = layer.units.length < layer.total ? t('some_of', { n: layer.units.length, total: whole(layer.total) }) : whole(layer.total);
  context.fillText(count, x, 29);
  places.forEach(([cx, cy], i) => {
    const on = hover?.kind === 'unit' && hover.k === k && hover.i === i, dead = layer.dead?.includes(layer.units[i]);
    context.save();
    context.beginPath();
    context.roundRect(cx - half, cy - half, size, size, 4);
    context.clip();
    context.imageSmoothingEnabled = !column.tile || column.tile.shape[2] > size / 2; // a kernel has few weights
    if (unit) context.drawImage(thumb(thumbs, k, i, unit, layer, last, Boolean(column.tile)), cx - half, cy - half, size, size);
    context.restore();
    context.beginPath();
    context.roundRect(cx - half, cy - half, size, size, 4);
    context.lineWidth = on ? 3 : 1.1;
    context.strokeStyle = dead ? look.alarm : on ? look.ink : look.soft;
    context.setLineDash(dead ? [3, 3] : []);
    context.stroke();
    context.setLineDash([]);
    if (bias && !narrow) {
      context.globalAlpha = 0.2 + 0.8 * Math.min(1, Math.abs(bias.data[i]) / 1.5);
      context.fillStyle = bias.data[i] >= 0 ? look.over : look.under;
      context.fillRect(cx - half - 9, cy + half - 6, 6, 6);
      context.globalAlpha = 1;
    }
    if (k === 0 && layer.name === '') drawInputName(context, plan, layer.labels?.[i] ?? unitName(store, k, i), cx, cy);
    if (last) drawClassName(context, plan, store, layer.units[i], unitName(store, k, i), cx, cy);
  });
}

function drawInputName(context, { half, narrow, size }, name, x, y) {
  context.fillStyle = look.ink;
  context.font = `${size < 20 ? 12 : 13}px ${look.font}`;
  context.textAlign = 'right';
  if (!narrow) {
    const words = size > 30 && name.length > 11 ? name.split(/(?<=_)/) : [name];
    words.slice(0, 2).forEach((word, k) => {
      const text = shortened(context, k === 1 && words.length > 2 ? words.slice(1).join('') : word, 98);
      context.fillText(text, x - half - 10, y + (k - (Math.min(2, words.length) - 1) / 2) * 16);
    });
    return;
  }
  if (size < 30) return;
  context.save();
  context.translate(x - half - 10, y);
  context.rotate(-Math.PI / 2);
  context.textAlign = 'center';
  context.font = `12px ${look.font}`;
  context.fillText(shortened(context, name, size + 14), 0, 0);
  context.restore();
}

function drawClassName(context, { half, narrow, size, width }, { state }, number, name, x, y) {
  const { classes } = state?.data ?? {}, side = size < 16 ? 8 : 12;
  if (classes?.length) {
    context.fillStyle = classColour(number);
    context.beginPath();
    context.roundRect(x + half + 8, y - side / 2, side, side, 3);
    context.fill();
  }
  context.fillStyle = look.ink;
  context.font = `${narrow || size < 20 ? 12 : 13}px ${look.font}`;
  context.textAlign = 'left';
  const at = x + half + (classes?.length ? 26 : 10), room = width - at - 2;
  const shared = narrow && classes?.length > 1 && classes.every((c) => c.startsWith('class_')) ? name.replace('class_', '') : name;
  context.fillText(shortened(context, shared, room), at, y);
}

function thumb(thumbs, k, i, { data, shape: [, rows, columns] }, layer, last, fromTop) {
  const key = `${k},${i}`, pixels = sizedPixels(thumbs.get(key), columns, rows), start = i * rows * columns;
  thumbs.set(key, pixels);
  if (layer.scale === 'share') paintShares(pixels, data, start, last ? classColour(layer.units[i]) : look.over);
  else paintSigned(pixels, data, start, fromTop);
  return pixels.canvas;
}

/** What lies under a place: {kind: "unit", k, i} or {kind: "edge", k, i, j}, or null. */
function hitAt(plan, x, y) {
  const reach = plan.half + 2;
  for (let k = 0; k < plan.columns.length; k++) {
    const i = plan.columns[k].places.findIndex(([cx, cy]) => Math.abs(x - cx) <= reach && Math.abs(y - cy) <= reach);
    if (i >= 0) return { kind: 'unit', k, i };
  }
  let found = null, least = 7;
  for (let k = 1; k < plan.columns.length; k++) {
    if (!isDrawn(plan, k)) continue;
    const { places, weight } = plan.columns[k], from = plan.columns[k - 1].places;
    const [x0, , , , , , x1] = curveOf(plan, k, 0, 0);
    if (x < x0 || x > x1) continue;
    const s = along((x - x0) / (x1 - x0));
    for (let i = 0; i < places.length; i++)
      for (let j = 0; j < from.length; j++) {
        const value = weight.data[i * from.length + j], line = from[j][1] + (places[i][1] - from[j][1]) * s * s * (3 - 2 * s);
        const away = Math.abs(y - line) - Math.min(2, Math.abs(value));
        if (away < least) {
          least = away;
          found = { kind: 'edge', k, i, j };
        }
      }
  }
  return found;
}

/** The parameter of a curve with its handles in the middle, where it has gone this share of its width. */
function along(share) {
  let s = share;
  for (let n = 0; n < 4; n++) s -= (1.5 * s * (1 - s) + s ** 3 - share) / (1.5 - 3 * s + 3 * s * s);
  return clamp(s, 0, 1);
}
