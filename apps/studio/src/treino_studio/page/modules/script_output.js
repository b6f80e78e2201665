/** What a script prints, its newest lines: it follows them unless the reader has scrolled away. */

import { el, smallButton } from './dom.js';
import { panel } from './lines.js';
import { t } from './words.js';

const titleOf = (process) => (process === 'script' ? t('first_process') : process);
const NEAR = 12; // pixels from the last line at which one still follows

export function makeOutput() {
  const lines = el('div', {
    id: 'script-output',
    class: 'output',
    tabindex: 0,
    role: 'log',
    'aria-live': 'off',
    'aria-label': t('output'),
  });
  const newest = smallButton(
    () => {
      lines.scrollTop = lines.scrollHeight;
    },
    { class: 'small newest', hidden: true },
    t('newest_lines'),
  );
  const none = el('p', { class: 'hint' }, t('no_output'));
  let last = null;
  let next = 0; // the number of the next line
  let follows = true; // next: the number of the next line
  lines.addEventListener('scroll', () => {
    newest.hidden = follows = lines.scrollHeight - lines.scrollTop - lines.clientHeight < NEAR;
  });

  /**
   * output: { first, lines: [[stream, text]] }, whole; only what is new is added. Stream "process": from here on
   * another one prints.
   */
  function update(output) {
    none.hidden = Boolean(output?.lines.length);
    lines.hidden = !none.hidden;
    if (!output || output === last) return;
    last = output;
    const { first, lines: all } = output;
    if (next > first + all.length) next = 0; // another studio at the same address
    while (lines.childElementCount && (next === 0 || lines.childElementCount > next - first)) lines.firstChild.remove();
    lines.append(
      ...all
        .slice(Math.max(0, next - first))
        .map(([stream, text]) =>
          el(
            'p',
            { class: { stderr: 'err', process: 'from' }[stream] },
            stream === 'process' ? titleOf(text) : text || ' ',
          ),
        ),
    );
    next = first + all.length;
    if (follows) lines.scrollTop = lines.scrollHeight;
  }
  return { node: panel(t('output'), none, el('div', { class: 'printed' }, lines, newest)), update };
}
