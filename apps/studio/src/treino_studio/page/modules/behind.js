/** The training rows behind the answer to a row that is clicked, as the server estimates them. */

import { refusalText } from './connection.js';
import { el, smallButton } from './dom.js';
import { soft } from './tip.js';
import { t } from './words.js';

export const behindTip = () => soft(t('click_behind'));

/** Ask for them, and show them in a dialog. row: its number. */
export async function showBehind(page, row) {
  const title = el('h2', { id: 'behind-title' }, t('behind'));
  const body = el('div', { 'aria-live': 'polite' }, el('p', { class: 'hint busy' }, t('working')));
  const dialog = el(
    'dialog',
    {
      id: 'behind',
      class: 'wide',
      'aria-labelledby': 'behind-title',
      onclose: () => dialog.remove(),
      onclick: (event) => {
        if (event.target === dialog) dialog.close();
      },
    },
    el(
      'header',
      {},
      title,
      smallButton(() => dialog.close(), { class: 'small shut', autofocus: true, 'aria-label': t('close') }, '×'),
    ),
    body,
  );
  page.shell.stage.append(dialog);
  dialog.showModal();
  try {
    const { title: answer, about, head, rows } = await page.send('proponents', { row });
    title.textContent = answer;
    body.replaceChildren(
      el('p', { class: 'hint' }, about),
      el(
        'div',
        { class: 'figures', tabindex: 0, role: 'region', 'aria-labelledby': 'behind-title' },
        el(
          'table',
          {},
          el(
            'thead',
            {},
            el(
              'tr',
              {},
              head.map((name) => el('th', { scope: 'col' }, name)),
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
                cells.map((cell) => el('td', {}, cell.png ? pictureOf(cell) : cell)),
              ),
            ),
          ),
        ),
      ),
    );
  } catch (refusal) {
    body.replaceChildren(el('p', { class: 'note' }, refusalText(refusal)));
  }
}

/** The page may load nothing but its own files and blobs. */
function pictureOf({ png, alt }) {
  const src = URL.createObjectURL(
    new Blob([Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0))], { type: 'image/png' }),
  );
  return el('img', { src, alt, onload: () => URL.revokeObjectURL(src) });
}
