/** The page of a study: its rows as a table, their curves over each other, its conclusions. */

import { el, setText } from './dom.js';
import { chart, colourOf, connected, drawLines, duration, panel, shown, sortedTable, status, statusWord } from './lines.js';
import { t } from './words.js';

export function open(shell, name) {
  let state = null, lines = [], chosen = null, plots = [], table = null;
  const { connection, command } = connected(shell, `/socket/study/${encodeURIComponent(name)}`, take);

  function take(message) {
    if (message.notice) shell.say(message.notice.text, message.notice.kind);
    if (message.lines) lines = message.lines;
    if (message.state) {
      const first = !state;
      state = message.state;
      if (first) build();
      update();
    }
    draw();
  }
  function build() {
    const varied = state.document.varied ?? ['batch_size'], metric = state.document.metric;
    const own = varied.map((key) => ({ key, name: key, value: (r) => r.own?.[key] ?? r[key], show: (r) => shown(r.own?.[key] ?? r[key]) }));
    const columns = [
      { key: 'row', name: t('row'), start: true, value: (r) => r.number, show: (r) => mark(r) }, ...own,
      { key: 'mode', name: t('mode'), value: (r) => r.mode, show: (r) => shown(r.mode) },
      { key: 'epochs', name: t('epochs'), value: (r) => r.epochs, show: (r) => shown(r.epochs) },
      { key: 'seconds', name: t('seconds_per_epoch'), value: (r) => r.seconds_per_epoch, show: (r) => shown(r.seconds_per_epoch) },
      { key: 'figure', name: metric ?? t('loss'), value: last, show: (r) => shown(last(r)) },
      { key: 'status', name: t('status'), value: (r) => r.status, show: (r) => statusWord(r.status) },
    ];
    table = sortedTable(t('rows_of_study'), columns, { pick: (row) => { chosen = chosen === row.number ? null : row.number; update(); draw(); } });
    plots = [['loss', t('training_loss')], ['measured_loss', t('measured_loss')], ['figure', metric ?? t('figure')]].map(([field, title]) => ({ field, title, ...chart(title) }));
    const stop = el('button', { type: 'button', id: 'study-stop', onclick: () => command('stop') }, t('stop'));
    shell.stage.replaceChildren(el('div', { class: 'page' }, el('div', { class: 'line head' }, el('p', { id: 'study-progress', class: 'hint' }), stop), status(),
      panel(t('rows_of_study'), table.node), el('div', { class: 'charts' }, plots.map(({ title, box }) => panel(title, box))),
      panel(t('conclusions'), el('ul', { id: 'study-answers', class: 'notes' }))));
  }
  const mark = (row) => [el('i', { class: 'key', 'data-colour': row.number }), String(row.number + 1)];
  const last = (row) => lines.find((line) => line.row === row.number)?.figure?.at(-1) ?? null;

  function update() {
    const { document: found, progress } = state;
    shell.title(state.name, found.data ?? '');
    setText(shell.stage.querySelector('#study-progress'), [statusWord(state.status), state.status === 'running' ? t('share_done', { n: Math.round(100 * (progress.share ?? 0)) }) : '', state.status === 'running' ? duration(progress.left_s) : ''].filter(Boolean).join(' · '));
    shell.stage.querySelector('#study-stop').hidden = state.status !== 'running' || !state.steers;
    table.fill(found.rows.map((row, number) => ({ ...row, number })), (row) => row.number === chosen);
    paint();
    const said = [...found.answers ?? [], ...found.notes ?? []];
    shell.stage.querySelector('#study-answers').replaceChildren(...(said.length ? said : [t('no_conclusions')]).map((sentence) => el('li', {}, sentence)));
  }
  function paint() {
    for (const key of shell.stage.querySelectorAll('[data-colour]')) key.style.background = colourOf(Number(key.dataset.colour));
  }
  function draw() {
    if (!state) return;
    for (const { field, canvas, title } of plots)
      drawLines(canvas, lines.filter((line) => line[field]).map((line) => ({ x: line.epoch, y: line[field], colour: colourOf(line.row), strong: line.row === chosen })), [t('epoch'), title]);
  }
  const resize = new ResizeObserver(draw);
  resize.observe(shell.stage);
  const relabel = () => { if (state) { build(); update(); draw(); } };
  return { keys: [], relabel, redraw: () => { if (state) { paint(); draw(); } }, language: () => connection.reopen(), close() { resize.disconnect(); connection.close(); } };
}
