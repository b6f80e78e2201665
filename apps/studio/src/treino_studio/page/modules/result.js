/** How a run has ended: the blocks that the terminal prints too, with a way to the kept weights. */

import { blockNodes } from './blocks.js';
import { $, el, smallButton } from './dom.js';
import { whole } from './numbers.js';
import { t } from './words.js';

/**
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeResult(page) {
  const section = el('section', { id: 'result', class: 'result blocks', tabindex: 0, hidden: true });
  let shown = '';
  $('.vitals').append(section);

  function update({ state: { result, steers, view } }) {
    $('.vitals').classList.toggle('ended', Boolean(result) && view.step == null); // there is no next update then
    const key = JSON.stringify([result, steers, document.documentElement.lang]);
    if (key === shown) return;
    shown = key;
    section.hidden = !result;
    section.setAttribute('aria-label', t('result'));
    const see = ({ step }) =>
      step != null && smallButton(() => page.lookAt(step), { disabled: !steers }, t('see_kept', { step: whole(step) }));
    const beside = (block) => block.key === 'kept' && [t('pictures_last'), ' ', see(block)];
    if (result) section.replaceChildren(el('h2', {}, t('result')), ...blockNodes(result, { beside, turned: true }));
  }
  return { update };
}
