/** An ensemble: which of its networks answer, and whose weights are drawn. */

import { $, el } from './dom.js';
import { whole } from './numbers.js';
import { t } from './words.js';

/**
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeMembers(page) {
  const choice = el('select', { onchange: () => page.look({ member: Number(choice.value) }) });
  const says = el('span', { class: 'note' });
  const row = el('div', { class: 'members', hidden: true }, choice, says);
  let shown = '';
  let wanted = page.shell.asked?.('member');
  $('#network > header').after(row);

  function update({ state: { ensemble, steers } }) {
    if (wanted != null && ensemble && steers) page.look({ member: Number(wanted) }); // of treino studio RUN --member
    if (ensemble) wanted = null;
    const key = JSON.stringify([ensemble, steers, document.documentElement.lang]);
    if (key === shown) return;
    shown = key;
    row.hidden = !ensemble;
    if (!ensemble) return;
    const { size, answering, drawn } = ensemble;
    const name = (k) => t(answering.includes(k) ? 'member_answers' : 'member_silent', { n: whole(k) });
    choice.replaceChildren(...Array.from({ length: size }, (_, k) => el('option', { value: k }, name(k))));
    choice.value = drawn;
    choice.disabled = !steers;
    choice.setAttribute('aria-label', t('weights_of'));
    says.textContent = t('members_answer', {
      n: whole(answering.length),
      members: whole(size),
      which: answering.map(whole).join(', '),
    });
  }
  return { update };
}
