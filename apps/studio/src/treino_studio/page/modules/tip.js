/** The small box beside the pointer: a number with its step and rows, what a term means, why a button is off. */

import { $, el, setText } from './dom.js';
import { clamp } from './numbers.js';
import { t } from './words.js';

const REST = 250; // milliseconds until a term under the pointer is explained

export const head = (text) => el('p', { class: 'head' }, text);
export const pair = (name, value, bar = null) =>
  el('p', { class: 'pair' }, el('span', {}, name), bar, el('b', {}, value));
export const soft = (text) => el('p', { class: 'soft' }, text);

/** A bar as long as a share, in a colour. */
export function shareBar(share, colour) {
  const bar = el('i', { class: 'share' });
  bar.style.width = `${Math.round(clamp(share, 0, 1) * 72)}px`;
  bar.style.background = colour;
  return bar;
}

export function showTip(event, ...lines) {
  const tip = $('#tip');
  const x = event.clientX;
  const y = event.clientY;
  tip.replaceChildren(...lines.flat().filter(Boolean));
  tip.hidden = false;
  const width = tip.offsetWidth;
  const height = tip.offsetHeight;
  const above = y + 18 + height > innerHeight || y > innerHeight * 0.6;
  tip.style.left = `${clamp(x + 16, 8, Math.max(8, innerWidth - width - 8))}px`;
  tip.style.top = `${above ? Math.max(8, y - height - 14) : y + 18}px`;
}

/** Show lines at a place (x, y of a canvas) that a key has reached, and say them to who reads by ear. */
export function readTip(canvas, x, y, ...lines) {
  const at = canvas.getBoundingClientRect();
  showTip({ clientX: at.left + x, clientY: at.top + y }, ...lines);
  const heard = ({ childNodes }) => [...childNodes].map(({ textContent }) => textContent).filter(Boolean);
  say([...$('#tip').children].map((line) => heard(line).join(' ')).join('. '));
}

/** Say a sentence to who reads by ear, where nothing is to be seen of it. */
export function say(text) {
  if (!$('#heard')) document.body.append(el('p', { id: 'heard', class: 'vh', 'aria-live': 'polite' }));
  setText($('#heard'), text);
}

export function hideTip() {
  $('#tip').hidden = true;
}

/** What makes an element of el() a term that is explained: about('loss') says the sentence of about_loss. */
export const about = (key) => ({ 'data-about': key, tabindex: 0, 'aria-description': t(`about_${key}`) });

/**
 * Explain what has data-about, under the pointer, a finger, or the keyboard; and of what is disabled, why: by its
 * data-why, or that of the stage.
 */
export function startTerms() {
  let waiting = 0;
  let shown = null;
  const termOf = (node) =>
    node.closest?.('[data-about], :disabled') ?? [...(node.labels ?? [])].find((label) => label.dataset.about) ?? null;
  const close = () => {
    clearTimeout(waiting);
    if (shown) hideTip();
    shown = null;
  };
  const open = (node, rest) => {
    if (node === shown) return;
    close();
    if (node)
      waiting = setTimeout(() => {
        const box = node.getBoundingClientRect();
        const why = node.matches(':disabled') && (node.dataset.why || $('#stage').dataset.why);
        shown = node;
        if (why || node.dataset.about)
          showTip(
            { clientX: box.left - 16, clientY: box.bottom - 12 },
            el('p', {}, why || t(`about_${node.dataset.about}`)),
          );
      }, rest);
  };
  document.addEventListener('pointerover', ({ target, pointerType }) => {
    if (pointerType !== 'touch') open(termOf(target), REST);
  });
  document.addEventListener('focusin', (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.matches(':focus-visible:not([aria-invalid])')) open(termOf(target), 0);
  });
  document.addEventListener('keydown', close);
  document.addEventListener('focusout', close);
  document.addEventListener('pointerdown', ({ target, pointerType }) => {
    close();
    // what is pressed is not explained until the pointer comes again
    if (pointerType !== 'touch') shown = termOf(target);
  });
  document.addEventListener('scroll', close, true);
  document.addEventListener('click', (event) => {
    const found = event.pointerType === 'touch' ? termOf(event.target) : null;
    const term = found?.matches('button:enabled') ? null : found;
    if (term?.matches('label')) event.preventDefault(); // its field would take the finger for itself
    open(term, 0);
  });
}
