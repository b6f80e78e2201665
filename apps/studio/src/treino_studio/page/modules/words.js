/** The words of the page, in the language that is chosen. Workers have them, too. */

import { $$ } from './dom.js';

export const LANGUAGES = ['en', 'pt_BR'];
export const language = { now: 'en' };
let sentences = {};

/** Speak a language from now on: its sentences by their keys. */
export function setWords(name, words) {
  sentences = words;
  language.now = name;
}

/** The sentence of a key, with its {places} filled in, and {n:row|rows}; a key without one shows itself. */
export function t(key, values = {}) {
  return (sentences[key] ?? key).replace(/\{(\w+)(?::([^{|}]*)\|([^{|}]*))?\}/g, (_, name, one, many) => {
    return one === undefined ? (values[name] ?? '') : String(values[name]) === '1' ? one : many;
  });
}

const DECIMALS = /\d+(\.\d+)?(, ?\d+(\.\d+)?)+/g; // a list of numbers

/** Numbers of a text in the reader's form: their decimal sign, and between those of a list another one. */
export const localised = (text) =>
  language.now === 'pt_BR'
    ? text
        .replace(DECIMALS, (list) => (list.includes('.') ? list.replace(/, ?/g, '; ') : list))
        .replace(/(\d)\.(?=\d)/g, '$1,')
    : text;

/** Write words into everything below root: data-t is a text, data-name an accessible name, data-about a term. */
export function label(root = document) {
  for (const node of $$('[data-t]', root)) node.textContent = t(node.dataset.t);
  for (const node of $$('[data-name]', root)) {
    node.setAttribute('aria-label', t(node.dataset.name));
    if (node.matches('button')) node.title = t(node.dataset.name);
  }
  for (const node of $$('[data-about]', root)) {
    (node.control ?? node).setAttribute('aria-description', t(`about_${node.dataset.about}`));
    if (!node.control && node.tabIndex < 0) node.tabIndex = 0;
  }
}
