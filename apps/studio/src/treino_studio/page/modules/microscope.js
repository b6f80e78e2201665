/** The microscope: the arithmetic of the last update of one weight, as the server has worked it out. */

import { refusalText } from './connection.js';
import { unitName } from './diagram.js';
import { $, el, focusedNode, setText } from './dom.js';
import { formula } from './formula.js';
import { num, whole } from './numbers.js';
import { makePicker } from './picker.js';
import { viewStep } from './store.js';
import { t } from './words.js';

const PAUSE = 250; // milliseconds between two explanations while it plays

/**
 * @import { Hit, RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeMicroscope(page) {
  const drawer = $('#drawer');
  const pickers = ['layer', 'from', 'to'].map((id, k) => makePicker($(`#lens-${id}`), (name) => pick(k, name)));
  let shown = '';
  let asking = false;
  let asked = 0;
  $('#lens').addEventListener('click', () => (drawer.hidden ? open(null) : close()));
  $('#lens-close').addEventListener('click', close);

  /**
   * hit: an edge {k, i, j}, a unit {k, i} for its bias; null: the largest weight that is shown; where none is, as of
   * convolutions, the server chooses or says why not.
   */
  function open(hit) {
    const layers = page.store.frame?.layers;
    if (!layers) return;
    page.pick = hit?.kind === 'unit' ? { kind: 'edge', k: hit.k, i: hit.i, j: null } : hit;
    // an input has no update
    if (!page.pick || numberOf(page.store.frame, page.pick.k) == null) page.pick = largestWeight(page.store.frame);
    const was = drawer.hidden;
    drawer.hidden = false;
    shown = '';
    update(page.store);
    if (was) $('#lens-close').focus({ preventScroll: true });
    page.invalidate();
  }

  function close() {
    if (drawer.hidden) return false;
    drawer.hidden = true;
    page.pick = null;
    $('#lens').focus({ preventScroll: true });
    page.invalidate();
    return true;
  }

  /** Ask anew when another weight or another step is in view, one question at a time. */
  async function update(store) {
    if (drawer.hidden || asking || !store.frame) return;
    const step = viewStep(store);
    const key = [JSON.stringify(page.pick), step, store.state.segment, document.documentElement.lang].join();
    if (key === shown || (store.state.playing && performance.now() - asked < PAUSE)) return;
    shown = key;
    asking = true;
    asked = performance.now();
    if (!$('#lenses').childElementCount) $('#lenses').replaceChildren(el('p', { class: 'hint busy' }, t('working')));
    try {
      show(await page.send('explain', page.pick ? place(store.frame, page.pick) : {}), store);
    } catch (refusal) {
      setText($('#lens-title'), t('microscope'));
      setText($('#lens-about'), '');
      $('#lenses').replaceChildren(el('p', { class: 'note' }, refusalText(refusal)));
    } finally {
      asking = false;
    }
    showPickers(store);
  }

  function show(reply, store) {
    setText($('#lens-title'), page.pick ? edgeName(store, page.pick) : t('microscope'));
    setText($('#lens-about'), reply.title ?? '');
    $('#lenses').replaceChildren(...byPart(reply.steps).map(partOf), checksOf(reply.checks ?? []));
    page.invalidate();
  }

  function showPickers(store) {
    const { frame } = store;
    const edge = page.pick;
    $('#lens-choice').hidden = !edge;
    if (!edge || (drawer.contains(document.activeElement) && document.activeElement.matches('select, input'))) return;
    const stages = frame.layers.map((_, k) => k).filter((k) => numberOf(frame, k) != null);
    pickers[0].set(
      stages.map((k) => stageName(frame, k)),
      stageName(frame, edge.k),
    );
    const before = frame.layers[edge.k - 1];
    pickers[1].set(
      [...(before?.units ?? []).map((_, j) => unitName(store, edge.k - 1, j)), t('the_bias')],
      edge.j == null ? t('the_bias') : unitName(store, edge.k - 1, edge.j),
    );
    pickers[2].set(
      frame.layers[edge.k].units.map((_, i) => unitName(store, edge.k, i)),
      unitName(store, edge.k, edge.i),
    );
  }

  function pick(which, name) {
    const { store } = page;
    const { frame } = store;
    const edge = { ...page.pick };
    if (which === 0) {
      edge.k = frame.layers.findIndex((_, k) => numberOf(frame, k) != null && stageName(frame, k) === name);
      Object.assign(edge, { i: 0, j: frame.layers[edge.k - 1] ? 0 : null });
    }
    if (which === 1)
      edge.j =
        name === t('the_bias')
          ? null
          : frame.layers[edge.k - 1].units.findIndex((_, j) => unitName(store, edge.k - 1, j) === name);
    if (which === 2) edge.i = frame.layers[edge.k].units.findIndex((_, i) => unitName(store, edge.k, i) === name);
    page.pick = edge;
    focusedNode()?.blur();
    update(store);
  }
  return { open, close, update };
}

/** The number of a stage's layer as `treino explain` counts; null for the inputs. */
export function numberOf({ layers, first }, k) {
  const stage = layers[k] ? k + first : 0;
  return stage ? stage - 1 : null;
}

const stageName = (frame, k) =>
  `${numberOf(frame, k)}: ${[k - 1, k]
    .flatMap((n) => frame.layers[n] ?? [])
    .map(({ total }) => whole(total))
    .join(' → ')}`;

function place(frame, hit) {
  const { k, i, j } = hit;
  const input = j == null ? null : (frame.layers[k - 1]?.units[j] ?? 0);
  return { layer: k + frame.first, unit: frame.layers[k].units[i], input };
}

/** The edge with the largest weight among those that are drawn. */
function largestWeight({ layers, parts, first }) {
  let found = null;
  let most = -1;
  layers.forEach((_, k) => {
    const weight = parts[`weight.${k + first}`];
    weight?.data.forEach((value, at) => {
      if (Math.abs(value) <= most) return;
      most = Math.abs(value);
      found = { kind: 'edge', k, i: Math.floor(at / weight.shape[1]), j: at % weight.shape[1] };
    });
  });
  return found;
}

const edgeName = (store, /** @type {Hit} */ { k, i, j }) =>
  `${j == null ? t('the_bias') : unitName(store, k - 1, j)} → ${unitName(store, k, i)}`;

function byPart(steps) {
  const parts = [];
  for (const step of steps) {
    if (parts.at(-1)?.[0].part !== step.part) parts.push([]);
    parts.at(-1).push(step);
  }
  return parts;
}

function partOf(steps) {
  return el('section', { class: 'part' }, el('h3', {}, steps[0].part), steps.map(stepOf));
}

function stepOf({ title, symbols, numbers, value, text, table, wrong }) {
  const right = symbols?.includes(' = ') ? numbers && `= ${numbers}` : numbers;
  return el(
    'div',
    { class: wrong ? 'lens wrong' : 'lens' },
    title && el('h4', {}, title),
    text && el('p', { class: 'note' }, text),
    symbols && el('div', { class: 'formula' }, formula(symbols)),
    right && el('div', { class: 'formula numbers' }, formula(right)),
    value != null && el('p', { class: 'value' }, `= ${num(value, 6)}`),
    table && tableOf(table),
  );
}

function tableOf({ headings, rows, more }) {
  const cell = (value) => el('td', {}, typeof value === 'string' ? value : num(value));
  return el(
    'table',
    {},
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        headings.map((h) => el('th', { scope: 'col' }, h)),
      ),
    ),
    el(
      'tbody',
      {},
      rows.slice(0, 8).map((values) => el('tr', {}, values.map(cell))),
      more || rows.length > 8
        ? el(
            'tr',
            { class: 'rest' },
            el(
              'td',
              { colspan: headings.length },
              t('and_more', { n: whole((more ?? 0) + Math.max(0, rows.length - 8)) }),
            ),
          )
        : '',
    ),
  );
}

function checksOf(checks) {
  if (!checks.length) return '';
  return el(
    'section',
    { class: 'part' },
    el('h3', {}, t('checks')),
    checks.map(({ name, ours, reference, holds }) =>
      el(
        'p',
        { class: holds ? 'check' : 'check bad' },
        `${holds ? '✓' : '✗'} ${name}: ${num(ours, 6)}${holds ? '' : ` ≠ ${num(reference, 6)}`}`,
      ),
    ),
  );
}
