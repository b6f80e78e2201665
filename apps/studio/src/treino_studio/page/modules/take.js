/** Take it with you: keep, weights, script, report, film, and the command that trains the same again. */

import { refusalText, replyOf } from './connection.js';
import { $, el, makeButton, setText } from './dom.js';
import { clamp } from './numbers.js';
import { underway } from './press.js';
import { t } from './words.js';

const FORMS = ['weights', 'script', 'report', 'gif', 'command']; // what a server makes; else state.takes says

/**
 * shell.takes may have more forms, which the page itself makes: {name: () => …}.
 *
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeTake(page) {
  const own = page.shell.takes ?? {};
  const menu = $('#take');
  const field = $('#keep-name');
  menu.addEventListener('toggle', (event) => {
    if (event.newState !== 'open') return;
    const button = $('#save').getBoundingClientRect();
    menu.style.top = `${Math.max(8, Math.min(button.bottom + 8, innerHeight - menu.offsetHeight - 8))}px`;
    menu.style.left = `${clamp(button.right - menu.offsetWidth, 8, Math.max(8, innerWidth - menu.offsetWidth - 8))}px`;
    field.value = page.store.name;
    $('button, input', menu).focus();
  });
  $('#keep').addEventListener('submit', async (event) => {
    event.preventDefault();
    const name = field.value.trim();
    const refuse = (text) => {
      $('#keep-error').hidden = !text;
      setText($('#keep-error'), text);
    };
    if (!(await replyOf(underway(page.send('keep', { name })), refuse))) return;
    refuse('');
    menu.hidePopover();
    page.say(t('kept_as', { name }), 'info', page.toOpen(name));
  });

  function relabel() {
    const forms = [...(page.store.state?.takes ?? FORMS), ...Object.keys(own)];
    $('#take-list').replaceChildren(
      ...forms.map((form) =>
        makeButton(() => take(form), {}, el('b', {}, t(`take_${form}`)), el('span', {}, t(`take_${form}_about`))),
      ),
    );
  }

  async function take(form) {
    menu.hidePopover();
    if (own[form]) return own[form]();
    if (form === 'command' && page.store.state.command)
      return page.shell.showText(t('take_command'), page.store.state.command);
    page.say(t('writing'), 'busy');
    page.takes = true; // what it hears of the making is its own
    try {
      const { name, type, text, bytes } = await page.connection.take(form);
      page.say('');
      if (text != null && form === 'command') return page.shell.showText(t('take_command'), text);
      const url = URL.createObjectURL(new Blob([text ?? bytes], { type }));
      el('a', { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
      page.say(t('saved_as', { name }));
    } catch (refusal) {
      page.say(refusal instanceof TypeError ? t('mute') : refusalText(refusal), 'warning');
    } finally {
      page.takes = false;
    }
  }

  function update({ state }) {
    $('#keep').hidden = !state.steers || Boolean(state.takes);
    if (state.takes && menu.dataset.forms !== String(state.takes)) {
      menu.dataset.forms = String(state.takes);
      relabel();
    }
  }
  return { relabel, update };
}
