/** How a run has ended, as the terminal says it: its test score, its figures, and of which step they are. */

import { $, el, smallButton } from './dom.js';
import { whole } from './numbers.js';
import { t } from './words.js';

/**
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeResult(page) {
  const section = el('section', { id: 'result', class: 'result', tabindex: 0, hidden: true });
  let shown = '';
  $('.vitals').append(section);

  function update({ state }) {
    const { result } = state;
    $('.vitals').classList.toggle('ended', Boolean(result) && state.view.step == null); // there is no next update then
    const key = JSON.stringify([result, state.steers, document.documentElement.lang]);
    if (key === shown) return;
    shown = key;
    section.hidden = !result;
    section.setAttribute('aria-label', t('result'));
    if (result) section.replaceChildren(...partsOf(result, state, page));
  }
  return { update };
}

function partsOf({ sentences: [ending, ...more], head, rows, kept, notes }, { steers }, page) {
  const see =
    kept?.step != null &&
    smallButton(() => page.lookAt(kept.step), { disabled: !steers }, t('see_kept', { step: whole(kept.step) }));
  return [
    el('h2', {}, t('result')),
    el('p', {}, ending),
    ...more.map((text) => el('p', { class: 'strong' }, text)),
    head.length && tableOf(head, ...rows),
    kept &&
      el(
        'p',
        { class: 'note' },
        kept.step == null
          ? t('kept_each', { last: whole(kept.last) })
          : t('kept_and_last', { epoch: whole(kept.epoch), step: whole(kept.step), last: whole(kept.last) }),
        ' ',
        see,
      ),
    notes.length &&
      el(
        'ul',
        { class: 'note' },
        notes.map((note) => el('li', {}, note)),
      ),
  ].filter(Boolean);
}

/** The panel is narrow: each metric is a column here, and a row in the terminal. */
function tableOf(...lines) {
  const [head, ...rows] = lines[0].map((_, k) => lines.map((line) => line[k]));
  return el(
    'div',
    { class: 'figures', tabindex: 0 },
    el(
      'table',
      {},
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          head.map((name) => (name ? el('th', { scope: 'col' }, name) : el('td'))),
        ),
      ),
      el(
        'tbody',
        {},
        rows.map(([name, ...cells]) =>
          el(
            'tr',
            {},
            el('th', { scope: 'row' }, name),
            cells.map((cell) => el('td', {}, cell)),
          ),
        ),
      ),
    ),
  );
}
