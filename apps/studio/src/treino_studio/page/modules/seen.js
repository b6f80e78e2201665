/** Which picture goes through the network, and which view of pictures the large panel shows. */

import { $, el, setText, smallButton } from './dom.js';
import { fixed, num, whole } from './numbers.js';
import { SPLITS } from './rows.js';
import { makeSketch } from './sketch.js';
import { t } from './words.js';

const TABS = ['mistakes', 'examples', 'sketch'];
const KEY = 'treino.reports.pictures'; // the view that a reload keeps

/**
 * page.seen: tab, the view that is open ("" for a table); choose(picture): send another one through the network.
 *
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeSeen(page) {
  const sketch = makeSketch(page);
  const split = $('#seen-split');
  const place = $('#seen-place');
  const seen = { tab: '', choose: (picture) => page.look({ picture }) };
  let key = '';
  let typing = false;

  split.addEventListener('change', () => seen.choose(split.value === 'drawn' ? 'drawn' : [split.value, 0]));
  place.addEventListener('input', () => {
    typing = true;
  });
  place.addEventListener('blur', () => {
    typing = false;
  });
  place.addEventListener('change', () => {
    typing = false;
    go(Number.parseInt(place.value, 10));
  });
  $('#seen-before').addEventListener('click', () => go(at() - 1));
  $('#seen-after').addEventListener('click', () => go(at() + 1));
  $('#views').replaceChildren(...TABS.map((tab) => smallButton(() => show(tab), { 'data-tab': tab })));

  const at = () => page.store.frame?.picture?.place ?? 0;

  /** Look at another picture of the same rows; past the last one comes the first. */
  function go(number) {
    const { split: rows, of } = page.store.frame?.picture ?? {};
    if (!rows || Number.isNaN(number)) return tell(page.store);
    seen.choose([rows, ((number % of) + of) % of]);
  }

  function show(tab) {
    seen.tab = tab;
    try {
      sessionStorage.setItem(KEY, tab);
    } catch {
      /* a private window keeps nothing */
    }
    update(page.store);
    page.invalidate();
  }

  function first(state) {
    if (state.data.kind !== 'image') return '';
    if (state.view.picture === 'drawn') return 'sketch';
    try {
      return TABS.find((tab) => tab === sessionStorage.getItem(KEY)) ?? TABS[0];
    } catch {
      return TABS[0];
    }
  }

  function update(store) {
    const { state } = store;
    const of = state.data.kind === 'image';
    for (const id of ['#seen', '#views']) $(id).hidden = !of;
    if (!of) return;
    seen.tab ||= first(state);
    const able = Boolean(state.data.pictures?.can_draw);
    if (seen.tab === 'sketch' && state.data.pictures && !able) seen.tab = TABS[0];
    for (const button of $('#views').children) {
      const { tab } = button.dataset;
      button.setAttribute('aria-pressed', tab === seen.tab);
      button.hidden = tab === 'sketch' && !able;
      setText(button, t(`tab_${nameOf(tab, state.data)}`));
    }
    const rows = SPLITS.filter((name) => state.data.rows[name] && !state.unseen.includes(name));
    const drawn = state.view.picture === 'drawn';
    const options = [
      ...rows.toReversed().map((name) => [name, t(name)]),
      ...(drawn ? [['drawn', t('your_picture')]] : []),
    ];
    if (JSON.stringify(options) !== key) {
      key = JSON.stringify(options);
      split.replaceChildren(...options.map(([value, text]) => el('option', { value }, text)));
    }
    for (const field of [split, place, $('#seen-before'), $('#seen-after')]) field.disabled = !state.steers;
    sketch.update(store);
  }

  function tell({ frame, state }) {
    const { picture, parts } = frame;
    const rows = picture.split != null;
    for (const id of ['#seen-place', '#seen-of', '#seen-before', '#seen-after']) $(id).hidden = !rows;
    if (document.activeElement !== split) split.value = picture.split ?? 'drawn';
    if (rows && !typing) place.value = picture.place;
    if (rows) setText($('#seen-of'), t('of_count', { n: whole(picture.of) }));
    setText($('#seen-says'), saysOf(picture, parts.answer.data, state.data));
  }

  function draw(store) {
    if (!store.frame?.picture || !store.state) return;
    tell(store);
    if (seen.tab === 'sketch') sketch.draw(store);
    $('#sketch').hidden = seen.tab !== 'sketch';
  }
  page.seen = seen;
  return {
    draw,
    update,
    relabel: () => {
      key = '';
    },
  };
}

/** A view's name, which hangs on what the pictures are. */
function nameOf(tab, { classes, pictures }) {
  if (tab === 'sketch' && pictures?.channels === 3) return 'picture';
  return tab === 'examples' && classes.length ? 'classes' : tab;
}

/** What is true of a picture, and what the network says of it. */
function saysOf({ true: right }, answer, { classes }) {
  if (!classes?.length)
    return right == null
      ? t('says_number', { value: num(answer[0]) })
      : t('true_says_number', { true: num(right), value: num(answer[0]) });
  if (answer.some(Number.isNaN)) return t('no_answer');
  const best = answer.reduce((top, share, k) => (share > answer[top] ? k : top), 0);
  const says = { value: classes[best], share: fixed(answer[best], 2) };
  return right == null ? t('says_class', says) : t('true_says_class', { true: classes[right], ...says });
}
