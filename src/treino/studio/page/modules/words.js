/** The words of the page, in the language that is chosen; the server has them at /words/LANG. */

import { $$ } from './dom.js';

export const LANGUAGES = ['en', 'pt_BR'];
export const language = { now: 'en' };
let sentences = {};

/** The reader's language: asked for in the address, chosen before, or the browser's. */
export function preferredLanguage() {
  const asked = new URLSearchParams(location.search).get('lang') ?? stored() ?? navigator.language;
  return asked.toLowerCase().startsWith('pt') ? 'pt_BR' : 'en';
}

const stored = () => { try { return localStorage.getItem('treino.language'); } catch { return null; } };

export async function useLanguage(name, keep = false) {
  const answer = await fetch(`/words/${name}`);
  if (!answer.ok) throw new Error(`/words/${name}: ${answer.status}`);
  sentences = await answer.json();
  language.now = name;
  document.documentElement.lang = name.replace('_', '-');
  if (keep) try { localStorage.setItem('treino.language', name); } catch { /* a private window keeps nothing */ }
}

/** The sentence of a key, with its {places} filled in; a key without a sentence shows itself. */
export function t(key, values = {}) {
  return (sentences[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

/** Write words into everything below root: data-t is a text, data-name an accessible name. */
export function label(root = document) {
  for (const node of $$('[data-t]', root)) node.textContent = t(node.dataset.t);
  for (const node of $$('[data-name]', root)) {
    node.setAttribute('aria-label', t(node.dataset.name));
    if (node.matches('button')) node.title = t(node.dataset.name);
  }
}
