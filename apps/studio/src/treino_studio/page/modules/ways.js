/** The ways that a run has gone, as a small tree: each stretch with what was changed and its figures; a click goes there. */

import { $, el, setText } from './dom.js';
import { num, whole } from './numbers.js';
import { viewStep } from './store.js';
import { t } from './words.js';

export function makeWays(page) {
  const list = $('#ways'), rows = new Map(); // by segment and first step: the elements of a stretch

  function update({ state }) {
    const pieces = state.history ?? [], end = Math.max(1, ...pieces.map(({ last }) => last)), keys = pieces.map(({ segment, first }) => `${segment} ${first}`);
    list.hidden = pieces.length < 2;
    if (list.hidden) return;
    for (const key of rows.keys()) if (!keys.includes(key)) rows.delete(key);
    pieces.forEach((piece, k) => {
      const row = rows.get(keys[k]) ?? made();
      rows.set(keys[k], row);
      Object.assign(row, { piece });
      row.item.classList.toggle('left', piece.left);
      row.bar.style.left = `${(100 * piece.first) / end}%`;
      row.bar.style.width = `${(100 * (piece.last - piece.first)) / end}%`;
      setText(row.what, piece.text || t(piece.first ? 'way_as_before' : 'way_begins'));
      setText(row.steps, t('way_steps', { first: whole(piece.first), last: whole(piece.last) }));
      setText(row.figures, Object.entries(piece.figures).map(([name, value]) => `${t(name)} ${num(value, 3)}`).join(' · '));
      row.button.disabled = !state.steers;
    });
    const items = keys.map((key) => rows.get(key).item);
    if (items.some((item, k) => list.children[k] !== item) || list.children.length !== items.length) list.replaceChildren(...items);
  }

  function made() {
    const bar = el('i'), [what, steps, figures] = ['b', 'span', 'span'].map((tag) => el(tag)), row = { bar, what, steps, figures };
    row.button = el('button', { type: 'button', onclick: () => goTo(row.piece) }, el('span', { class: 'lane', 'aria-hidden': 'true' }, bar), what, steps, figures);
    row.item = el('li', {}, row.button);
    return row;
  }
  /** Look at the end of a stretch; that of the last one is the live view. */
  function goTo({ segment, last, left }) {
    const newest = page.store.state.history.findLast((piece) => !piece.left);
    page.look({ segment: left ? segment : null, step: !left && last >= newest.last ? null : last });
  }

  /** Which stretch is in view. */
  function draw(store) {
    const step = page.lookingAt ?? viewStep(store), here = store.state?.history?.findLast(({ segment, first }) => segment === store.frame?.segment && first <= step);
    for (const { piece, button } of rows.values()) button.setAttribute('aria-current', piece === here ? 'step' : 'false');
  }
  return { update, draw };
}
