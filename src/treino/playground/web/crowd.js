/** The view of many networks. (Placeholder.) */
import { el } from '../../studio/page/modules/dom.js';
export function open(shell) {
  shell.stage.replaceChildren(el('div', { class: 'page' }, el('section', { class: 'panel' }, 'crowd')));
  return { keys: [], relabel() {}, redraw() {}, close() {} };
}
