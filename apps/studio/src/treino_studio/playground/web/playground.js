/**
 * The playground's entry: the studio's shell over a worker in place of a server, with two views and the data beside
 * them.
 *
 * To what app.js says of a shell it adds, for the views:
 *   tab        where it trains (tab.js): create(), transport(), crowd()
 *   tables     the tables in the page by name, as problems.js has them
 *   wanted()   a promise of what the address says: {problem, settings, step, actions}
 *   visit(wanted, rest)   go on there with these, as a new entry of the browser's history; rest: other keys, null: away
 *   note(wanted, rest)    what the address says from now on; nothing is opened anew
 *   asked(name)           the text of a key of the address, or null
 *   go(address)           another run of this tab, such as a branch, in the view's place: its page
 *   hidden(act)           act() whenever the tab goes into the background; → a function that ends it
 */

import { preferredLanguage, startShell } from '../../page/modules/app.js';
import { $, el, makeButton, setText, smallButton } from '../../page/modules/dom.js';
import { label, t } from '../../page/modules/words.js';
import { asked, hiddenNames, readAddress, writeAddress } from './address.js';
import { open as openMany } from './crowd.js';
import { makeDataPanel } from './data_panel.js';
import { usualOf } from './defaults.js';
import { open as openOne } from './one.js';
import { unpacked } from './pixel_table.js';
import { startTab } from './tab.js';

/** source: the page's own script, which its worker runs, too. */
export function start(source) {
  const { kernel, words, tables, table, address } = JSON.parse($('#parts').textContent);
  let shell = null;
  let trouble = null;
  const tab = startTab(
    source,
    { kernel, words, language: preferredLanguage(asked('lang')) },
    {
      failed: ({ message }) => cannot(message),
      replaced() {
        trouble = 'no_worker';
        shell?.say(t(trouble), 'warning');
      },
    },
  );
  for (const name of Object.keys(tables)) tables[name] = unpacked(tables[name]);
  if (table) tables[table.name] = table;
  if (address && !location.hash) history.replaceState(null, '', address);

  const pages = [
    [/[#&]view=many(?:&|$)/, () => ({ open: openMany })],
    [/^/, () => ({ open: openOne })],
  ];
  const own = {
    tab,
    tables,
    asked,
    wanted: () => readAddress(location.hash, { tables, kept: history.state }),
    async visit(wanted, rest) {
      const { hash, left } = await writeAddress(location.hash, wanted, rest, { tables });
      keep('pushState', wanted, hash);
      if (left) shell.say(t('data_too_long'), 'warning');
      return shell.open();
    },
    async note(wanted, rest) {
      const { hash } = await writeAddress(location.hash, wanted, rest, { tables });
      if (hash !== (location.hash || '#')) keep('replaceState', wanted, hash);
      showViews();
    },
    go(address) {
      const page = shell.showRun(decodeURIComponent(address.split('/').at(-1)));
      label();
      hide();
      return page;
    },
    hidden(act) {
      const changed = () => {
        if (document.hidden) act();
      };
      document.addEventListener('visibilitychange', changed);
      return () => document.removeEventListener('visibilitychange', changed);
    },
  };

  startShell({
    brand: 'treino',
    pages,
    address: () => location.hash || '#',
    asked,
    transport: (path) => tab.transport(decodeURIComponent(path.split('/').at(-1)), (message) => shell.watch?.(message)),
    words: (name) => {
      tab.speak(name);
      return words[name];
    },
    own,
    begun(made) {
      shell = made;
      makeHeader(shell);
    },
    shown() {
      showViews();
      hide();
      shell.drawer.show();
      if (trouble) shell.say(t(trouble), 'warning');
    },
  });

  /** Own data too long for an address stay with the entry of the browser's history, through a reload, too. */
  function keep(how, { problem }, hash) {
    const { source, table: rows = null, points = null } = problem;
    const kept = (source === 'table' && !Object.values(tables).includes(rows)) || source === 'points';
    try {
      history[how](kept ? { source, table: rows, points } : null, '', hash);
    } catch {
      /* in some frames a page may not write its address */
    }
  }

  function cannot(message) {
    document.body.classList.remove('opening');
    shell.instead(
      el(
        'div',
        { class: 'page' },
        el(
          'section',
          { class: 'panel', role: 'alert' },
          el('h2', {}, t('cannot_train')),
          el('p', {}, t('what_is_needed')),
          el('p', { class: 'hint' }, message),
          el('p', {}, t('on_this_machine')),
        ),
      ),
    );
  }
}

/** The header: a link to the beginning, the two views, and the data. */
function makeHeader(shell) {
  const brand = $('.brand');
  brand.href = '#';
  brand.dataset.name = 'playground_home';
  $('.word', brand).replaceChildren(el('b', {}, 'treino'));
  $('.what').classList.add('vh');
  const view = (name) => el('a', { id: `view-${name}`, class: 'view', href: '#', 'data-t': `view_${name}` });
  brand.after(
    el('nav', { class: 'views', 'data-name': 'views_of_playground', 'data-part': 'views' }, view('one'), view('many')),
    makeButton(
      () => shell.drawer.toggle(),
      { id: 'data', 'data-part': 'data', 'aria-expanded': 'false', 'aria-controls': 'data-drawer' },
      el('span', { class: 'vh', 'data-t': 'data' }),
      el('b', { id: 'data-name' }),
      el('span', { 'aria-hidden': 'true' }, '▾'),
    ),
  );
  shell.drawer = makeDrawer(shell);
}

/** The drawer with the data: a change opens the view anew. */
function makeDrawer(shell) {
  const root = el('div', { class: 'lenses' });
  const close = smallButton(() => toggle(false), { 'data-t': 'close' });
  const drawer = el(
    'aside',
    { id: 'data-drawer', class: 'drawer left', 'aria-labelledby': 'data-title', hidden: true },
    el('header', {}, el('h2', { id: 'data-title', 'data-t': 'data' }), close),
    root,
  );
  shell.stage.before(drawer);
  let panel = null;

  /** The name of the data on the button, and the panel in words and colours of now. */
  async function show() {
    const { problem } = await shell.wanted();
    setText($('#data-name'), nameOf(problem));
    panel?.relabel?.();
    panel?.redraw?.();
  }
  async function fill() {
    const { problem } = await shell.wanted();
    panel?.close?.();
    root.replaceChildren();
    panel = makeDataPanel(root, { problem, tables: shell.tables, changed });
  }
  async function changed(problem) {
    const wanted = await shell.wanted();
    const { settings } = wanted;
    const channels = problem.table?.picture ? settings.channels : [];
    const own = ['hidden', 'activation'].map((name) => [
      name,
      String(settings[name]) === String(usualOf(name, wanted.problem, settings.channels))
        ? usualOf(name, problem, channels)
        : settings[name],
    ]);
    await shell.visit({
      ...wanted,
      problem,
      settings: { ...settings, ...Object.fromEntries(own), channels },
      step: 0,
      actions: [],
    });
  }
  async function toggle(yes = drawer.hidden) {
    drawer.hidden = !yes;
    $('#data').setAttribute('aria-expanded', String(yes));
    if (yes) {
      await fill();
      close.focus();
    } else {
      panel?.close?.();
      panel = null;
      $('#data').focus();
    }
  }
  addEventListener('popstate', () => {
    if (panel) fill();
  });
  drawer.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') toggle(false);
  });
  return { show, toggle };
}

const nameOf = ({ source, table }) =>
  source === 'table' ? (table?.name ?? t('own_table')) : source === 'points' ? t('own_points') : source;

/** The links of both views: the other one keeps data and settings. */
function showViews() {
  const many = asked('view') === 'many';
  const here = location.hash
    .replace(/^#/, '')
    .split('&')
    .filter((pair) => pair && !/^(view|step|replay|speed|play)=/.test(pair));
  for (const name of ['one', 'many']) {
    const link = $(`#view-${name}`);
    const now = many === (name === 'many');
    link.href = `#${[...(name === 'many' ? ['view=many'] : []), ...here].join('&')}`;
    if (now) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

/** Take away what a teacher's link hides: by the name of a part, of a setting, or of a button. */
function hide() {
  const names = hiddenNames(location.hash);
  const sheet = new CSSStyleSheet();
  document.body.dataset.hides = names.join(' ');
  sheet.replaceSync(
    names
      .map(
        (name) =>
          `#${name}, #${name}-field, .panel.${name}, .${name}:is(.actions, .transport, .faults, .seed, .prefs),
          [data-part=${name}] { display: none !important; }`,
      )
      .join('\n'),
  );
  document.adoptedStyleSheets = [sheet];
}
