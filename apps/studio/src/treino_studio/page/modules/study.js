/** The page of a study: its rows as a table, their curves over each other, its conclusions. */

import { blockNodes } from './blocks.js';
import { colourChoice, columnChoice } from './choices.js';
import { el, setText } from './dom.js';
import { chart, colourOf, connected, duration, panel, statusWord, stopButton, wheel } from './lines.js';
import { swatch } from './scale.js';
import { sortedTable } from './table.js';
import { t } from './words.js';

const tableOf = (state) => state?.blocks.find((block) => block.head);

export function open(shell, name) {
  let state = null;
  let lines = [];
  let chosen = null;
  let hot = null;
  let plots = [];
  let table = null;
  let parts = null;
  let columns = [];
  let choice;
  let colours;
  let scale = null;
  const { connection, command } = connected(shell, 'study', take, name);

  function take(message) {
    if (message.notice) shell.say(message.notice.text, message.notice.kind);
    if (message.lines) lines = message.lines;
    if (message.state) {
      const of = (seen) => [seen?.rows.length, ...(tableOf(seen)?.head ?? [])].join();
      const before = of(state);
      state = message.state;
      if (before !== of(state)) build();
    }
    if (state) update();
  }
  function build() {
    const metric = state.metric_name ?? t('loss');
    const { head = [], keys = [] } = tableOf(state) ?? {};
    const cell = (row, k) => tableOf(state).rows[row.number][k];
    const own = head.map((name, k) => ({
      key: keys[k],
      name,
      value: (row) => tableOf(state).values[row.number][k] ?? cell(row, k),
      show: (row) =>
        el('span', { class: keys[k] === 'status' && row.status === 'diverged' ? 'lost-word' : null }, cell(row, k)),
    }));
    columns = [
      { key: 'row', always: true, name: t('row'), start: true, value: (r) => r.number, show: (r) => mark(r) },
      ...own,
    ];
    choice = columnChoice('columns.study', () => true, update);
    choice.fill(columns);
    colours = colourChoice('study', update);
    const meant = own.filter(({ key }) => key !== 'status');
    const byRow = { key: '', name: t('row') };
    // values in order have hues in order
    colours.fill(keys[1] === 'pace' ? [meant[0], byRow, ...meant.slice(1)] : [byRow, ...meant]);
    table = sortedTable(t('rows_of_study'), columns, {
      pick: (row) => choose(row.number),
      point: (row) => touch(row?.number),
    });
    plots = [
      ['loss', t('training_loss')],
      ['measured_loss', t('measured_loss')],
      ['figure', metric],
    ].map(([field, title]) => ({
      field,
      ...chart(title, {
        pick: ({ line }) => {
          if (line) choose(line.row);
        },
      }),
      title,
    }));
    for (const each of plots) each.panel = panel(each.title, each.box);
    parts = {
      progress: el('p', { class: 'hint' }),
      share: el('progress', { max: 1, 'aria-label': t('progress') }),
      wheel: wheel(command),
      stop: stopButton('study-stop', 'stop', command),
      answers: el('div', { id: 'study-answers', class: 'blocks' }),
    };
    shell.stage.replaceChildren(
      el(
        'div',
        { class: 'page' },
        el('div', { class: 'line head' }, parts.progress, parts.wheel.node, parts.stop.node),
        parts.share,
        panel(
          t('rows_of_study'),
          el('div', { class: 'asks seek' }, colours.node, colours.key, choice.node),
          table.node,
        ),
        el(
          'div',
          { class: 'charts' },
          plots.map((each) => each.panel),
        ),
        panel(t('conclusions'), parts.answers),
      ),
    );
  }
  const rows = () => state.rows.map((row, number) => ({ ...row, number }));
  const colour = (row) => (scale ? scale.of(row) : colourOf(row.number));
  const mark = (row) => [swatch(colour(row)), String(row.number + 1)];
  const choose = (row) => {
    chosen = chosen === row ? null : row;
    update();
  };
  function touch(row = null) {
    if (hot === row) return;
    hot = row;
    draw();
  }

  function update() {
    const { progress } = state;
    const running = state.status === 'running';
    parts.stop.update(state);
    shell.title(state.name, state.data);
    setText(
      parts.progress,
      [
        statusWord(state.status),
        running && progress.share != null && t('share_done', { n: Math.round(100 * progress.share) }),
        running && (state.ending ? t('stopping') : duration(progress.left_s)),
      ]
        .filter(Boolean)
        .join(' · '),
    );
    parts.wheel.update(state);
    parts.share.hidden = !running;
    if (progress.share == null) parts.share.removeAttribute('value');
    else parts.share.value = progress.share;
    scale = colours.scale(rows());
    table.use(choice.of(columns));
    table.fill(rows(), (row) => row.number === chosen);
    const said = state.blocks.filter((block) => !block.head && block.items?.length !== 0);
    parts.answers.replaceChildren(...(said.length ? blockNodes(said) : [t('no_conclusions')]));
    for (const each of plots) each.panel.hidden = lines.length > 0 && !lines.some((line) => line[each.field]?.length);
    draw();
  }
  function draw() {
    if (!state) return;
    const known = rows();
    for (const each of plots) {
      const found = lines
        .filter((line) => line[each.field])
        .map((line) => ({
          x: line.epoch,
          y: line[each.field],
          name: known[line.row].name,
          colour: colour(known[line.row]),
          dash: known[line.row].status === 'diverged',
          aside: known[line.row].status === 'diverged',
          strong: line.row === chosen || line.row === hot,
          row: line.row,
        }));
      each.draw({ panes: [{ lines: found }], x: { name: t('epoch') } });
    }
  }
  const resize = new ResizeObserver(draw);
  resize.observe(shell.stage);
  const relabel = () => {
    if (state) {
      build();
      update();
    }
  };
  return {
    keys: [],
    relabel,
    redraw: () => {
      if (state) update();
    },
    language: () => connection.reopen(),
    close() {
      resize.disconnect();
      connection.close();
    },
  };
}
