/** The small box beside the pointer that has the number, its step and its rows. */

import { $, el } from './dom.js';
import { clamp } from './numbers.js';

export const head = (text) => el('p', { class: 'head' }, text);
export const pair = (name, value, bar = null) => el('p', { class: 'pair' }, el('span', {}, name), bar, el('b', {}, value));
export const soft = (text) => el('p', { class: 'soft' }, text);

/** A bar as long as a share, in a colour. */
export function shareBar(share, colour) {
  const bar = el('i', { class: 'share' });
  bar.style.width = `${Math.round(clamp(share, 0, 1) * 72)}px`;
  bar.style.background = colour;
  return bar;
}

export function showTip(event, ...lines) {
  const tip = $('#tip'), x = event.clientX, y = event.clientY;
  tip.replaceChildren(...lines.flat().filter(Boolean));
  tip.hidden = false;
  const width = tip.offsetWidth, height = tip.offsetHeight;
  const above = y + 18 + height > innerHeight || y > innerHeight * 0.6;
  tip.style.left = `${clamp(x + 16, 8, Math.max(8, innerWidth - width - 8))}px`;
  tip.style.top = `${above ? Math.max(8, y - height - 14) : y + 18}px`;
}

export function hideTip() {
  $('#tip').hidden = true;
}
