/** What a script prints, its newest lines: it follows them unless the reader has scrolled away. */

import { el } from './dom.js';
import { panel } from './lines.js';
import { t } from './words.js';

const NEAR = 12; // pixels from the last line at which one still follows

export function makeOutput() {
  const lines = el('ol', { id: 'script-output', class: 'output', tabindex: 0, role: 'log', 'aria-live': 'off', 'aria-label': t('output') });
  const newest = el('button', { type: 'button', class: 'small newest', hidden: true, onclick: () => { lines.scrollTop = lines.scrollHeight; } }, t('newest_lines'));
  const none = el('p', { class: 'hint' }, t('no_output'));
  let next = 0; // the number of the next line
  const follows = () => lines.scrollHeight - lines.scrollTop - lines.clientHeight < NEAR;
  lines.addEventListener('scroll', () => { newest.hidden = follows(); });

  /** output: { first, lines: [[stream, text]] }, whole; only what is new is added. */
  function update(output) {
    none.hidden = Boolean(output?.lines.length);
    lines.hidden = !none.hidden;
    if (!output) return;
    const followed = follows(), { first, lines: all } = output;
    if (next > first + all.length) next = 0; // another studio at the same address
    while (lines.childElementCount && (next === 0 || lines.childElementCount > next - first)) lines.firstChild.remove();
    lines.append(...all.slice(Math.max(0, next - first)).map(([stream, text]) => el('li', { class: stream === 'stderr' ? 'err' : null }, text || ' ')));
    next = first + all.length;
    if (followed) lines.scrollTop = lines.scrollHeight;
  }
  return { node: panel(t('output'), none, el('div', { class: 'printed' }, lines, newest)), update };
}
