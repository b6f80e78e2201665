/**
 * The ways that a run or a script has gone, as a small tree: each stretch with what was changed and its figures; a
 * click goes there.
 */

import { $, el, makeButton, setText } from './dom.js';
import { num, whole } from './numbers.js';
import { underway } from './press.js';
import { viewStep } from './store.js';
import { t } from './words.js';

/**
 * Fill a list with stretches, a row for each: {key, first, last, left, text, figures, off, why}; their bars lie on one
 * scale. figures: {name, value, step}, each with the step at which it was measured. off: it can't be gone to; why: the
 * reason. go(piece): what a click does.
 */
export function makeStretches(list, go) {
  const rows = new Map(); // by key: the elements of a stretch

  function update(pieces) {
    const end = Math.max(1, ...pieces.map(({ last }) => last));
    const keys = pieces.map(({ key }) => key);
    for (const key of rows.keys()) if (!keys.includes(key)) rows.delete(key);
    for (const piece of pieces) {
      const row = rows.get(piece.key) ?? made();
      rows.set(piece.key, row);
      Object.assign(row, { piece });
      row.item.classList.toggle('left', piece.left);
      row.bar.style.left = `${(100 * piece.first) / end}%`;
      row.bar.style.width = `${(100 * (piece.last - piece.first)) / end}%`;
      setText(row.what, piece.text || t(piece.first ? 'way_as_before' : 'way_begins'));
      row.what.title = row.what.textContent;
      setText(row.steps, t('way_steps', { first: whole(piece.first), last: whole(piece.last) }));
      setText(row.figures, textOf(piece.figures));
      row.button.disabled = piece.off;
      row.button.dataset.why = piece.why ?? '';
    }
    const items = keys.map((key) => rows.get(key).item);
    if (items.some((item, k) => list.children[k] !== item) || list.children.length !== items.length)
      list.replaceChildren(...items);
  }
  function made() {
    const bar = el('i');
    const [what, steps, figures] = ['b', 'span', 'span'].map((tag) => el(tag));
    const row = { bar, what, steps, figures };
    row.button = makeButton(
      () => go(row.piece),
      {},
      el('span', { class: 'lane', 'aria-hidden': 'true' }, bar),
      what,
      steps,
      figures,
    );
    row.item = el('li', {}, row.button);
    return row;
  }
  /** Mark the stretch in view. here(piece): whether it is this one. */
  const mark = (here) => {
    for (const { piece, button } of rows.values()) button.setAttribute('aria-current', here(piece) ? 'step' : 'false');
  };
  return { update, mark };
}

/** Figures in words; the step of those that were measured at the same one is said once. */
const textOf = (figures) =>
  [...new Set(figures.map(({ step }) => step))]
    .map((at) => {
      const own = figures.filter(({ step }) => step === at).map(({ name, value }) => `${t(name)} ${num(value, 3)}`);
      return `${own.join(' · ')} ${t('at_step', { step: whole(at) })}`;
    })
    .join(' · ');

/**
 * The stretches of a run, below its curves.
 *
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeWays(page) {
  const list = $('#ways');
  const stretches = makeStretches(list, goTo);

  function update({ state }) {
    const pieces = (state.history ?? []).map((piece) => ({
      ...piece,
      key: `${piece.segment} ${piece.first}`,
      figures: Object.entries(piece.figures).map(([name, value]) => ({ name, value, step: piece.measured })),
      off: !state.steers,
    }));
    list.hidden = pieces.length < 2;
    if (!list.hidden) stretches.update(pieces);
  }
  /** Look at the end of a stretch; that of the last one is the live view. */
  function goTo({ segment, last, left }) {
    const newest = page.store.state.history.findLast((piece) => !piece.left);
    underway(page.look({ segment: left ? segment : null, step: !left && last >= newest.last ? null : last }));
  }
  /** Which stretch is in view. */
  function draw(store) {
    const step = page.lookingAt ?? viewStep(store);
    const own = (store.state?.history ?? []).filter(({ segment }) => segment === store.frame?.segment);
    const here = own.findLast(({ first }) => first < step) ?? own[0]; // a stretch ends with its last step
    stretches.mark(({ segment, first }) => segment === here?.segment && first === here?.first);
  }
  return { update, draw };
}
