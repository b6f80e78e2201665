/**
 * The large picture: decision boundary, line, surface, predicted against true, or images; or one unit of the network.
 */

import { behindTip, showBehind } from './behind.js';
import { FAINT, unitName } from './diagram.js';
import { $, cleared, el, pointIn, setText } from './dom.js';
import { drawImages } from './images.js';
import { fixed, num, percent, whole } from './numbers.js';
import { makePicker } from './picker.js';
import { drawPlane, makePlane } from './plane.js';
import { underway } from './press.js';
import { drawFit, drawLine, drawSurface } from './regression.js';
import { answers, nearest, SPLITS } from './rows.js';
import { partOf } from './store.js';
import { classColour } from './theme.js';
import { about, head, hideTip, pair, shareBar, showTip, soft } from './tip.js';
import { t } from './words.js';

const DRAWN = { plane: drawPlane, line: drawLine, surface: drawSurface, fit: drawFit, images: drawImages };
const LISTED = 6; // probabilities in the box beside the pointer, at most

/**
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makePicture(page) {
  const canvas = $('#picture-canvas');
  const kept = makePlane();
  const pickers = ['x', 'y'].map((axis, k) => makePicker($(`#axis-${axis}`), (name) => chooseAxis(k, name)));
  let box = null;
  let near = null;
  let shownKey = '';

  function draw(store) {
    const { frame, points, state } = store;
    if (!frame || !state) return;
    const { shows } = frame;
    const { tab } = page.seen;
    const unit = tab === 'sketch' ? null : unitShown(store, page.hover);
    canvas.hidden = tab === 'sketch';
    tell(store, unit); // first: a longer note leaves the picture less room
    if (!canvas.clientWidth) return;
    if (!DRAWN[shows] || (shows !== 'images' && !points?.rows.length)) return;
    box = DRAWN[shows](kept, cleared(canvas), {
      frame,
      points,
      near,
      unit,
      examples: tab === 'examples',
      classes: state.data.classes ?? [],
      target: state.data.target,
      dashed: state.letter !== 'A' && Boolean(state.letter),
      playing: state.playing,
      probability: t('probability'),
      words:
        shows === 'images'
          ? imageWords(frame, points)
          : [t('true_value', { target: state.data.target }), t('predicted')],
    });
  }

  /** Title, right-hand figure, legend and axes, where they have changed. */
  function tell(store, unit) {
    const { frame, state, points } = store;
    setText($('#picture-title'), unit ? unit.name : t(titleKey(frame, state)));
    $('#picture-title').dataset.about = titleKey(frame, state);
    $('#picture-title').setAttribute('aria-description', t(`about_${titleKey(frame, state)}`));
    setText($('#picture-figure'), figureOf(frame));
    $('#picture-figure').title = figuresOf(frame)
      .map(([, text]) => text)
      .join(' · ');
    canvas.setAttribute(
      'aria-label',
      `${$('#picture-title').textContent}. ${t('step_n', { step: whole(frame.step) })}. ${$('#picture-figure').title}`,
    );
    setText($('#picture-note'), noteOf(frame, points, state));
    $('#picture-note').title = $('#picture-note').textContent;
    const better = frame.agreement?.better;
    $('#axes-better').hidden = !better;
    if (better)
      setText(
        $('#axes-better'),
        t('axes_better', { x: better.axes[0], y: better.axes[1], share: percent(better.share) }),
      );
    const key = [
      frame.shows,
      state.unseen,
      ...(points?.rows.map((r) => [r.split, r.true.length, r.total]) ?? []),
    ].join();
    if (key === shownKey) return;
    shownKey = key;
    $('#picture-key').replaceChildren(...legend(frame, points, state));
  }

  /** Choices of axes: only where there are more inputs than axes. */
  function update(store) {
    const { state, points } = store;
    const choosable =
      (state?.data.axes.length ?? 0) > 2 &&
      points?.axes.length === 2 &&
      state.data.classes?.length > 0 &&
      state.data.kind === 'table';
    $('#axes').hidden = !choosable;
    if (choosable) {
      const own = points.view === 'components' ? [] : points.axes;
      pickers.forEach((picker, k) => picker.set(state.data.axes, own[k] ?? null));
    }
    $('#axes-auto').hidden = !choosable || state.view.axes == null;
  }

  function chooseAxis(k, name) {
    const { points, state } = page.store;
    const now = points.view === 'components' ? state.data.axes.slice(0, 2) : [...points.axes];
    if (now[1 - k] === name) now[1 - k] = now[k];
    now[k] = name;
    page.look({ axes: [now[0], now[1]] });
  }
  $('#axes-better').addEventListener('click', () =>
    underway(page.look({ axes: page.store.frame.agreement.better.axes })),
  );
  $('#axes-auto').addEventListener('click', () => underway(page.look({ axes: null })));

  canvas.addEventListener('pointermove', (event) => {
    const { store } = page;
    const [x, y] = pointIn(event);
    if (!box?.holds(x, y) || !store.frame) return leave();
    const found = box.at ? box.at(x, y) : nearest(store.points, placeOf(box), x, y);
    if (!box.at && found?.i !== near?.i) {
      near = found;
      page.invalidate();
    }
    const lines = box.at ? imageTip(store, found) : planeTip(store, box, found, x, y);
    if (lines.length) showTip(event, lines);
    else hideTip();
  });
  canvas.addEventListener('pointerleave', leave);
  canvas.addEventListener('click', (event) => {
    const { points, state } = page.store;
    const place = pointIn(event);
    const found = box?.at ? box.at(...place) : box && nearest(points, placeOf(box), ...place);
    if (found?.kind === 'mistake') page.seen.choose([measuredSplit(state), found.place]);
    const row = found?.kind === 'mistake' ? found.row : found?.rows?.index?.[found.i];
    if (row != null) showBehind(page, row);
  });

  function leave() {
    hideTip();
    if (near) page.invalidate();
    near = null;
  }
  return {
    draw,
    update,
    relabel: () => {
      shownKey = '';
    },
  };
}

const imageWords = (frame, points) => ({
  mistakes: t(frame.right ? 'mistakes' : 'mistakes_of_numbers'),
  confusion: t('confusion'),
  predicted: t('predicted'),
  examples: t(frame.right ? 'examples_of_classes' : 'examples_of_numbers'),
  more: t('and_more', { n: whole(points?.examples?.more ?? 0) }),
});

const placeOf = (box) => box.place ?? ((rows, i) => [box.X(rows.x[i]), box.Y(rows.y[i])]);

function titleKey(frame, state) {
  if (frame.shows === 'plane') return 'boundary';
  if (frame.shows === 'images') return 'images';
  if (frame.shows === 'fit') return 'fit';
  return state.data.classes?.length ? 'line_of_classes' : 'line';
}

/** How good it is on the drawn rows of each split: how many are right, or the error. */
function figuresOf(frame) {
  const { right, evaluation = {} } = frame;
  const said = (split) => {
    if (right) {
      const { right: n, rows, unanswered } = right.splits[split];
      if (unanswered) return t('unanswered_rows', { split: t(split), n: whole(unanswered), rows: whole(rows) });
      return t('right_rows', { split: t(split), right: whole(n), rows: whole(rows) });
    }
    return t('rmse_is', { split: t(split), value: num(evaluation[split].rmse) });
  };
  const drawn = (split) => {
    const part = partOf(frame, split);
    return part && t('drawn_rows', { n: whole(part[0]), total: whole(part[1]) });
  };
  return SPLITS.filter((split) => (right ? right.splits[split] : evaluation[split]?.rmse != null)).map((split) => [
    split,
    [said(split), drawn(split)].filter(Boolean).join(', '),
  ]);
}

/** That of the validation rows; where there are none, of the training rows. */
const figureOf = (frame) => Object.fromEntries(figuresOf(frame)).validation ?? figuresOf(frame)[0]?.[1] ?? '';

/** What the picture leaves out: inputs that are held, and on how many rows it says what the network says. */
function noteOf(frame, points, state) {
  if (frame.shows === 'fit' || frame.shows === 'images') return '';
  const said = [];
  if (frame.agreement && state.data.features.length > 2 && frame.shows === 'plane')
    said.push(t('agreement', { share: percent(frame.agreement.share), rows: whole(frame.agreement.rows) }));
  if (points?.view === 'components')
    said.push(t('components', { share: percent((points.variance ?? []).reduce((sum, v) => sum + v, 0)) }));
  if (points?.held?.length) {
    const shown = points.held
      .slice(0, 3)
      .map(([name, value]) => `${name} ${value == null ? '–' : typeof value === 'number' ? num(value) : value}`);
    const more = points.held.length - shown.length;
    said.push(t('held', { values: shown.join(', ') + (more > 0 ? ` ${t('and_more', { n: whole(more) })}` : '') }));
  }
  return said.join(' ');
}

function legend(frame, points, state) {
  if (frame.shows === 'images') return [];
  const shapes = { train: 'dot', validation: 'diamond', test: 'disc' };
  const items = [];
  const coloured = !state.data.classes?.length && frame.shows !== 'surface';
  for (const split of SPLITS) {
    const rows = points.rows.find((r) => r.split === split);
    if (!rows || rows.unseen) continue;
    const { total = rows.true.length } = rows;
    const count =
      rows.true.length < total ? t('some_of', { n: whole(rows.true.length), total: whole(total) }) : whole(total);
    const later = state.unseen?.includes(split); // nobody is told before the end how the network does on these
    items.push(
      el(
        'li',
        about(split),
        el('i', { class: `${shapes[split]} ${coloured ? split : ''}` }),
        later ? t('test_unseen') : [t(split), el('span', { class: 'count' }, count)],
      ),
    );
  }
  if (state.data.classes?.length) items.push(el('li', {}, el('i', { class: 'ring' }), t('wrong')));
  return items;
}

/** A unit that is looked at: its bytes over the picture, from the large part or from its thumbnail. */
function unitShown(store, hover) {
  if (hover?.kind !== 'unit') return null;
  const { frame, state } = store;
  const { k, i } = hover;
  const layer = frame.layers[k];
  if (!layer) return null;
  const asked = state.view.unit;
  const large = asked && asked[0] === k + frame.first && asked[1] === layer.units[i] ? frame.parts.unit : null;
  const [tile, map, thumb] = ['tile', 'map', 'unit'].map((name) => frame.parts[`${name}.${k + frame.first}`]);
  const weights = tile && oneOf(tile, i);
  const shown = large
    ? { bytes: large.data, start: 0, channels: 1, rows: large.shape[0], columns: large.shape[1] }
    : map
      ? oneOf(map, i)
      : (weights ?? (thumb && oneOf(thumb, i)));
  if (!shown) return null;
  const colour = k === frame.layers.length - 1 ? classColour(layer.units[i]) : classColour(0);
  return {
    ...shown,
    size: shown.columns,
    scale: layer.scale,
    colour,
    name: unitName(store, k, i),
    filter: map ? weights : null,
    root: map ? FAINT : 1,
  };
}

/** Where the bytes of one unit lie in an array of all of them. */
function oneOf({ data, shape }, i) {
  const [rows, columns] = shape.slice(-2);
  const channels = shape.length === 4 ? shape[1] : 1;
  return { bytes: data, start: i * channels * rows * columns, channels, rows, columns };
}

function planeTip(store, box, found, x, y) {
  const { frame, points, state } = store;
  const { classes } = state.data;
  const lines = [];
  const at = found ? [found.rows.x?.[found.i], found.rows.y?.[found.i]] : [box.x(x), box.y(y)];
  if (found) {
    const { rows, i } = found;
    const said = answers(frame, rows)?.[i];
    const truth = classes?.length ? classes[rows.true[i]] : num(rows.true[i]);
    lines.push(head(`${t('row_of', { row: whole(rows.index?.[i] ?? i), split: t(rows.split) })} · ${truth}`));
    if (said != null) lines.push(pair(t('predicted'), classes?.length ? (classes[said] ?? '–') : num(said)));
  }
  if (frame.shows !== 'fit') points.axes.forEach((name, k) => at[k] != null && lines.push(pair(name, num(at[k]))));
  if (frame.shows === 'plane') lines.push(...classesAt(frame, classes, box, x, y));
  if (frame.shows === 'surface' && !found)
    lines.push(pair(state.data.target, num(cellOf(frame.parts.value, box, x, y))));
  if (frame.shows === 'line') lines.push(...lineAt(frame, state, box.x(x)));
  return [...lines, found && behindTip(), soft(t('at_step', { step: whole(frame.step) }))];
}

function cellOf({ data, shape: [rows, columns] }, box, x, y) {
  const column = Math.min(columns - 1, Math.max(0, Math.floor(((x - box.l) / (box.r - box.l)) * columns)));
  const row = Math.min(rows - 1, Math.max(0, Math.floor(((box.b - y) / (box.b - box.t)) * rows)));
  return data[row * columns + column];
}

function classesAt({ parts }, classes, box, x, y) {
  const winner = cellOf(parts.winner, box, x, y);
  if (classes[winner] == null) return [pair(t('no_answer'), '')];
  const share = parts.share && cellOf(parts.share, box, x, y) / 255;
  return [
    pair(
      classes[winner],
      share == null ? '' : fixed(share, 2),
      share == null ? null : shareBar(share, classColour(winner)),
    ),
  ];
}

function lineAt({ parts: { x, value } }, state, at) {
  const [low, high] = [x.data[0], x.data.at(-1)];
  const count = value.shape[1] ?? 1;
  const i = Math.round(((at - low) / (high - low)) * (x.data.length - 1));
  if (!(i >= 0 && i < x.data.length)) return [];
  if (!state.data.classes?.length) return [pair(state.data.target, num(value.data[i * count]))];
  return state.data.classes
    .slice(0, LISTED)
    .map((name, k) =>
      pair(name, fixed(value.data[i * count + k], 2), shareBar(value.data[i * count + k], classColour(k))),
    );
}

/** The split whose mistakes are shown. */
const measuredSplit = (state) => (state.data.rows.validation ? 'validation' : 'train');

function imageTip({ state, frame }, found) {
  if (!found) return [];
  const { classes } = state.data;
  const step = soft(t('at_step', { step: whole(frame.step) }));
  if (found.kind === 'example') {
    const { group, total } = found;
    if (!group.rows) return [head(state.data.target), ...group.true.map((value) => pair('', num(value)))];
    return [
      head(classes[group.class] ?? ''),
      pair(t('rows'), whole(total)),
      ...Object.entries(group.rows).map(([split, n]) => pair(t(split), whole(n))),
    ];
  }
  if (found.kind === 'cell')
    return [
      head(`${classes[found.row]} → ${classes[found.column]}`),
      pair(t('rows'), t('some_of', { n: whole(found.value), total: whole(found.total) })),
      step,
    ];
  const row = t('row_of', { row: whole(found.row), split: t(measuredSplit(state)) });
  const click = [state.steers ? soft(t('click_picture')) : null, behindTip()];
  if (found.value != null)
    return [
      head(row),
      pair(t('true_value', { target: state.data.target }), num(found.right)),
      pair(t('predicted'), num(found.value)),
      ...click,
      step,
    ];
  const ranked = [...found.probability]
    .map((p, k) => [p, k])
    .sort((a, b) => b[0] - a[0])
    .slice(0, LISTED);
  return [
    head(`${row} · ${classes[found.right] ?? ''}`),
    ...ranked.map(([p, k]) => pair(classes[k], fixed(p, 3), shareBar(p, classColour(k)))),
    ...click,
    step,
  ];
}
