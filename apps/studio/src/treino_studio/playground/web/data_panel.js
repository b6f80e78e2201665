/** The panel of the data: which they are, noise, shares, inputs, a table of one's own, points drawn by hand. */

import { refusalText } from '../../page/modules/connection.js';
import { cleared, el, focusedNode, makeButton, setText, smallButton, svg } from '../../page/modules/dom.js';
import { num, whole } from '../../page/modules/numbers.js';
import { rangeColour } from '../../page/modules/pixels.js';
import { classColour, look } from '../../page/modules/theme.js';
import { t } from '../../page/modules/words.js';
import { likelyTargets, ofNumbers, reasonsOf } from './columns.js';
import { usualProblem } from './defaults.js';
import { POINTS } from './points.js';
import { makePad } from './points_pad.js';
import { MADE, prepare } from './problems.js';
import { makeTableInput } from './table_input.js';

const ICONS = {
  points: 'M6 26c6-14 10 6 16-8M24 6l6 6-4 4-6-6zM6 6h.01M12 10h.01M31 27h.01',
  table: 'M4 6h32v22H4zM4 13h32M4 20h32M15 6v22M25 6v22',
};
const WAIT = 350; // milliseconds after the last change, before the page trains on it
const THUMBNAIL = 300; // points
const LEAST_TRAINING = 0.3;
const MOST_TRAINING = 0.9;

/**
 * problem: as problems.js has it. tables: those of the page by name. changed(problem): it is another one, and can be
 * learnt. What can't be learnt is said here, and the page keeps what it has. → {relabel(), redraw(), close()}.
 */
export function makeDataPanel(root, { problem, tables = {}, changed }) {
  let now = { ...usualProblem, axes: null, ...problem };
  let prepared = null;
  let waiting = 0;
  let own = now.source === 'table' && !nameOf(now) ? now.table : null;
  let drawn = now.source === 'points' ? now.points : null;
  let writing = now.source === 'table' && !nameOf(now);
  let thumbnails = [];
  const ofPage = () => [
    ...Object.keys(POINTS),
    ...Object.keys(tables).filter((name) => tables[name] !== own),
    'points',
    'table',
  ];

  /** The name that a problem's button has; null: a table of one's own. */
  function nameOf({ source, table }) {
    if (source !== 'table') return source;
    return Object.keys(tables).find((name) => tables[name] === table) ?? null;
  }
  const chosen = () => (writing ? 'table' : (nameOf(now) ?? 'table'));

  // ---- the parts

  const sources = el('div', { class: 'sources', role: 'group', 'data-name': 'data_source' });
  const noise = slider('data-noise', 'data_noise', (value) =>
    change({ noise: value === POINTS[now.source].noise ? null : value }),
  );
  const share = slider('data-share', 'data_share', (value) => change({ validation: held(value), test: held(value) }));
  share.input.min = LEAST_TRAINING * 100;
  share.input.max = MOST_TRAINING * 100;
  share.input.step = 2;
  const counts = el('p', { class: 'note', id: 'data-counts' });
  const seed = el('b', { id: 'data-seed' });
  const seedLine = el(
    'div',
    { class: 'line' },
    el('span', {}, el('span', { 'data-t': 'data_split_seed' }), ' ', seed),
    smallButton(() => change({ data_seed: now.data_seed + 1 }), { id: 'data-new-seed', 'data-t': 'data_new_split' }),
  );
  const normal = makeButton(
    () => change({ normalise: !now.normalise }),
    { class: 'switch', id: 'data-normalise', role: 'switch' },
    el('span', { 'data-t': 'data_normalise' }),
    el('i', { 'aria-hidden': 'true' }),
  );
  const inputs = el('div', { id: 'data-inputs' });
  const fault = el('p', { class: 'bad', id: 'data-fault', role: 'alert', hidden: true });
  const notes = el('ul', { class: 'notes note', id: 'data-notes' });
  const says = el('p', { class: 'vh', role: 'status', id: 'data-says' });
  const table = makeTableInput({
    taken(next) {
      own = next;
      change({ source: 'table', table: next, features: null, axes: null, noise: null });
    },
  });
  const pad = makePad({
    edited(points) {
      const { top } = pad.node.getBoundingClientRect();
      drawn = points;
      change({ source: 'points', points, noise: null, table: undefined }, true);
      // what stands above has other words now: the pad stays put
      const moved = pad.node.getBoundingClientRect().top - top;
      if (moved) root.scrollTop += moved;
    },
  });
  const part = (name, ...children) =>
    el(
      'section',
      { class: 'data-part', id: `part-${name}`, 'aria-labelledby': `part-${name}-title` },
      el('h3', { id: `part-${name}-title`, 'data-t': `data_part_${name}` }),
      ...children,
    );
  const parts = {
    source: part('source', sources, noise.node),
    table: part('table', table.node),
    pad: part('pad', pad.node),
    inputs: part('inputs', inputs),
    split: part('split', share.node, counts, seedLine, normal),
  };
  const panel = el(
    'div',
    { class: 'data-panel' },
    parts.source,
    parts.table,
    parts.inputs,
    parts.split,
    parts.pad,
    fault,
    notes,
    says,
  );
  root.append(panel);

  function slider(id, word, moved) {
    const output = el('output', { for: id });
    const input = el('input', { id, type: 'range' });
    input.addEventListener('input', () => moved(Number(input.value) / 100));
    return {
      input,
      output,
      node: el(
        'div',
        { class: 'field' },
        el('div', { class: 'line' }, el('label', { for: id, 'data-t': word }), output),
        input,
      ),
    };
  }
  const held = (training) => +((1 - training) / 2).toFixed(3);

  // ---- changes

  /** edit: of the pad, which then shows it already. */
  function change(patch, edit = false) {
    now = { ...now, ...patch };
    writing = now.source === 'table' && !nameOf(now);
    const fine = look();
    show(edit);
    clearTimeout(waiting);
    if (fine) waiting = setTimeout(() => changed(leftOut(now)), WAIT);
  }
  const leftOut = ({ table: rows, points, ...rest }) => ({
    ...rest,
    ...(rows && !Object.hasOwn(POINTS, rest.source) && rest.source !== 'points' ? { table: rows } : {}),
    ...(rest.source === 'points' ? { points } : {}),
  });

  /** Prepare it, as what trains will; what is wrong is said. */
  function look() {
    try {
      prepared = prepare(now);
      fault.hidden = true;
    } catch (refusal) {
      if (!refusal.rule) throw refusal;
      prepared = null;
      fault.hidden = false;
      setText(fault, refusalText(refusal));
    }
    return prepared !== null;
  }
  function choose(name) {
    const base = { noise: null, features: null, axes: null, points: undefined, table: undefined };
    if (name === 'points') return change({ ...base, source: 'points', points: drawn ?? pointsOf(now) });
    if (name !== 'table') return change({ ...base, source: name, table: tables[name] });
    if (own) return change({ ...base, source: 'table', table: own });
    writing = true;
    show();
    document.getElementById('table-paste').focus();
  }
  /** What is in the picture now, as points of one's own; an empty pad where it is a table. */
  function pointsOf({ source, noise: spread, points = [] }) {
    if (!Object.hasOwn(POINTS, source)) return points;
    const { x, y } = POINTS[source].draw(spread ?? POINTS[source].noise);
    return x.map((p, i) => [...p, y[i]].map((v) => +v.toFixed(4)));
  }

  // ---- what is seen

  function show(edit = false) {
    const name = chosen();
    const kind = Object.hasOwn(POINTS, name) ? POINTS[name] : null;
    for (const button of sources.children) button.setAttribute('aria-pressed', String(button.dataset.source === name));
    noise.node.hidden = !kind;
    if (kind) set(noise, 100 * (now.noise ?? kind.noise), 100 * kind.most, num(now.noise ?? kind.noise, 2));
    set(
      share,
      Math.round(100 * (1 - now.validation - now.test)),
      MOST_TRAINING * 100,
      `${Math.round(100 * (1 - now.validation - now.test))} %`,
    );
    setText(seed, String(now.data_seed));
    normal.setAttribute('aria-checked', String(now.normalise));
    parts.table.hidden = name !== 'table';
    parts.pad.hidden = !kind && name !== 'points';
    (parts.table.hidden ? parts.pad : parts.table).after(fault); // beside what it is about
    parts.split.hidden = writing && !own;
    parts.inputs.hidden = parts.split.hidden || Boolean(now.table?.picture); // pixels are all inputs
    if (!parts.table.hidden) table.show(own);
    if (!parts.pad.hidden && !edit)
      pad.show(kind ? pointsOf(now) : now.points, kind?.task ?? prepared?.task ?? 'classification', ['x1', 'x2']);
    showInputs();
    showCounts();
  }
  function set({ input, output }, value, most, text) {
    input.max = most;
    if (!input.matches(':active')) input.value = value;
    input.setAttribute('aria-valuetext', text);
    input.style.setProperty('--at', `${(100 * (input.value - input.min)) / (input.max - input.min)}%`);
    setText(output, text);
  }
  function showCounts() {
    notes.replaceChildren(...(prepared?.notes ?? []).map((sentence) => el('li', {}, sentence)));
    if (!prepared) return setText(counts, '');
    const [train, validation, test] = prepared.parts.map(({ rows }) => whole(rows.length));
    const rows = prepared.parts.flatMap(({ y }) => [...y]);
    const classes = prepared.classes
      .slice(0, 12)
      .map((name, c) => `${name}: ${whole(rows.filter((label) => label === c).length)}`);
    const sentences = [
      t('data_rows', { train, validation, test }),
      prepared.parts[2].rows.length ? t('data_held_out', { n: test }) : t('data_none_held_out'),
    ];
    if (classes.length)
      sentences.push(
        t('data_of_each_class', { counts: classes.join(', ') + (prepared.classes.length > 12 ? ', …' : '') }),
      );
    setText(counts, sentences.join(' '));
    setText(says, t('data_now', { name: prepared.name, n: whole(rows.length) }));
  }

  // ---- the inputs

  function showInputs() {
    const place = focusedNode()?.dataset?.input;
    const columns = columnsNow();
    if (!columns) return inputs.replaceChildren();
    const reasons = reasonsOf(columns);
    const names = columns.columns.map(({ name }) => name).filter((name) => name !== columns.target);
    const usable = names.filter((name) => !reasons.get(name));
    const numbers = columns.columns.filter((column) => usable.includes(column.name) && ofNumbers(column));
    const drawable = numbers.map(({ name }) => name);
    const [x, y] = pairNow(drawable);
    const on = new Set(asColumns(now.features ?? usable, [x, y], usable));
    const tick = (name, text, why) =>
      el(
        'label',
        { class: 'tick', title: why ?? text },
        el('input', {
          type: 'checkbox',
          'data-input': name,
          checked: on.has(name),
          disabled: Boolean(why),
          onchange: (event) => toggle(name, event.target.checked, on, usable, [x, y]),
        }),
        el('span', {}, text),
        why ? el('i', { class: 'note' }, why) : null,
      );
    const made = Object.keys(MADE).filter((name) => name !== 'x' && name !== 'y' && drawable.length > 1);
    inputs.replaceChildren(
      ...(usable.length > 2 && drawable.length > 1
        ? [
            el(
              'div',
              { class: 'asks' },
              smallButton(
                () => change({ features: null }),
                { 'data-input': '*', 'aria-pressed': String(now.features === null) },
                t('data_all_columns', { n: usable.length }),
              ),
              smallButton(
                () => change({ features: ['x', 'y'], axes: null }),
                { 'data-input': '2', 'aria-pressed': String(String(now.features) === 'x,y') },
                t('data_two_columns'),
              ),
            ),
          ]
        : []),
      el(
        'div',
        { class: names.length > 3 ? 'ticks' : 'ticks few', role: 'group', 'aria-labelledby': 'part-inputs-title' },
        names.map((name) => tick(name, name, reasons.get(name) && t(reasons.get(name)))),
      ),
      el(
        'div',
        { class: 'ticks made', role: 'group', 'aria-label': t('data_made') },
        made.map((name) => tick(name, MADE[name].name(x, y))),
      ),
      ...(drawable.length < 2 || usable.length === 2
        ? []
        : [
            el('p', { class: 'note' }, t('data_axes')),
            el(
              'div',
              { class: 'axes-of-data' },
              axis(0, x, y, drawable),
              el('span', { 'aria-hidden': 'true' }, '×'),
              axis(1, y, x, drawable),
            ),
          ]),
    );
    if (place) inputs.querySelector(`[data-input="${CSS.escape(place)}"]`)?.focus();
  }
  function columnsNow() {
    if (Object.hasOwn(POINTS, now.source) || now.source === 'points')
      return { target: 'target', columns: ['x1', 'x2'].map((name) => ({ name, cells: [0.5, 1.5] })) };
    return now.table ?? null;
  }
  /** The two axes: asked for, or those that separate best. */
  function pairNow(usable) {
    if (now.axes?.every((name) => usable.includes(name))) return now.axes;
    return prepared?.axes.length > 1 ? prepared.axes : usable;
  }
  /** Features by the names of columns, where x and y stand for the axes. */
  const asColumns = (features, [x, y], usable) =>
    features.map((name) => (usable.includes(name) ? name : name === 'x' ? x : name === 'y' ? y : name));
  function toggle(name, yes, on, usable, pair) {
    const next = new Set(on);
    if (yes) next.add(name);
    else next.delete(name);
    const columns = usable.filter((column) => next.has(column));
    const made = Object.keys(MADE).filter((key) => next.has(key) && !usable.includes(key));
    const features = columns.length === usable.length && !made.length ? null : [...columns, ...made];
    change({ features, ...(made.length && usable.length > 2 ? { axes: pair.slice(0, 2) } : {}) });
  }
  function axis(k, name, other, usable) {
    const select = el(
      'select',
      { 'data-input': `axis-${k}`, 'aria-label': t(k ? 'data_axis_y' : 'data_axis_x') },
      usable.filter((column) => column !== other).map((value) => el('option', { value }, value)),
    );
    select.value = name;
    select.addEventListener('change', () => change({ axes: k ? [other, select.value] : [select.value, other] }));
    return select;
  }

  // ---- words and colours

  function relabel() {
    sources.setAttribute('aria-label', t('data_part_source'));
    for (const node of panel.querySelectorAll('[data-t]')) setText(node, t(node.dataset.t));
    sources.replaceChildren(
      ...ofPage().map((name) => {
        const canvas = el('canvas', { 'aria-hidden': 'true' });
        const title = ['points', 'table'].includes(name) || Object.hasOwn(POINTS, name) ? t(`data_${name}`) : name;
        return makeButton(
          () => choose(name),
          { class: 'source', 'data-source': name },
          el(
            'span',
            { class: 'thumb' },
            ICONS[name]
              ? svg('svg', { viewBox: '0 0 40 34', 'aria-hidden': 'true' }, svg('path', { d: ICONS[name] }))
              : canvas,
          ),
          el('span', {}, title),
        );
      }),
    );
    table.relabel();
    look();
    show();
    redraw();
  }
  function redraw() {
    if (!parts.pad.hidden) pad.redraw();
    if (!thumbnails.length) thumbnails = ofPage().map((name) => thumbnailOf(name, tables));
    [...sources.children].forEach((button, k) => {
      if (thumbnails[k]) drawThumbnail(button.querySelector('canvas'), thumbnails[k]);
    });
  }
  /** A file dropped anywhere on the panel. */
  const over = (event) => {
    if ([...(event.dataTransfer?.types ?? [])].includes('Files')) event.preventDefault();
  };
  const dropped = (event) => {
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    writing = true;
    show();
    table.open(event.dataTransfer.files[0]);
  };
  root.addEventListener('dragover', over);
  root.addEventListener('drop', dropped);
  const resized = new ResizeObserver(() => redraw());
  resized.observe(panel);

  relabel();
  return {
    relabel,
    redraw,
    close() {
      if (waiting) clearTimeout(waiting);
      resized.disconnect();
      root.removeEventListener('dragover', over);
      root.removeEventListener('drop', dropped);
      panel.remove();
    },
  };
}

// ---- the small pictures

/** Some points of a source: {at: [[x, y, value]], task}; of tables over the two columns that separate best. */
function thumbnailOf(name, tables) {
  if (Object.hasOwn(POINTS, name)) {
    const { x, y } = POINTS[name].draw(POINTS[name].noise);
    return { task: POINTS[name].task, at: x.slice(0, THUMBNAIL).map((p, i) => [...p, y[i]]) };
  }
  if (!Object.hasOwn(tables, name)) return null;
  if (tables[name].picture) return { pixels: tables[name] };
  try {
    const {
      task,
      parts: [{ places, y }],
    } = prepare({
      source: name,
      table: { target: likelyTargets(tables[name])[0], ...tables[name] },
      features: ['x', 'y'],
    });
    return {
      task,
      at: Array.from(y)
        .slice(0, THUMBNAIL)
        .map((value, i) => [places[2 * i], places[2 * i + 1], value]),
    };
  } catch {
    return null; // a table of one column, or one that can't be learnt
  }
}

function drawThumbnail(canvas, thumbnail) {
  const { context, width, height } = cleared(canvas);
  if (!width) return;
  if (thumbnail.pixels) return drawDigits(context, thumbnail.pixels, width, height);
  const ends = [0, 1, 2].map((k) => [
    Math.min(...thumbnail.at.map((p) => p[k])),
    Math.max(...thumbnail.at.map((p) => p[k])),
  ]);
  const share = (value, k) => (value - ends[k][0]) / (ends[k][1] - ends[k][0] || 1);
  for (const point of thumbnail.at) {
    context.beginPath();
    context.arc(4 + share(point[0], 0) * (width - 8), height - 4 - share(point[1], 1) * (height - 8), 1.4, 0, 7);
    context.fillStyle =
      thumbnail.task === 'regression' ? `rgb(${rangeColour(share(point[2], 2)).join()})` : classColour(point[2]);
    context.fill();
  }
}

/** The first pictures of a table of pixels, as dark as their values. */
function drawDigits(context, { columns, picture: [high, wide] }, width, height) {
  const side = Math.min(width / 2, height) / Math.max(high, wide);
  const most = 16;
  const left = (width - 2 * side * wide) / 2;
  context.fillStyle = look.ink;
  for (let n = 0; n < 2; n++)
    for (let j = 0; j < high * wide; j++) {
      context.globalAlpha = columns[j].cells[n] / most;
      context.fillRect(
        left + (n * wide + (j % wide)) * side,
        (height - high * side) / 2 + Math.floor(j / wide) * side,
        side,
        side,
      );
    }
  context.globalAlpha = 1;
}
