/** The network: what each unit gives over the picture, and edges as wide as their weights. */

import { shortened } from './axes.js';
import { $, cleared, pointIn, setText } from './dom.js';
import { clamp, num, probability, whole } from './numbers.js';
import { drawFitted, paintPlanes, paintShares, paintSigned, sizedPixels } from './pixels.js';
import { classColour, look } from './theme.js';
import { head, hideTip, pair, readTip, showTip, soft } from './tip.js';
import { t } from './words.js';

const CROWDED = 12; // units in a column, for which a narrow page makes room
const LARGEST_MAP = 72; // side of a channel's small picture
export const FAINT = 0.6; // exponent that lets weak channels be seen beside strong ones
const FILTER = 0.45; // side of a filter beside the picture of its channel

/**
 * page: the run's page. Hovering a unit looks at it, a click on an edge opens the microscope.
 *
 * @import { Hit, RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeDiagram(page) {
  const canvas = $('#network-canvas');
  const thumbs = new Map();
  let plan = null;

  function draw(store) {
    const { frame } = store;
    if (!frame?.layers?.length || !canvas.clientWidth) return;
    const { context, width, height } = cleared(canvas);
    plan = planOf(context, store, width, height);
    page.shell.stage.classList.toggle(
      'tall',
      frame.picture || Math.max(...frame.layers.map((layer) => layer.units.length)) >= CROWDED,
    );
    drawEdges(context, plan, page.hover ?? page.pick);
    for (const edge of [page.pick, page.hover]) if (edge?.kind === 'edge') drawPicked(context, plan, edge);
    if (plan.picture) drawSeen(context, plan, store, thumbs);
    drawHeads(context, plan);
    plan.columns.forEach((column, k) => drawColumn(context, plan, column, k, store, thumbs, page.hover));
    const sizes = frame.layers.map((layer) => layer.total).join('-');
    canvas.tabIndex = 0;
    canvas.setAttribute('aria-label', t('network_at', { sizes, step: whole(frame.step) }));
    canvas.setAttribute('aria-description', t('network_keys'));
    setText($('#network-about'), networkAbout(store));
  }

  canvas.addEventListener('pointermove', (event) => {
    const { frame } = page.store;
    const hit = plan && hitAt(plan, ...pointIn(event));
    canvas.classList.toggle('hot', hit?.kind === 'edge');
    page.hoverOver(hit);
    if (!hit) return hideTip();
    showTip(
      event,
      hit.kind === 'edge' ? edgeTip(page.store, hit) : unitTip(page.store, hit),
      soft(t('at_step', { step: whole(frame.step) })),
    );
  });
  canvas.addEventListener('pointerleave', () => {
    page.hoverOver(null);
    hideTip();
  });
  canvas.addEventListener('click', (event) => {
    const hit = plan && hitAt(plan, ...pointIn(event));
    if (hit) page.openMicroscope(hit);
  });
  /** Arrows go from unit to unit, Enter does what a click does. */
  canvas.addEventListener('keydown', (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const on = page.hover?.kind === 'unit' ? page.hover : null;
    if (!plan || event.ctrlKey || event.metaKey || event.altKey || (event.key === 'Enter' ? !on : !way)) return;
    event.preventDefault();
    event.stopPropagation();
    if (!way) return page.openMicroscope(on);
    const k = on ? clamp(on.k + way[0], 0, plan.columns.length - 1) : 0;
    const i = on ? clamp(on.i + way[1], 0, plan.columns[k].layer.units.length - 1) : 0;
    const hit = /** @type {Hit} */ ({ kind: 'unit', k, i });
    page.hoverOver(hit);
    const [x, y] = plan.columns[k].places[i];
    readTip(canvas, x, y, unitTip(page.store, hit), soft(t('at_step', { step: whole(page.store.frame.step) })));
  });
  canvas.addEventListener('blur', () => {
    page.hoverOver(null);
    hideTip();
  });
  return { draw };
}

function networkAbout({ state }) {
  const parameters = whole(state?.network?.parameters);
  return state?.network ? t('parameters', { n: parameters }) : '';
}

/** The name of a shown unit: an input's or a class's own, else its number. */
export function unitName({ frame, state }, k, i) {
  const layer = frame.layers[k];
  const number = layer.units[i];
  const classes = k === frame.layers.length - 1 ? state?.data.classes : null;
  return (
    layer.labels?.[i] ?? classes?.[number] ?? t('unit_of', { unit: number, layer: Math.max(0, k + frame.first - 1) })
  );
}

function edgeTip(store, { k, i, j }) {
  const weight = store.frame.parts[`weight.${k + store.frame.first}`];
  const value = weight.data[i * weight.shape[1] + j];
  return [
    head(`${unitName(store, k - 1, j)} → ${unitName(store, k, i)}`),
    pair(t('weight'), num(value)),
    soft(t('click_arithmetic')),
  ];
}

function unitTip(store, { k, i }) {
  const { parts, layers, first } = store.frame;
  const bias = parts[`bias.${k + first}`];
  const dead = layers[k].dead?.includes(layers[k].units[i]);
  const value = unitValue(store.frame, k, i);
  return [
    head(unitName(store, k, i)),
    value && pair(t(value.word), num(value.of)),
    bias && pair(t('bias'), num(bias.data[i])),
    dead && soft(t('dead_unit')),
  ];
}

/** What a unit gives for the picture in view: a number, or of a channel the largest one. */
function unitValue({ parts, picture, first }, k, i) {
  const value = parts[`value.${k + first}`];
  const map = parts[`map.${k + first}`];
  if (value) return { word: 'unit_value', of: value.data[i] };
  if (!map) return null;
  const size = map.shape[1] * map.shape[2];
  const bytes = map.data.subarray(i * size, (i + 1) * size);
  const far = bytes.reduce((most, byte) => (Math.abs(byte - 128) > Math.abs(most) ? byte - 128 : most), 0);
  return { word: 'channel_largest', of: (far / 127) * picture.largest[k + first] };
}

/** Where everything stands: columns of units from left to right; channels of a picture stand in blocks. */
function planOf(context, store, width, height) {
  const narrow = width < 520;
  const { frame } = store;
  const { layers, parts, first } = frame;
  const last = layers.length - 1;
  context.font = `13px ${look.font}`;
  const widest = (k) =>
    Math.max(
      ...layers[k].units.map(
        (_, i) => context.measureText(k ? outputName(store, i, narrow) : unitName(store, 0, i)).width,
      ),
    );
  const top = 42;
  const bottom = 6;
  const seen = frame.picture ? (width < 400 ? 40 : narrow ? 64 : 84) : 0;
  const left = seen ? seen + (width < 400 ? 8 : 18) : clamp(widest(0) + 12, 34, (narrow ? 0.24 : 0.34) * width);
  const right = seen ? (narrow ? 58 : 104) : clamp(widest(last) + 30, 34, (narrow ? 0.24 : 0.34) * width);
  const high = height - top - bottom;
  const columns = layers.map((layer, k) => {
    const part = (name) => parts[`${name}.${k + first}`];
    const map = part('map');
    const tile = part('tile');
    return {
      layer,
      map,
      tile,
      weight: part('weight'),
      bias: part('bias'),
      value: part('value'),
      unit: map ?? (tile ? null : part('unit')),
      count: layer.units.length,
    };
  });
  const spaces = columns.slice(1).map((column) => (seen && !column.weight ? 1 : 3));
  const parted = spaces.reduce((sum, n) => sum + n, 0) || 1; // lines need room
  const least = (narrow ? 6 : 14) * parted;
  const { size, blocks, gap } = seen
    ? blocksOf(columns, width - left - right - least, high)
    : columnsOf(columns, width - left - right - least, high, narrow);
  const room = width - left - right - blocks.reduce((sum, block) => sum + block.width, 0);
  let x = left;
  columns.forEach((column, k) => {
    const { across, width: wide, size: side } = blocks[k];
    const rows = Math.ceil(column.count / across);
    const one = wide / across;
    const pitch = seen ? Math.min(high / rows, side + Math.max(gap, 10)) : Math.min(high / rows, side + 26);
    column.half = side / 2;
    column.inset = seen && column.tile && column.map ? side * FILTER : 0;
    column.places = column.layer.units.map((_, i) => [
      x + (i % across) * one + column.inset + side / 2,
      top + high / 2 + (Math.floor(i / across) - (rows - 1) / 2) * pitch,
    ]);
    column.middle = seen && k === columns.length - 1 ? (x + width) / 2 : x + wide / 2;
    x += wide + (room * (spaces[k] ?? 0)) / parted;
  });
  const heads = [];
  columns.forEach((column, k) => {
    column.from = k ? columns[k - 1].to + 6 : 0;
    column.to = k < last ? (column.middle + columns[k + 1].middle) / 2 - 3 : width;
    const text = headOf(column.layer, k, k === last);
    if (heads.at(-1)?.text === text) heads.at(-1).columns.push(column);
    else heads.push({ text, columns: [column] });
  });
  const picture = seen ? { x: 0, y: top + (high - seen) / 2, side: seen } : null;
  return { columns, heads, size, narrow, width, picture };
}

/** One column of units for each layer. */
function columnsOf(columns, wide, high, narrow) {
  const gap = high / Math.max(...columns.map((column) => column.count), 5);
  const most = clamp(Math.floor(wide / columns.length), 10, narrow ? 36 : 46);
  const size = clamp(Math.round(gap - (gap < 32 ? 5 : 9)), 10, most);
  return { size, gap, blocks: columns.map(() => ({ across: 1, width: size, size })) };
}

/** Blocks of channels, of one to four columns, whichever shows the largest pictures; other units are smaller. */
function blocksOf(columns, wide, high) {
  const gap = 5;
  const maps = columns.filter((column) => column.map ?? column.tile);
  const others = columns.filter((column) => !maps.includes(column));
  const most = Math.max(1, ...others.map((column) => column.count));
  const small = others.length ? clamp(high / most - gap, 8, wide < 300 ? 14 : 22) : 0;
  // outputs stand beside their names
  const beside = (column, across) => (column === columns.at(-1) ? 1 : Math.min(across, column.count));
  let best = { size: 0, across: 1 };
  for (let across = 1; across <= 4; across++) {
    const sides = maps.map((column) => {
      const cells = beside(column, across);
      const rows = Math.ceil(column.count / cells);
      return high / rows - gap;
    });
    const shares = maps.reduce(
      (sum, column) => sum + beside(column, across) * (column.tile && column.map ? 1 + FILTER : 1),
      0,
    );
    const gaps = maps.reduce((sum, column) => sum + beside(column, across) * gap, 0);
    const size = Math.min(LARGEST_MAP, (wide - others.length * small - gaps) / Math.max(1, shares), ...sides);
    if (size > best.size) best = { size, across };
  }
  const side = Math.max(8, Math.floor(best.size));
  const blocks = columns.map((column) => {
    if (!maps.includes(column)) return { across: 1, width: small, size: small };
    const across = beside(column, best.across);
    return { across, size: side, width: across * (side * (column.tile && column.map ? 1 + FILTER : 1) + gap) };
  });
  return { size: side, gap, blocks };
}

/** The curve from unit j of column k - 1 to unit i of column k. */
function curveOf({ columns, narrow }, k, i, j) {
  const [x0, y0] = columns[k - 1].places[j];
  const [x1, y1] = columns[k].places[i];
  const from = x0 + columns[k - 1].half;
  const to = x1 - columns[k].half - columns[k].inset - (narrow ? 0 : 4);
  const middle = (to - from) / 2;
  return [from, y0, from + middle, y0, to - middle, y1, to, y1];
}

const isDrawn = ({ columns }, k) => {
  const weight = columns[k].weight;
  return (
    k > 0 && weight && weight.shape[0] === columns[k].places.length && weight.shape[1] === columns[k - 1].places.length
  );
};

function trace(context, curve) {
  const [x, y, ...rest] = curve;
  context.beginPath();
  context.moveTo(x, y);
  context.bezierCurveTo(...rest);
}

function drawEdges(context, plan, hot) {
  const unit = hot?.kind === 'unit' ? hot : null;
  context.lineCap = 'butt';
  for (let k = 1; k < plan.columns.length; k++) {
    if (!isDrawn(plan, k)) continue;
    const {
      data,
      shape: [units, inputs],
    } = plan.columns[k].weight;
    const largest = data.reduce(
      (most, v) => Math.max(most, Math.abs(v)),
      Math.min(0.5, 2 / Math.sqrt(plan.columns[k - 1].layer.total)),
    );
    const calm = clamp(Math.sqrt(72 / (units * inputs)), 0.45, 1); // many edges are thinner and paler
    for (let i = 0; i < units; i++)
      for (let j = 0; j < inputs; j++) {
        const value = data[i * inputs + j];
        const size = Math.min(1, Math.abs(value) / largest);
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

function drawPicked(context, plan, hit) {
  const { k, i, j } = hit;
  if (j == null || !plan.columns[k]?.places[i] || !isDrawn(plan, k) || j >= plan.columns[k - 1].places.length) return;
  const { data, shape } = plan.columns[k].weight;
  const curve = curveOf(plan, k, i, j);
  context.lineCap = 'round';
  for (const [width, colour] of [
    [11, look.panel],
    [8, look.ink],
    [4, data[i * shape[1] + j] >= 0 ? look.over : look.under],
  ]) {
    trace(context, curve);
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
}

/** What the columns are; what is alike beside each other stands once above them. */
function drawHeads(context, { heads, narrow, picture }) {
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  context.fillStyle = look.ink;
  context.font = `600 ${narrow && picture ? 12 : 13}px ${look.font}`;
  for (const { text, columns } of heads) {
    const [{ from, middle }, { to, middle: other }] = [columns[0], columns.at(-1)];
    between(context, shortened(context, text, to - from), (middle + other) / 2, from, to, 11);
  }
}

/** A text as near to the middle as it stands between two places. */
function between(context, text, middle, from, to, y) {
  const half = context.measureText(text).width / 2;
  context.fillText(text, clamp(middle, from + half, to - half), y);
}

function headOf(layer, k, last) {
  if (layer.scale === 'share') return 'softmax';
  const kinds = layer.what.split(', ');
  if (last) return t('outputs');
  if (k === 0 && layer.name === '') return t('inputs');
  return kinds[0].startsWith('Conv') ? kinds[0] : kinds.at(-1); // what follows a convolution says less
}

/** The picture in view, with the class that it has. */
function drawSeen(context, { picture: { x, y, side }, narrow }, { frame, state }, thumbs) {
  const {
    data,
    shape: [channels, rows, columns],
  } = frame.parts.picture;
  const pixels = sizedPixels(thumbs.get('seen'), columns, rows);
  thumbs.set('seen', pixels);
  paintPlanes(pixels, data, 0, channels);
  const box = drawFitted(context, pixels, x, y, side, side);
  const { true: right } = frame.picture;
  const { classes } = state?.data ?? {};
  context.lineWidth = 1.1;
  context.strokeStyle = look.soft;
  context.strokeRect(box.x, box.y, box.w, box.h);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillStyle = look.ink;
  context.font = `600 ${narrow ? 12 : 13}px ${look.font}`;
  const name = right == null ? t('yours') : (classes?.[right] ?? num(right));
  context.fillText(shortened(context, name, side + (narrow ? 8 : 20), classes ?? []), x + side / 2, box.y + box.h + 14);
}

function drawColumn(context, plan, column, k, store, thumbs, hover) {
  const { layer, places, bias, half } = column;
  const { narrow } = plan;
  const size = 2 * half;
  const last = k === plan.columns.length - 1;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  context.fillStyle = look.soft;
  context.font = `12px ${look.font}`;
  const some = t('some_of', { n: layer.units.length, total: whole(layer.total) });
  const fits = context.measureText(some).width <= column.to - column.from - 4;
  const count = fits && layer.units.length < layer.total ? some : whole(layer.total);
  between(context, count, column.middle, column.from, column.to, 29);
  places.forEach(([cx, cy], i) => {
    const on = hover?.kind === 'unit' && hover.k === k && hover.i === i;
    const dead = layer.dead?.includes(layer.units[i]);
    const box = drawUnit(context, column, i, cx, cy, thumbs, `${k},${i}`, last);
    context.beginPath();
    context.roundRect(box.x, box.y, box.w, box.h, Math.min(4, size / 4));
    context.lineWidth = on ? 3 : 1.1;
    context.strokeStyle = dead ? look.alarm : on ? look.ink : look.soft;
    context.setLineDash(dead ? [3, 3] : []);
    context.stroke();
    context.setLineDash([]);
    if (bias && !narrow && !store.frame.picture) {
      context.globalAlpha = 0.2 + 0.8 * Math.min(1, Math.abs(bias.data[i]) / 1.5);
      context.fillStyle = bias.data[i] >= 0 ? look.over : look.under;
      context.fillRect(cx - half - 9, cy + half - 6, 6, 6);
      context.globalAlpha = 1;
    }
    if (k === 0 && layer.name === '')
      drawInputName(context, plan, column, layer.labels?.[i] ?? unitName(store, k, i), cx, cy);
    if (last) drawClassName(context, plan, column, store, i, cx, cy);
  });
}

/** A unit: its channel of the picture with its filter beside it, its weights on pixels, its answers, or one number. */
function drawUnit(context, { layer, half, unit, tile, map, value, inset }, i, cx, cy, thumbs, key, last) {
  const size = 2 * half;
  const box = { x: cx - half, y: cy - half, w: size, h: size };
  if (tile) {
    const [, channels, rows, columns] = tile.shape;
    const pixels = kept(thumbs, `tile ${key}`, columns, rows);
    const start = i * channels * rows * columns;
    if (channels === 3) paintPlanes(pixels, tile.data, start, 3);
    else paintSigned(pixels, tile.data, start, true);
    if (!map) return drawFitted(context, pixels, box.x, box.y, size, size);
    drawFitted(context, pixels, cx - half - inset, cy - inset / 2, inset - 3, inset);
  }
  if (map) {
    const [, rows, columns] = map.shape;
    const pixels = kept(thumbs, key, columns, rows);
    paintSigned(pixels, map.data, i * rows * columns, true, FAINT);
    return drawFitted(context, pixels, box.x, box.y, size, size);
  }
  context.save();
  context.beginPath();
  context.roundRect(box.x, box.y, size, size, Math.min(4, size / 4));
  context.clip();
  if (value) {
    const most = value.data.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0) || 1;
    context.globalAlpha = Math.abs(value.data[i]) / most || 0;
    context.fillStyle = value.data[i] >= 0 ? look.over : look.under;
    context.fillRect(box.x, box.y, size, size);
    context.globalAlpha = 1;
  } else if (unit) {
    context.imageSmoothingEnabled = true;
    context.drawImage(thumb(thumbs, key, i, unit, layer, last), box.x, box.y, size, size);
  }
  context.restore();
  return box;
}

function kept(thumbs, key, columns, rows) {
  const pixels = sizedPixels(thumbs.get(key), columns, rows);
  thumbs.set(key, pixels);
  return pixels;
}

/** An input's name as far as there is room, in two lines where it is long; the box beside the pointer has it whole. */
function drawInputName(context, { size }, { half }, name, x, y) {
  context.fillStyle = look.ink;
  context.font = `${size < 20 ? 12 : 13}px ${look.font}`;
  context.textAlign = 'right';
  const words = size > 30 && name.length > 11 ? name.split(/(?<=_)/) : [name];
  words.slice(0, 2).forEach((word, k) => {
    const text = shortened(context, k === 1 && words.length > 2 ? words.slice(1).join('') : word, x - half - 10);
    context.fillText(text, x - half - 10, y + (k - (Math.min(2, words.length) - 1) / 2) * 16);
  });
}

/** The name of an output, without what all classes begin with where there is little room. */
function outputName(store, i, narrow) {
  const { classes } = store.state?.data ?? {};
  const name = unitName(store, store.frame.layers.length - 1, i);
  return narrow && classes?.length > 1 && classes.every((c) => c.startsWith('class_'))
    ? name.replace('class_', '')
    : name;
}

/** The name of an output; behind it, where a picture is in view, a bar as long as the probability. */
function drawClassName(context, { narrow, width }, { half, layer }, store, i, x, y) {
  const { frame, state } = store;
  const { classes } = state?.data ?? {};
  const number = layer.total === 1 && classes?.length === 2 ? 1 : layer.units[i];
  const size = 2 * half;
  const side = size < 16 ? 8 : 12;
  const answer = frame.parts.answer;
  const from = x + half + 6;
  const share = answer && classes?.length ? answer.data[number] : null;
  if (share != null) {
    context.globalAlpha = 0.4;
    context.fillStyle = classColour(number);
    context.fillRect(from, y - 8, Math.max(1, share * (width - from - 2)), 16);
    context.globalAlpha = 1;
  } else if (classes?.length) {
    context.fillStyle = classColour(number);
    context.beginPath();
    context.roundRect(from + 2, y - side / 2, side, side, 3);
    context.fill();
  }
  context.fillStyle = look.ink;
  context.font = `${narrow || size < 20 ? 12 : 13}px ${look.font}`;
  context.textAlign = 'left';
  const at = share != null ? from + 4 : x + half + (classes?.length ? 26 : 10);
  const figure = share != null && share >= 0.01 ? probability(share) : '';
  const below = figure && width - at < 72;
  const room = width - at - 2 - (figure && !below ? 30 : 0); // no room for both in a line
  context.fillText(shortened(context, outputName(store, i, narrow), room, classes ?? []), at, below ? y - 6 : y);
  if (!figure && !(answer && !classes?.length)) return;
  context.textAlign = 'right';
  context.fillText(figure || num(answer.data[0]), width - 2, figure ? (below ? y + 7 : y) : y + 18);
}

function thumb(thumbs, key, i, { data, shape: [, rows, columns] }, layer, last) {
  const pixels = kept(thumbs, key, columns, rows);
  const start = i * rows * columns;
  if (layer.scale === 'share') paintShares(pixels, data, start, last ? classColour(layer.units[i]) : look.over);
  else paintSigned(pixels, data, start);
  return pixels.canvas;
}

/**
 * What lies under a place: {kind: "unit", k, i}, also where an input's or a class's name is, or {kind: "edge", k, i,
 * j}, or null.
 */
function hitAt(plan, x, y) {
  const last = plan.columns.length - 1;
  for (let k = 0; k <= last; k++) {
    const reach = plan.columns[k].half + 2;
    const named = (dx) => !plan.picture && ((k === 0 && dx < 0) || (k === last && dx > 0));
    const i = plan.columns[k].places.findIndex(
      ([cx, cy]) => (Math.abs(x - cx) <= reach || named(x - cx)) && Math.abs(y - cy) <= reach,
    );
    if (i >= 0) return { kind: 'unit', k, i };
  }
  let found = null;
  let least = 7;
  for (let k = 1; k < plan.columns.length; k++) {
    if (!isDrawn(plan, k)) continue;
    const { places, weight } = plan.columns[k];
    const from = plan.columns[k - 1].places;
    const [x0, , , , , , x1] = curveOf(plan, k, 0, 0);
    if (x < x0 || x > x1) continue;
    const s = along((x - x0) / (x1 - x0));
    for (let i = 0; i < places.length; i++)
      for (let j = 0; j < from.length; j++) {
        const value = weight.data[i * from.length + j];
        const line = from[j][1] + (places[i][1] - from[j][1]) * s * s * (3 - 2 * s);
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
