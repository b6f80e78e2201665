/** A field for a number of a script: what is no such number is refused beside it. */

import { el, numberIn, refuseField, setText } from './dom.js';
import { num } from './numbers.js';
import { t } from './words.js';

const LARGEST = 1e6; // of a learning rate or a weight decay
const BELOW_ONE = ['momentum', 'beta1', 'beta2']; // a running average with 1 would never forget

/** Why a setting can't be what a text says; '': it can. */
export function refusal(setting, text) {
  const value = numberIn(text);
  if (Number.isNaN(value)) return t('no_number', { text });
  if (BELOW_ONE.includes(setting)) return value >= 0 && value < 1 ? '' : t('from_0_below_1');
  return value >= 0 && value <= LARGEST ? '' : t('from_0_to', { most: num(LARGEST) });
}

/**
 * A labelled field. check(text): why it can't be that, or ''. send(text): a promise of why it was refused, or of ''.
 * → { node, field, holds(), refuse(text), update(value, off, note) }; holds() checks, and says beside the field what is
 * wrong; update() leaves alone what somebody is typing, and what was refused until it is put right.
 */
export function field(id, label, value, check, { send = null, wide = false } = {}) {
  const input = el('input', {
    id,
    type: 'text',
    inputmode: wide ? null : 'decimal',
    class: wide ? 'wide' : null,
    autocomplete: 'off',
    value,
  });
  const note = el('p', { class: 'hint until', hidden: true });
  const node = el('div', { class: 'ask' }, el('label', { for: id }, label), input, note);
  const refused = () => input.matches('[aria-invalid]');
  const refuse = (text) => refuseField(input, text);
  function holds() {
    refuse(check(input.value));
    return !refused();
  }
  function update(next, off, text) {
    input.disabled = off;
    if (document.activeElement !== input && !refused()) input.value = next;
    setText(note, text);
    note.hidden = !text;
  }
  input.addEventListener('change', async () => {
    if (holds() && send) refuse(await send(input.value));
  });
  return { node, field: input, holds, refuse, update };
}
