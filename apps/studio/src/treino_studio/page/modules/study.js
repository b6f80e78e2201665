/** The page of a study: its rows as a table, their curves over each other, its conclusions. */

import { colourChoice, columnChoice } from './choices.js';
import { el, setText } from './dom.js';
import { chart, colourOf, connected, duration, panel, shown, statusWord, stopButton, wheel } from './lines.js';
import { swatch } from './scale.js';
import { sortedTable } from './table.js';
import { t } from './words.js';

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
      const of = (seen) => `${seen?.document.rows.length} ${seen?.metric_name}`;
      const before = of(state);
      state = message.state;
      if (before !== of(state)) build();
    }
    if (state) update();
  }
  function build() {
    const { varied = ['batch_size'], modes = [] } = state.document;
    const metric = state.metric_name ?? t('loss');
    const own = varied.map((key) => ({
      key,
      name: key,
      value: (r) => r.own?.[key] ?? r[key],
      show: (r) => shown(r.own?.[key] ?? r[key]),
    }));
    columns = [
      { key: 'row', always: true, name: t('row'), start: true, value: (r) => r.number, show: (r) => mark(r) },
      ...own,
      modes.length > 1 && { key: 'mode', name: t('mode'), value: (r) => r.mode_name, show: (r) => r.mode_name },
      { key: 'epochs', name: t('epochs'), value: (r) => r.epochs, show: (r) => shown(r.epochs) },
      { key: 'seconds', name: t('seconds_per_epoch'), value: (r) => r.seconds_per_epoch, show: (r) => r.pace },
      { key: 'loss', name: t('training_loss'), value: (r) => last(r, 'loss'), show: (r) => shown(last(r, 'loss')) },
      { key: 'figure', name: metric, value: (r) => last(r, 'figure'), show: (r) => shown(last(r, 'figure')) },
      {
        key: 'status',
        name: t('status'),
        value: (r) => r.status,
        show: (r) => el('span', { class: r.status === 'diverged' ? 'lost-word' : null }, statusWord(r.status)),
      },
    ].filter(Boolean);
    choice = columnChoice('columns.study', () => true, update);
    choice.fill(columns);
    colours = colourChoice('study', update);
    const meant = columns.filter(({ key }) => !['row', 'status'].includes(key));
    const byRow = { key: '', name: t('row') };
    // values in order have hues in order
    colours.fill(varied.length === 1 && modes.length < 2 ? [meant[0], byRow, ...meant.slice(1)] : [byRow, ...meant]);
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
      answers: el('ul', { id: 'study-answers', class: 'notes' }),
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
  const rows = () => state.document.rows.map((row, number) => ({ ...row, number }));
  const colour = (row) => (scale ? scale.of(row) : colourOf(row.number));
  const mark = (row) => [swatch(colour(row)), String(row.number + 1)];
  const last = (row, field) =>
    lines.find((line) => line.row === row.number)?.[field]?.findLast((value) => value != null) ?? null;
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
    const { document: found, progress } = state;
    const running = state.status === 'running';
    parts.stop.update(state);
    shell.title(state.name, found.data ?? '');
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
    const said = [...(found.answers ?? []), ...(found.notes ?? [])];
    parts.answers.replaceChildren(
      ...(said.length ? said : [t('no_conclusions')]).map((sentence) => el('li', {}, sentence)),
    );
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
