/** The first page: runs, sweeps and studies as they are, and what starts another: a built-in, a file, settings. */

import { colourChoice, columnChoice, keep, kept } from './choices.js';
import { refusalText } from './connection.js';
import { $, el, makeButton, setText, smallButton } from './dom.js';
import { connected, panel, shown, statusWord } from './lines.js';
import { num, whole } from './numbers.js';
import { underway } from './press.js';
import { swatch } from './scale.js';
import { sortedTable } from './table.js';
import { language, t } from './words.js';

const REFRESH = 3000; // milliseconds between two looks at the folder
const SOON = 500; // milliseconds until what is still read is there
const SPACE = 'lr=1e-4..1e-1:log hidden=16|64|64,32';
const CLASSES = 20; // names that are listed
const USUAL = ['kind', 'status', 'data', 'steps', 'figure', 'begun']; // columns, until somebody chooses
const NAMED = 8; // folders that are named where several are deleted
const PLAY = { epochs: 2000, patience: 0, recipe: 'plain' }; // one network, whose units can be watched
let search = ''; // kept while the page is open, so that a look at a run leaves it

export function open(shell) {
  let chosen = {}; // what the fields held before their words changed
  let found = null;
  const uploaded = [];
  let describing = 0;
  let table;
  let fields;
  let clock;
  let described = null;
  let choice;
  let colours;
  let scale = null;
  let closed = false;
  const ticked = new Set(); // names
  const about = new Map(); // what is searched of each row, in this language
  const { connection, command } = connected(shell, 'home', (message) => {
    if (message.notice) shell.say(message.notice.text, message.notice.kind);
  });

  function build() {
    choice = columnChoice('columns.home', (key) => USUAL.includes(key), update);
    colours = colourChoice('home', update);
    about.clear();
    clock = new Intl.DateTimeFormat(language.now.replace('_', '-'), { dateStyle: 'short', timeStyle: 'short' });
    table = sortedTable(t('runs'), [], { sort: kept('sort.home', null), sorted: (by) => keep('sort.home', by) });
    fields = {
      data: el('select', { id: 'home-data', onchange: () => describe() }),
      target: el('select', { id: 'home-target', onchange: () => choose(fields.target.value) }),
      first: el('select', { id: 'home-first' }),
      second: el('select', { id: 'home-second' }),
      file: el('input', {
        id: 'home-file',
        type: 'file',
        class: 'vh',
        onchange: (event) => send(event.target.files[0]),
      }),
      space: el('input', { id: 'home-space', type: 'text', value: SPACE, spellcheck: 'false', autocomplete: 'off' }),
      members: el('input', { id: 'home-members', type: 'number', value: 256, min: 2, max: 100000 }),
      paused: el('input', { id: 'home-paused', type: 'checkbox' }),
      search: el('input', {
        id: 'home-search',
        type: 'search',
        value: search,
        autocomplete: 'off',
        spellcheck: 'false',
        oninput: () => {
          search = fields.search.value;
          table.node.scrollTop = 0;
          update();
        },
      }),
      listed: el('p', { class: 'hint', id: 'home-listed' }),
      remove: smallButton(askDelete, { id: 'home-delete' }),
      about: el('div', { id: 'home-about', class: 'notes', 'aria-live': 'polite' }),
    };
    const labelled = (id, word, field) => el('div', { class: 'ask' }, el('label', { for: id }, t(word)), field);
    const drop = el('label', { class: 'drop', for: 'home-file' }, t('drop_file'));
    for (const kind of ['dragover', 'drop'])
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        if (kind === 'drop') send(event.dataTransfer.files[0]);
      });
    const go = (id, word, act, primary = '') => makeButton(() => underway(act()), { id, class: primary }, t(word));
    shell.stage.replaceChildren(
      el(
        'div',
        { class: 'page home' },
        panel(
          t('start'),
          el(
            'div',
            { class: 'asks' },
            labelled('home-data', 'data', fields.data),
            labelled('home-target', 'target', fields.target),
            el('div', { class: 'ask' }, fields.file, drop),
          ),
          fields.about,
          el(
            'div',
            { class: 'asks' },
            go('home-train', 'train_network', () => start('train', { paused: fields.paused.checked }), 'primary'),
            el('label', { class: 'tick' }, fields.paused, t('begin_paused')),
          ),
          el(
            'div',
            { class: 'asks' },
            labelled('home-first', 'first_column', fields.first),
            labelled('home-second', 'second_column', fields.second),
            go('home-play', 'playground', play),
          ),
          el(
            'div',
            { class: 'asks' },
            labelled('home-space', 'space_to_try', fields.space),
            labelled('home-members', 'how_many', fields.members),
            go('home-sweep', 'start_sweep', () =>
              start('sweep', { space: fields.space.value.trim().split(/\s+/), members: fields.members.valueAsNumber }),
            ),
            go('home-study', 'start_study', () => start('study', {})),
          ),
        ),
        panel(
          t('runs'),
          el(
            'div',
            { class: 'asks seek' },
            el('div', { class: 'ask beside' }, el('label', { for: 'home-search' }, t('search')), fields.search),
            colours.node,
            choice.node,
            fields.listed,
            fields.remove,
          ),
          colours.key,
          table.node,
        ),
      ),
    );
    wait();
  }

  /** Everything that can be shown of the rows: what each is, its figures, its settings. */
  function columns() {
    const names = [...new Set(found.runs.flatMap((r) => Object.keys(r.settings)))];
    const figures = ['validation', 'test'].flatMap((split) =>
      [...new Set(found.runs.flatMap((r) => Object.keys(r.figures[split])))].map((metric) => [split, metric]),
    );
    const plain = (key, name, value, show = shown) => ({ key, name, value, show: (r) => show(value(r)) });
    return [
      {
        key: 'tick',
        always: true,
        still: true,
        name: tick(
          t('choose_all_shown'),
          matching().every((r) => ticked.has(r.run)),
          (on) => {
            for (const r of matching()) ticked[on ? 'add' : 'delete'](r.run);
          },
        ),
        show: (r) =>
          tick(t('choose_row', { name: r.run }), ticked.has(r.run), (on) => ticked[on ? 'add' : 'delete'](r.run)),
      },
      {
        key: 'run',
        always: true,
        name: t('name'),
        start: true,
        value: (r) => r.run,
        show: (r) => [
          scale && swatch(scale.of(r)),
          r.damage
            ? el('span', { title: r.damage }, r.run)
            : el('a', { href: `/${r.kind}/${encodeURIComponent(r.run)}` }, r.run),
        ],
      },
      plain('kind', t('kind'), (r) => t(`kind_${r.kind}`)),
      plain('status', t('status'), (r) => statusWord(r.status)),
      plain('data', t('data').toLowerCase(), (r) => r.data),
      plain('steps', t('steps'), (r) => r.steps),
      {
        key: 'figure',
        name: t('test_figure'),
        value: (r) => r.figure,
        show: (r) =>
          r.figure == null
            ? '–'
            : [t(r.metric), shown(r.figure), r.test_looks > 1 && t('test_look', { n: whole(r.test_looks) })]
                .filter(Boolean)
                .join(' '),
      },
      plain(
        'begun',
        t('begun'),
        (r) => r.when,
        (when) => (when ? clock.format(new Date(when)) : '–'),
      ),
      {
        ...plain('seconds', t('seconds'), (r) => r.seconds),
        show: (r) =>
          r.seconds_from
            ? t('seconds_from', { seconds: num(r.seconds, 3), step: whole(r.seconds_from) })
            : num(r.seconds, 3),
      },
      plain('parameters', t('parameters_count'), (r) => r.parameters),
      ...figures.map(([split, metric]) =>
        plain(
          `${split}.${metric}`,
          t('figure_on', { metric: t(metric), split: t(split) }),
          (r) => r.figures[split][metric],
        ),
      ),
      ...names.map((name) =>
        plain(`set.${name}`, name, (r) =>
          Array.isArray(r.settings[name])
            ? r.settings[name].join(',') || '–'
            : typeof r.settings[name] === 'boolean'
              ? String(r.settings[name])
              : r.settings[name],
        ),
      ),
    ];
  }
  const tick = (name, checked, act) =>
    el('input', {
      type: 'checkbox',
      'aria-label': name,
      checked,
      onclick: (event) => {
        act(event.target.checked);
        update();
      },
    });

  /** The rows that have every word of the search, in their name, data, status or settings. */
  function matching() {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const text = (r) =>
      [
        r.run,
        t(`kind_${r.kind}`),
        statusWord(r.status),
        r.data,
        ...Object.entries(r.settings).map(([name, value]) => `${name}=${value}`),
      ]
        .join(' ')
        .toLowerCase();
    return found.runs.filter((r) => {
      if (!about.has(r)) about.set(r, text(r));
      return words.every((word) => about.get(r).includes(word));
    });
  }

  /** Nothing is deleted before the reader has read what goes. */
  function askDelete() {
    const names = [...ticked];
    const first =
      names.slice(0, NAMED).join(', ') +
      (names.length > NAMED ? ` ${t('and_more', { n: whole(names.length - NAMED) })}` : '');
    const dialog = el(
      'dialog',
      {
        id: 'delete',
        'aria-labelledby': 'delete-title',
        onclose: () => dialog.remove(),
        onclick: (event) => {
          if (event.target === dialog) dialog.close();
        },
      },
      el('h2', { id: 'delete-title' }, t('delete_title', { n: whole(names.length) })),
      el('p', {}, first),
      el('p', { class: 'hint' }, t('delete_about', { folder: found.folder })),
      el(
        'div',
        { class: 'asks' },
        makeButton(() => dialog.close(), { autofocus: true }, t('delete_keep')),
        makeButton(
          () => {
            dialog.close();
            underway(remove(names), fields.remove);
          },
          { class: 'alarm', id: 'delete-yes' },
          t('delete_yes'),
        ),
      ),
    );
    shell.stage.append(dialog);
    dialog.showModal();
  }
  async function remove(names) {
    await command('steer');
    if (!(await command('delete', { runs: names }))) return;
    ticked.clear();
    shell.say(
      names.length === 1 ? t('deleted_one', { name: names[0] }) : t('deleted_many', { n: whole(names.length) }),
    );
    refresh();
  }

  async function refresh() {
    const answer = await fetch(`/api/home?version=${found?.version ?? ''}`, { headers: headers() }).catch(() => null);
    if (!answer?.ok) return;
    const next = await answer.json();
    if (!next.runs) return; // nothing is new
    found = next;
    about.clear();
    if (!fields) build();
    update();
    if (!found.builtins.length)
      setTimeout(() => {
        if (!closed) refresh();
      }, SOON);
  }
  function update() {
    shell.title(t('all_runs'), found.folder);
    showRuns();
    const names = [
      ...found.builtins.map((b) => [b.name, `${b.name}: ${b.about}`]),
      ...[...new Set([...found.data, ...uploaded])].map((n) => [n, n]),
    ];
    const before = fields.data.value;
    const key = JSON.stringify(names);
    if (fields.data.dataset.key === key) return;
    fields.data.dataset.key = key;
    fields.data.replaceChildren(...names.map(([value, text]) => el('option', { value }, text)));
    fields.data.value = before || chosen.data || (names[0]?.[0] ?? '');
    if (!before && names.length) describe();
  }

  function showRuns() {
    const rows = matching();
    const names = new Set(rows.map((r) => r.run));
    for (const name of ticked) if (!names.has(name)) ticked.delete(name); // what nobody sees is not deleted
    const every = columns();
    choice.fill(every);
    colours.fill([
      { key: '', name: t('colour_none') },
      ...every.filter(({ key }) => !['tick', 'run', 'begun'].includes(key)),
    ]);
    scale = colours.scale(rows);
    table.use(choice.of(every));
    table.fill(rows, (r) => ticked.has(r.run));
    setText(
      fields.listed,
      rows.length === found.runs.length
        ? t('count_runs', { n: whole(rows.length) })
        : t('some_of', { n: whole(rows.length), total: whole(found.runs.length) }),
    );
    setText(fields.remove, t('delete_chosen', { n: whole(ticked.size) }));
    fields.remove.hidden = !ticked.size;
  }

  /** What `treino data` says of the chosen data. */
  async function describe() {
    const number = ++describing;
    for (const field of [fields.target, fields.first, fields.second]) field.replaceChildren();
    fields.target.classList.remove('wanted');
    wait();
    const answer = await look('describe');
    const told = await answer.json();
    if (number === describing) show(told);
  }
  function wait() {
    fields.about.replaceChildren(el('p', { class: 'hint busy' }, t('describing')));
    able(false);
  }
  /** What is not described yet can't be trained on. */
  const able = (on) => {
    for (const id of ['train', 'play', 'sweep', 'study']) $(`#home-${id}`).disabled = !on;
  };
  const headers = () => ({ 'Accept-Language': language.now.replace('_', '-') });
  const look = (at) => fetch(`/api/${at}/${encodeURIComponent(fields.data.value)}`, { headers: headers() });
  /** The first images of each class, and those that are to be looked at; drawing them takes a while. */
  async function showSheet() {
    const number = describing;
    const answer = await look('sheet');
    if (!answer.ok) return;
    const src = URL.createObjectURL(await answer.blob());
    if (number === describing)
      fields.about.append(
        el(
          'div',
          { class: 'sheet', tabindex: 0 },
          el('img', { src, alt: t('contact_sheet'), onload: () => URL.revokeObjectURL(src) }),
        ),
      );
  }
  function show(document) {
    if (document.error) {
      fields.about.replaceChildren(el('p', { class: 'bad' }, sentence(document.error)));
      return;
    }
    able(true);
    const columns = document.columns.map((c) => c.name);
    const named = columns.includes(document.target);
    const likely = document.likely_targets ?? [];
    described = document;
    const first = document.target == null ? likely : named ? [] : [document.target];
    const rest = columns.filter((name) => !first.includes(name));
    fields.target.replaceChildren(
      document.target == null ? el('option', { value: '', hidden: true }, t('choose_target')) : '',
      ...[...first, ...rest].map((value) => el('option', { value }, value)),
    );
    fields.target.disabled = !named && document.target != null;
    const size = document.images
      ? t('images_of_size', { n: whole(document.rows), ...document.images })
      : t('rows_and_columns', { rows: whole(document.rows), columns: columns.length });
    const counts = (document.classes ?? []).map((name, k) => `${name}: ${whole(document.class_rows[k])}`);
    const classes = counts.slice(0, CLASSES).join(', ') + (counts.length > CLASSES ? ', …' : '');
    const lines = [
      size,
      classes,
      document.task_reason,
      ...document.warnings.map(sentence),
      ...document.notes.map(sentence),
    ];
    fields.about.replaceChildren(
      document.target == null
        ? el(
            'p',
            { class: 'asked' },
            likely.length ? t('no_target_likely', { columns: likely.join(', ') }) : t('no_target'),
          )
        : '',
      el(
        'ul',
        {},
        lines.filter(Boolean).map((line) => el('li', {}, line)),
      ),
    );
    const { target, axes } = chosen;
    chosen = {};
    choose(target && !fields.target.disabled ? target : (document.target ?? ''), axes);
    if (document.images) showSheet();
  }
  /** The column to be predicted; the others may be drawn. */
  function choose(target, before = [fields.first.value, fields.second.value]) {
    const { target: field, first, second } = fields;
    field.value = target;
    field.classList.toggle('wanted', !target);
    if (target) fields.about.querySelector('.asked')?.remove();
    const drawn = described.columns.filter((c) => c.kind === 'number' && c.name !== target).map((c) => c.name);
    const kept = before.every((name) => drawn.includes(name)) ? before : drawn;
    for (const [place, list] of [first, second].entries()) {
      list.replaceChildren(...drawn.map((value) => el('option', { value }, value)));
      list.value = kept[place] ?? '';
    }
    for (const field of [first, second, document.getElementById('home-play')]) field.disabled = drawn.length < 2;
  }
  const sentence = (entry) => (typeof entry === 'string' ? entry : refusalText(entry));
  const complain = (error) => shell.say(refusalText(error), 'warning');

  async function send(file) {
    if (!file) return;
    shell.say(t('sending', { name: file.name }), 'busy');
    const answer = await fetch(`/api/upload?name=${encodeURIComponent(file.name)}`, {
      method: 'POST',
      body: file,
      headers: headers(),
    });
    const document = await answer.json();
    if (document.error) return complain(document.error);
    describing += 1; // an answer about other data comes too late
    uploaded.push(document.data);
    update();
    fields.data.value = document.data;
    show(document.description);
    shell.say(t('sent', { name: file.name, data: document.data }));
  }

  /** Two columns, a long training, paused: all else is steered on its page, which can keep it under a name. */
  const play = () => start('train', { paused: true }, { features: [fields.first.value, fields.second.value], ...PLAY });

  async function start(verb, more, choice = {}) {
    const { target, data } = fields;
    const settings = { ...(target.disabled || !target.value ? {} : { target: target.value }), ...choice };
    if (!target.disabled && !target.value) {
      target.focus();
      return shell.say(t('no_target'), 'warning');
    }
    shell.say(t('starting'), 'busy');
    await command('steer');
    const reply = await command(verb, { data: data.value, settings, ...more });
    if (!reply?.run) return;
    shell.say('');
    shell.go(`/${verb === 'train' ? 'run' : verb}/${encodeURIComponent(reply.run)}`);
  }

  shell.title(t('all_runs'), '');
  shell.stage.replaceChildren(el('p', { class: 'awaited', role: 'status' }, t('reading_runs')));
  refresh();
  const timer = setInterval(() => {
    if (!document.hidden) refresh();
  }, REFRESH);
  function relabel() {
    if (!fields) return;
    const { data, target, first, second, ...others } = fields;
    chosen = {
      ...chosen,
      ...(target.value ? { target: target.value, axes: [first.value, second.value] } : {}),
      data: data.value,
    };
    build();
    for (const name of ['space', 'members']) fields[name].value = others[name].value;
    fields.paused.checked = others.paused.checked;
    update();
  }
  return {
    keys: [],
    relabel,
    redraw: () => {
      if (fields) update();
    },
    language: () => {
      connection.reopen();
      refresh();
    },
    close() {
      closed = true;
      clearInterval(timer);
      connection.close();
    },
  };
}
