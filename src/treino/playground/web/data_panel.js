/** (Placeholder.) */
import { el } from '../../studio/page/modules/dom.js';
export function makeDataPanel(root, { problem, changed }) {
  root.append(el('div', { class: 'tabs' }, ['moons', 'circles', 'spirals'].map((source) => el('button', { type: 'button', onclick: () => changed({ ...problem, source }) }, source))));
  return {};
}
