/** The first page: runs, sweeps and studies as they are, and what starts another: a built-in, a file, settings. */

import { el } from './dom.js';
import { connected, panel, shown, sortedTable, status, statusWord } from './lines.js';
import { whole } from './numbers.js';
import { language, t } from './words.js';

const REFRESH = 3000; // milliseconds between two looks at the folder
const SPACE = 'lr=1e-4..1e-1:log hidden=16|64|64,32';
const CLASSES = 20; // names that are listed
const PLAY = { epochs: 2000, patience: 0, recipe: 'plain' }; // one network, whose units can be watched

export function open(shell) {
  let found = null, uploaded = [], describing = 0, table, fields, asked = null, described = null;
  const { connection, command } = connected(shell, '/socket/home', (message) => { if (message.notice) shell.say(message.notice.text, message.notice.kind); });

  function build() {
    const columns = [
      { key: 'run', name: t('name'), start: true, value: (r) => r.run, show: (r) => (r.damage ? r.run : el('a', { href: `/${r.kind}/${encodeURIComponent(r.run)}` }, r.run)) },
      { key: 'kind', name: t('kind'), value: (r) => r.kind, show: (r) => t(`kind_${r.kind}`) },
      { key: 'status', name: t('status'), value: (r) => r.status, show: (r) => statusWord(r.status) },
      { key: 'data', name: t('data'), value: (r) => r.data, show: (r) => shown(r.data) },
      { key: 'steps', name: t('steps'), value: (r) => r.steps, show: (r) => shown(r.steps) },
      { key: 'figure', name: t('test_figure'), value: (r) => r.figure, show: (r) => (r.figure == null ? '–' : `${r.metric} ${shown(r.figure)}`) },
      { key: 'when', name: t('begun'), value: (r) => r.when, show: (r) => (r.when ? new Date(r.when).toLocaleString(language.now.replace('_', '-'), { dateStyle: 'short', timeStyle: 'short' }) : '–') },
    ];
    table = sortedTable(t('runs'), columns);
    fields = {
      data: el('select', { id: 'home-data', onchange: () => describe() }), target: el('select', { id: 'home-target', onchange: () => choose(fields.target.value) }),
      first: el('select', { id: 'home-first' }), second: el('select', { id: 'home-second' }),
      file: el('input', { id: 'home-file', type: 'file', class: 'vh', onchange: (event) => send(event.target.files[0]) }),
      space: el('input', { id: 'home-space', type: 'text', value: SPACE, spellcheck: 'false', autocomplete: 'off' }),
      members: el('input', { id: 'home-members', type: 'number', value: 256, min: 2, max: 100000 }),
      paused: el('input', { id: 'home-paused', type: 'checkbox' }), about: el('div', { id: 'home-about', class: 'notes', 'aria-live': 'polite' }),
    };
    const labelled = (id, word, field) => el('div', { class: 'ask' }, el('label', { for: id }, t(word)), field);
    const drop = el('label', { class: 'drop', for: 'home-file' }, t('drop_file'));
    for (const kind of ['dragover', 'drop'])
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        if (kind === 'drop') send(event.dataTransfer.files[0]);
      });
    const go = (id, word, act, primary = '') => el('button', { id, type: 'button', class: primary, onclick: act }, t(word));
    shell.stage.replaceChildren(el('div', { class: 'page home' },
      panel(t('start'), el('div', { class: 'asks' }, labelled('home-data', 'data', fields.data), labelled('home-target', 'target', fields.target), el('div', { class: 'ask' }, fields.file, drop)), fields.about,
        el('div', { class: 'asks' }, go('home-train', 'train_network', () => start('train', { paused: fields.paused.checked }), 'primary'), el('label', { class: 'tick' }, fields.paused, t('begin_paused'))),
        el('div', { class: 'asks' }, labelled('home-first', 'first_column', fields.first), labelled('home-second', 'second_column', fields.second), go('home-play', 'playground', play)),
        el('div', { class: 'asks' }, labelled('home-space', 'space_to_try', fields.space), labelled('home-members', 'how_many', fields.members), go('home-sweep', 'start_sweep', () => start('sweep', { space: fields.space.value.trim().split(/\s+/), members: fields.members.valueAsNumber })), go('home-study', 'start_study', () => start('study', {}))), status()),
      panel(t('runs'), table.node)));
  }

  async function refresh() {
    const answer = await fetch('/api/home').catch(() => null);
    if (!answer?.ok) return;
    const next = await answer.json(), key = JSON.stringify(next);
    if (key === asked) return;
    asked = key;
    found = next;
    if (!fields) build();
    update();
  }
  function update() {
    shell.title(t('all_runs'), found.folder);
    table.fill(found.runs);
    const names = [...found.builtins.map((b) => [b.name, `${b.name}: ${b.about}`]), ...[...new Set([...found.data, ...uploaded])].map((n) => [n, n])];
    if (fields.data.options.length === names.length) return;
    const before = fields.data.value;
    fields.data.replaceChildren(...names.map(([value, text]) => el('option', { value }, text)));
    fields.data.value = before || names[0][0];
    if (!before) describe();
  }

  /** What `treino data` says of the chosen data. */
  async function describe() {
    const number = ++describing;
    for (const field of [fields.target, fields.first, fields.second]) field.replaceChildren();
    fields.target.classList.remove('wanted');
    fields.about.replaceChildren(el('p', { class: 'hint' }, t('describing')));
    const answer = await look('describe');
    const document = await answer.json();
    if (number === describing) show(document);
  }
  const headers = () => ({ 'Accept-Language': language.now.replace('_', '-') });
  const look = (at) => fetch(`/api/${at}/${encodeURIComponent(fields.data.value)}`, { headers: headers() });
  /** The first images of each class, and those that are to be looked at; drawing them takes a while. */
  async function showSheet() {
    const number = describing, answer = await look('sheet');
    if (!answer.ok) return;
    const src = URL.createObjectURL(await answer.blob());
    if (number === describing) fields.about.append(el('div', { class: 'sheet', tabindex: 0 }, el('img', { src, alt: t('contact_sheet'), onload: () => URL.revokeObjectURL(src) })));
  }
  function show(document) {
    if (document.error) return complain(document.error);
    const columns = document.columns.map((c) => c.name), named = columns.includes(document.target), likely = document.likely_targets ?? [];
    described = document;
    const first = document.target == null ? likely : named ? [] : [document.target], rest = columns.filter((name) => !first.includes(name));
    fields.target.replaceChildren(document.target == null ? el('option', { value: '', hidden: true }, t('choose_target')) : '', ...[...first, ...rest].map((value) => el('option', { value }, value)));
    fields.target.disabled = !named && document.target != null;
    const size = document.images ? t('images_of_size', { n: whole(document.rows), ...document.images }) : t('rows_and_columns', { rows: whole(document.rows), columns: columns.length });
    const counts = (document.classes ?? []).map((name, k) => `${name}: ${whole(document.class_rows[k])}`);
    const classes = counts.slice(0, CLASSES).join(', ') + (counts.length > CLASSES ? ', …' : '');
    const lines = [size, classes, document.task_reason, ...document.warnings.map(sentence), ...document.notes.map(sentence)];
    fields.about.replaceChildren(
      document.target == null ? el('p', { class: 'asked' }, likely.length ? t('no_target_likely', { columns: likely.join(', ') }) : t('no_target')) : '',
      el('ul', {}, lines.filter(Boolean).map((line) => el('li', {}, line))));
    choose(document.target ?? '');
    if (document.images) showSheet();
  }
  /** The column to be predicted; the others may be drawn. */
  function choose(target) {
    const { target: field, first, second } = fields, before = [first.value, second.value];
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
  const sentence = (entry) => (typeof entry === 'string' ? entry : [entry.message, entry.hint].filter(Boolean).join(' '));
  const complain = (error) => shell.say([error.message, error.hint].filter(Boolean).join(' '), 'warning');

  async function send(file) {
    if (!file) return;
    shell.say(t('sending', { name: file.name }));
    const answer = await fetch(`/api/upload?name=${encodeURIComponent(file.name)}`, { method: 'POST', body: file, headers: headers() });
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
    const { target, data } = fields, settings = { ...(target.disabled || !target.value ? {} : { target: target.value }), ...choice };
    if (!target.disabled && !target.value) {
      target.focus();
      return shell.say(t('no_target'), 'warning');
    }
    shell.say(t('starting'));
    await command('steer');
    const reply = await command(verb, { data: data.value, settings, ...more });
    if (reply?.run) shell.go(`/${verb === 'train' ? 'run' : verb}/${encodeURIComponent(reply.run)}`);
  }

  shell.title(t('all_runs'), '');
  refresh();
  const timer = setInterval(() => { if (!document.hidden) refresh(); }, REFRESH);
  const relabel = () => { if (fields) { build(); fields.data.replaceChildren(); update(); } };
  return { keys: [], relabel, redraw() {}, language: () => connection.reopen(), close() { clearInterval(timer); connection.close(); } };
}
