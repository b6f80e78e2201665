/** The page of a sweep: its networks as a table and as parallel coordinates, every curve, and the verdict. */

import { el, setText } from './dom.js';
import { chart, connected, drawLines, duration, panel, shown, sortedTable, status, statusWord } from './lines.js';
import { drawParallel, makeParallel } from './parallel.js';
import { whole } from './numbers.js';
import { look } from './theme.js';
import { t } from './words.js';

const LISTED = 200; // rows of the table

export function open(shell, name) {
  let state = null, networks = [], lines = [], chosen = null, table, loss, figure, parallel;
  const { connection, command } = connected(shell, `/socket/sweep/${encodeURIComponent(name)}`, take);

  function take(message) {
    if (message.notice) shell.say(message.notice.text, message.notice.kind);
    if (message.networks) networks = message.networks;
    if (message.lines) lines = message.lines;
    if (message.state) {
      const first = !state;
      state = message.state;
      if (first) build();
    }
    if (state) update();
  }

  function build() {
    const settings = state.settings.map((key) => ({ key, name: key, value: (n) => n.settings[key], show: (n) => shown(n.settings[key]) }));
    const columns = [
      { key: 'member', name: t('network_number'), start: true, value: (n) => n.member, show: (n) => String(n.member) },
      { key: 'best', name: `${state.metric}, ${t('validation')}`, value: (n) => n.best, show: (n) => shown(n.best) }, ...settings,
      { key: 'rung', name: t('rung'), value: (n) => n.rung, show: (n) => (n.rung == null ? '–' : String(n.rung + 1)) },
      { key: 'status', name: t('status'), value: (n) => n.status, show: (n) => statusWord(n.status) },
      { key: 'open', name: t('as_a_run'), value: (n) => n.member, show: (n) => el('button', { type: 'button', class: 'small', 'aria-label': t('open_network', { n: n.member }), disabled: !state.steers, onclick: (event) => openNetwork(event, n.member) }, t('open')) },
    ];
    table = sortedTable(t('networks'), columns, { pick: (n) => choose(n.member) });
    loss = chart(t('training_loss'));
    figure = chart(state.metric);
    parallel = makeParallel(state, () => { fill(); draw(); });
    const stop = el('button', { type: 'button', id: 'sweep-stop', onclick: () => command('stop') }, t('stop_and_judge'));
    shell.stage.replaceChildren(el('div', { class: 'page' },
      el('div', { class: 'line head' }, el('p', { id: 'sweep-progress', class: 'hint' }), stop), el('progress', { id: 'sweep-share', max: 1, 'aria-label': t('progress') }), status(),
      el('p', { id: 'sweep-judge', class: 'verdict', hidden: true }),
      el('div', { class: 'charts' }, panel(t('parallel'), parallel.node), panel(t('training_loss'), loss.box), panel(t('figure_curves', { metric: state.metric }), figure.box)),
      panel(t('networks'), el('p', { id: 'sweep-listed', class: 'hint' }), table.node)));
  }
  const choose = (member) => { chosen = chosen === member ? null : member; fill(); draw(); };
  async function openNetwork(event, member) {
    event.stopPropagation();
    const reply = await command('open', { member });
    if (reply?.run) shell.go(`/run/${encodeURIComponent(reply.run)}`);
  }

  function update() {
    const { progress, status: now, document: found } = state, running = now === 'running';
    shell.title(state.name, t('networks_on', { n: whole(state.count), data: state.data }));
    const parts = [statusWord(now), running && progress.rung != null && t('rung_of', { n: progress.rung + 1, total: progress.rungs }), t('diverged_count', { n: whole(state.diverged) }),
      running && (progress.judging ? t('judging') : duration(progress.left_s))];
    setText(shell.stage.querySelector('#sweep-progress'), parts.filter(Boolean).join(' · '));
    shell.stage.querySelector('#sweep-stop').hidden = !running || !state.steers || progress.judging;
    const bar = shell.stage.querySelector('#sweep-share'), judge = shell.stage.querySelector('#sweep-judge');
    bar.hidden = !running;
    if (progress.share == null) bar.removeAttribute('value');
    else bar.value = progress.share;
    judge.hidden = !found.judge?.sentence;
    setText(judge, found.judge?.sentence ?? '');
    fill();
    draw();
  }
  function fill() {
    const kept = networks.filter(parallel.holds), listed = kept.slice(0, LISTED);
    setText(shell.stage.querySelector('#sweep-listed'), t('some_of', { n: whole(listed.length), total: whole(state.count) }));
    table.fill(listed, (n) => n.member === chosen);
  }
  function draw() {
    if (!state) return;
    drawParallel(parallel, networks, chosen);
    const kept = new Set(networks.filter(parallel.holds).map((n) => n.member));
    const listed = lines.filter((line) => kept.has(line.member)), best = chosen ?? networks[0]?.member;
    for (const [{ canvas }, field, title] of [[loss, 'loss', t('loss')], [figure, 'figure', state.metric]])
      drawLines(canvas, listed.map((line) => ({ x: line.epoch, y: line[field], colour: line.member === best ? look.val : look.train, strong: line.member === best })), [t('epoch'), title]);
  }
  const resize = new ResizeObserver(draw);
  resize.observe(shell.stage);
  const relabel = () => { if (state) { build(); update(); } };
  return { keys: [], relabel, redraw: draw, language: () => connection.reopen(), close() { resize.disconnect(); connection.close(); } };
}
