/**
 * The shell of all pages: header, words, theme, keys, notices, and which page stands at the address.
 *
 * A page is a module with open(shell, name), which may be a promise. pages of startShell says at which addresses it
 * stands; name is what the address has in brackets, decoded. open() fills shell.stage (and shell.tools, in the header)
 * and returns
 *   keys      [{key, shown, word, act, able}]: its keyboard, also listed by the help
 *   relabel   () => …: write its words anew, in the language that is chosen now
 *   redraw    () => …: the colours have changed
 *   language  () => …: the server is to speak another language, too (optional)
 *   close     () => …: another page comes; give back sockets and listeners
 * The shell gives it tools and stage (elements), say(text, kind, {action}) of notices.js, title(name, about),
 * transport(path) and connected(kind, seconds) for a Connection, showText(title, text), instead(...nodes), and
 * go(address), whose promise is the page that is open then.
 * Its markup is a <template> of index.html or made by dom.js; data-t and data-name in it are labelled here.
 */

import { $, $$, el, setText } from './dom.js';
import { closeNotices, say, startNotices } from './notices.js';
import { startPresses } from './press.js';
import { otherTheme, startTheme } from './theme.js';
import { hideTip, startTerms } from './tip.js';
import { LANGUAGES, label, language, setWords, t } from './words.js';

// style.css says what each takes from the header
const GIVES = ['near', 'word', 'small', 'full', 'stop', 'play', 'acts', 'speed'];

/**
 * What stands in the header gives way, one after the other, while it has no room; as often as its parts change their
 * size.
 */
function narrowHeader() {
  const bar = $('.bar');
  for (let count = 0; count <= GIVES.length; count++) {
    bar.dataset.tight = GIVES.slice(0, count).join(' ');
    if (bar.scrollWidth <= bar.clientWidth && bar.scrollHeight <= bar.clientHeight) return;
  }
}

function watchHeader(header) {
  header.disconnect();
  for (const node of $$('.bar, .bar > *, #tools > *')) header.observe(node);
}

/**
 * What pages find in the shell; own of startShell comes on top.
 *
 * @typedef {{
 *   open: () => Promise<void>, tools: HTMLElement, stage: HTMLElement, asked: (name: string) => string | null,
 *   transport: (path: string) => any, say: typeof say, title: (name: string, about: string) => void,
 *   connected: (kind: string, seconds: number, why?: string) => void, showText: (title: string, text: string) => void,
 *   instead: (...nodes: Node[]) => void, go: (to: string) => Promise<any>,
 *   takes?: Record<string, () => Promise<any>>,
 * }} Shell
 */

/**
 * Start the page.
 *
 * brand: what stands in its title. pages: [[pattern of an address, () => its module, or a promise of it]]. address():
 * the one that is open. asked(name): what the address asks for beside ("lang", "theme"), or null. transport(path): the
 * way to what answers there, described in socket.js. words(language): its sentences by their keys, or a promise of
 * them. own: what its pages find in the shell besides. begun(shell): before the first page. shown(): a page is open, or
 * its words or colours have changed.
 */
export async function startShell({
  brand,
  pages,
  address,
  asked,
  transport,
  words,
  own = {},
  begun = (_shell) => {},
  shown = () => {},
}) {
  let current = null;
  let opening = 0;
  const header = new ResizeObserver(() => requestAnimationFrame(narrowHeader));

  /** @type {Shell} */
  const shell = {
    open: openPage,
    tools: $('#tools'),
    stage: $('#stage'),
    asked,
    transport,
    say,
    title(name, about) {
      setText($('#name'), name);
      setText($('#about'), about);
      document.title = `${name} · ${brand}`;
    },
    connected(kind, seconds, why) {
      const banner = $('#connection');
      banner.hidden = kind === 'open';
      document.body.classList.toggle('lost', kind !== 'open');
      const words =
        kind === 'open'
          ? ''
          : (why ?? t(kind === 'mute' ? 'mute' : 'lost', { seconds: Math.max(1, Math.round(seconds)) }));
      setText(banner, words);
    },
    showText(title, text) {
      setText($('#text-title'), title);
      setText($('#text-body'), text);
      setText($('#text-copy'), t('copy'));
      $('#text').showModal();
    },
    /** Close the page that is open, and show elements in its place. */
    instead(...nodes) {
      opening++;
      current?.close();
      current = null;
      hideTip();
      shell.tools.replaceChildren();
      shell.stage.replaceChildren(...nodes);
    },
    go(to) {
      history.pushState(null, '', to);
      return openPage();
    },
    ...own,
  };

  async function openPage() {
    shell.instead();
    const number = opening;
    for (const [pattern, load] of pages) {
      const match = pattern.exec(address());
      if (!match) continue;
      const name = decodeURIComponent(match[1] ?? '');
      shell.title(name, '');
      const page = await (await load()).open(shell, name);
      if (number !== opening) {
        // another address came meanwhile
        page.close();
        return null;
      }
      current = page;
      label();
      watchHeader(header);
      shown();
      return current;
    }
    shell.title(t('no_page'), address());
    return null;
  }

  async function useLanguage(name) {
    setWords(name, await words(name));
    document.documentElement.lang = name.replace('_', '-');
  }

  function relabel() {
    current?.relabel();
    label();
    const other = LANGUAGES.find((name) => name !== language.now);
    const button = $('#language');
    setText(button, other === 'en' ? 'EN' : 'PT');
    button.lang = other.replace('_', '-');
    button.setAttribute('aria-label', `${button.textContent}, ${t('other_language')}`);
    shown();
  }
  function redraw() {
    current?.redraw();
    shown();
  }

  function showHelp() {
    const keys = [...(current?.keys ?? []), { shown: '?', word: 'key_help' }];
    $('#help-keys').replaceChildren(
      ...keys.flatMap(({ key, shown, word }) => [
        el('dt', {}, el('kbd', {}, key === ' ' ? t('space') : shown)),
        el('dd', {}, t(word)),
      ]),
    );
    $('#help').showModal();
  }

  function listen() {
    $('#theme').addEventListener('click', () => {
      otherTheme();
      redraw();
    });
    $('#language').addEventListener('click', async () => {
      await useLanguage(LANGUAGES.find((name) => name !== language.now));
      try {
        sessionStorage.removeItem('treino.language');
        localStorage.setItem('treino.language', language.now);
      } catch {
        /* a private window keeps nothing */
      }
      relabel();
      current?.language?.();
    });
    $('#help-open').addEventListener('click', showHelp);
    for (const button of $$('[data-close]')) button.addEventListener('click', () => button.closest('dialog').close());
    for (const dialog of $$('dialog'))
      dialog.addEventListener('click', (event) => {
        if (event.target === dialog) dialog.close();
      });
    $('#text-copy').addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText($('#text-body').textContent);
        setText($('#text-copy'), t('copied'));
      } catch {
        // over plain http from another machine there is no clipboard: the text is selected instead
        getSelection().selectAllChildren($('#text-body'));
      }
    });
    addEventListener('popstate', openPage);
    document.addEventListener('keydown', pressed);
    startNotices();
    startPresses();
    startTerms();
  }

  /** Keys are the page's, unless a field, a slider, or a button that the keyboard has reached owns them. */
  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || $('dialog[open]')) return;
    const focused = document.activeElement;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const types = focused?.matches('input:not([type=range]), select, textarea, pre');
    const slides = focused?.matches('input[type=range]');
    const owns =
      key === ' '
        ? focused?.matches('button, summary, a') && focused.matches(':focus-visible')
        : slides && key.startsWith('Arrow');
    if ((types && key !== 'Escape') || owns) return;
    if (key === '?') return showHelp();
    if (key === 'Escape') hideTip();
    if (key === 'Escape' && closeNotices(true)) return;
    const entry = current?.keys.find((each) => each.key === key);
    const able = entry?.able() && !(event.repeat && key === ' ');
    if (able && (key === ' ' || key.startsWith('Arrow'))) event.preventDefault();
    if (!(able && entry.act()) && key === 'Escape') closeNotices();
  }

  startTheme(asked('theme'), redraw);
  await useLanguage(preferredLanguage(asked('lang')));
  listen();
  begun(shell);
  await openPage();
  relabel();
}

/** The reader's language: asked for in the address, chosen before, or the browser's. */
export function preferredLanguage(asked) {
  let stored = null;
  try {
    stored = localStorage.getItem('treino.language');
  } catch {
    /* a private window keeps nothing */
  }
  const languages = navigator.languages ?? [navigator.language];
  const wanted = [asked, stored, ...languages].map((name) => String(name ?? '').toLowerCase());
  return wanted.find((name) => /^(pt|en)\b/.test(name.replace('_', '-')))?.startsWith('pt') ? 'pt_BR' : 'en';
}
