/** Elements of the page: finding them and making them. Texts become text nodes, never markup. */

import { afterPress } from './press.js';

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const NAMESPACES = { svg: 'http://www.w3.org/2000/svg', math: 'http://www.w3.org/1998/Math/MathML' };

/** Attributes that start with "on" are listeners; true is an empty attribute, false and null none. */
function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true && !name.startsWith('aria-')) node.setAttribute(name, '');
    else if (value != null && (value !== false || name.startsWith('aria-'))) node.setAttribute(name, String(value));
  }
  node.append(...children.flat(2).filter((child) => child != null && child !== false));
  return node;
}

export const el = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) =>
  filled(document.createElementNS(NAMESPACES.svg, tag), attributes, children);
export const math = (tag, attributes, ...children) =>
  filled(document.createElementNS(NAMESPACES.math, tag), attributes, children);

/** A button that does this. */
export const makeButton = (act, attributes, ...children) =>
  el('button', { type: 'button', ...attributes, onclick: act }, ...children);
export const smallButton = (act, attributes, ...children) =>
  makeButton(act, { class: 'small', ...attributes }, ...children);

/** A copy of what stands in a <template> of index.html. */
export function fromTemplate(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return template.content.cloneNode(true);
}

/** The element that the keyboard has reached. */
export const focusedNode = () => /** @type {HTMLElement | null} */ (document.activeElement);

/** Where a pointer is inside the element that listens, in CSS pixels. */
export function pointIn(event) {
  const box = event.currentTarget.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/** Show only if it is not shown yet: writing the same text again makes screen readers speak. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Say under a field why what stands there is refused, and leave it to be mended; an empty sentence: it is fine. */
export function refuseField(field, sentence) {
  if (sentence) field.setAttribute('aria-invalid', 'true');
  else field.removeAttribute('aria-invalid');
  afterPress(() => noteUnder(field, sentence)); // it leaves the field as something else is pressed
}
function noteUnder(field, sentence) {
  let note = document.getElementById(field.getAttribute('aria-describedby'));
  if (!note && !sentence) return;
  if (!note) {
    note = el('p', { id: `refused-${field.id || field.dataset.act}`, class: 'bad', role: 'alert' });
    field.setAttribute('aria-describedby', note.id);
    const place = field.closest('.line, .stepper, .ask');
    if (place.matches('.ask')) place.append(note);
    else place.after(note);
  }
  note.hidden = !sentence;
  setText(note, sentence);
}

/** The number that is typed, also with a comma; NaN where there is none. */
export const numberIn = (text) =>
  text.trim() ? Number(text.replace(/\s/g, '').replace(',', '.').replace('−', '-')) : NaN;

/** A canvas as sharp as the screen, cleared: its context in CSS pixels, its width and height. */
export function cleared(canvas) {
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
