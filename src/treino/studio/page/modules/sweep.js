/** The page of a sweep: its networks as a table and as parallel coordinates, every curve, and the verdict. */

import { el, setText } from './dom.js';
import { chart, connected, duration, panel, shown, sortedTable, status, statusWord, wheel } from './lines.js';
import { drawParallel, makeParallel } from './parallel.js';
import { whole } from './numbers.js';
import { look } from './theme.js';
import { head, pair, showTip, soft } from './tip.js';
import { t } from './words.js';

const LISTED = 200; // rows of the table
const MORE = 16; // networks that are added, where nobody says otherwise

export function open(shell, name) {
  let state = null, networks = [], lines = [], chosen = null, hot = null, onlyLost = false, table, parts, parallel;
  const brushes = new Map();
  const { connection, command } = connected(shell, `/socket/sweep/${encodeURIComponent(name)}`, take);

  function take(message) {
    if (message.notice) shell.say(message.notice.text, message.notice.kind);
    if (message.networks) networks = message.networks;
    if (message.lines) lines = message.lines;
    if (message.state) {
      const before = state?.metric_name; // in another language, perhaps
      state = message.state;
      if (before !== state.metric_name) build();
    }
    if (state) update();
  }

  function build() {
    const asked = { tell, pick: ({ line }) => { if (line) choose(line.member); } };
    const settings = state.settings.map((key) => ({ key, name: key, value: (n) => n.settings[key], show: (n) => shown(n.settings[key]) }));
    const columns = [
      { key: 'member', name: t('network_number'), start: true, value: (n) => n.member, show: (n) => String(n.member) },
      { key: 'best', name: `${state.metric_name}, ${t('validation')}`, value: (n) => n.best, show: (n) => shown(n.best) }, ...settings,
      { key: 'rung', name: t('rung'), value: (n) => n.rung, show: (n) => (n.rung == null ? '–' : String(n.rung + 1)) },
      { key: 'status', name: t('status'), value: (n) => n.status, show: (n) => el('span', { class: n.status === 'diverged' ? 'lost-word' : null }, statusWord(n.status)) },
      { key: 'open', name: t('as_a_run'), still: true, show: (n) => el('button', { type: 'button', class: 'small', 'aria-label': t('open_network', { n: n.member }), disabled: !state.steers, onclick: (event) => openNetwork(event, n.member) }, t('open')) },
    ];
    table = sortedTable(t('networks'), columns, { pick: (n) => choose(n.member), point: (n) => touch(n?.member), most: LISTED, sort: { key: 'best', down: state.better > 0 } });
    const button = (act, word, id) => el('button', { type: 'button', id, onclick: act }, t(word));
    parts = {
      progress: el('p', { class: 'hint' }), share: el('progress', { max: 1, 'aria-label': t('progress') }), wheel: wheel(command),
      more: el('form', { class: 'more', onsubmit: extend }, el('input', { type: 'number', id: 'sweep-more', min: 1, max: 100000, value: MORE, 'aria-label': t('how_many_more') }), el('button', {}, t('add_networks'))),
      stop: button(() => command('stop'), 'stop_and_judge', 'sweep-stop'), judge: el('p', { class: 'verdict', id: 'sweep-judge', hidden: true }),
      notes: el('ul', { class: 'notes hint' }), listed: el('p', { class: 'hint', id: 'sweep-listed' }), where: el('p', { class: 'hint' }),
      lost: el('button', { type: 'button', class: 'small toggle', id: 'sweep-lost', 'aria-pressed': false, onclick: () => { onlyLost = !onlyLost; update(); } }, t('only_diverged')),
      loss: chart(t('training_loss'), asked), figure: chart(t('figure_curves', { metric: state.metric_name }), asked),
    };
    parallel = makeParallel(state, brushes, { changed: () => { fill(); draw(); }, show: (network, event) => { touch(network?.member); if (network) showTip(event, about(network)); }, pick: (network) => choose(network.member) });
    const key = (kind, word) => el('li', {}, el('i', { class: `stroke ${kind}` }), t(word));
    shell.stage.replaceChildren(el('div', { class: 'page' },
      el('div', { class: 'line head' }, parts.progress, status(), parts.wheel.node, parts.more, parts.stop), parts.share, parts.judge, parts.notes,
      el('div', { class: 'charts wide-first' }, panel(t('parallel'), parallel.node, el('ul', { class: 'legend' }, key('a-network', 'a_network'), key('a-best', 'the_best'), key('a-lost', 'folder_diverged'))),
        panel(t('training_loss'), parts.loss.box), panel(t('figure_curves', { metric: state.metric_name }), parts.figure.box)),
      panel(t('networks'), el('div', { class: 'line head' }, parts.listed, parts.lost), parts.where, table.node)));
  }
  const byMember = (member) => networks.find((n) => n.member === member);
  const choose = (member) => { chosen = chosen === member ? null : member; fill(); draw(); };
  function touch(member = null) {
    if (hot === member) return;
    hot = member;
    draw();
  }
  /** What a network is, beside the pointer. */
  const about = (network, ...more) => network && [head(`${t('network_number')} ${network.member}`), ...more, pair(state.metric_name, shown(network.best)), ...Object.entries(network.settings).map(([key, value]) => pair(key, shown(value))), soft(statusWord(network.status))];
  /** The same beside a chart's pointer, with the curve's value there. */
  function tell(place) {
    touch(place?.line?.member);
    return place?.line && about(byMember(place.line.member), pair(`${t('epoch')} ${whole(place.line.x[place.k])}`, shown(place.line.y[place.k])));
  }
  async function extend(event) {
    event.preventDefault();
    const members = event.target.querySelector('input').valueAsNumber;
    if (await command('extend', { members })) shell.say(t('networks_come', { n: whole(members) }));
  }
  async function openNetwork(event, member) {
    event.stopPropagation();
    shell.say(t('starting'));
    const reply = await command('open', { member });
    if (reply?.run) shell.go(`/run/${encodeURIComponent(reply.run)}`);
  }

  function update() {
    const { progress, status: now, document: found } = state, running = now === 'running';
    shell.title(state.name, t('networks_on', { n: whole(state.count), data: state.data }));
    const words = [statusWord(now), running && progress.rung != null && t('rung_of', { n: progress.rung + 1, total: progress.rungs }), t('diverged_count', { n: whole(state.diverged) }),
      running && (progress.judging ? t('judging') : duration(progress.left_s))];
    setText(parts.progress, words.filter(Boolean).join(' · '));
    parts.stop.hidden = !running || !state.steers || progress.judging;
    parts.more.hidden = !state.steers || state.left === 0 || progress.judging;
    parts.wheel.update(state);
    parts.share.hidden = !running;
    if (progress.share == null) parts.share.removeAttribute('value');
    else parts.share.value = progress.share;
    const sentence = found.judge?.sentence ?? '';
    parts.judge.hidden = !sentence;
    setText(parts.judge, sentence.charAt(0).toUpperCase() + sentence.slice(1));
    const notes = found.notes ?? [];
    parts.notes.hidden = !notes.length;
    if (parts.notes.childElementCount !== notes.length) parts.notes.replaceChildren(...notes.map((note) => el('li', {}, note)));
    onlyLost &&= state.diverged > 0;
    parts.lost.hidden = !state.diverged;
    parts.lost.setAttribute('aria-pressed', onlyLost);
    setText(parts.where, state.diverged_where ?? '');
    fill();
    draw();
  }
  const holds = (network) => parallel.holds(network) && (!onlyLost || network.status === 'diverged');
  function fill() {
    const shownRows = table.fill(networks.filter(holds), (n) => n.member === chosen);
    setText(parts.listed, t('some_of', { n: whole(shownRows), total: whole(state.count) }));
  }
  function draw() {
    if (!state) return;
    const best = networks[0]?.best == null ? null : networks[0].member, marked = new Map();
    for (const [member, colour] of [[best, look.val], [chosen, look.mark], [hot, look.ink]]) if (member != null) marked.set(member, colour);
    drawParallel(parallel, onlyLost ? networks.filter(holds) : networks, marked);
    const kept = new Map(networks.filter(holds).map((n) => [n.member, n]));
    const listed = lines.filter((line) => kept.has(line.member));
    const colour = (member) => marked.get(member) ?? (kept.get(member).status === 'diverged' ? look.alarm : look.train);
    for (const field of ['loss', 'figure'])
      parts[field].draw({ panes: [{ lines: listed.map((line) => ({ x: line.epoch, y: line[field], colour: colour(line.member), strong: marked.has(line.member), member: line.member })) }], x: { name: t('epoch') } });
  }
  const resize = new ResizeObserver(draw);
  resize.observe(shell.stage);
  const relabel = () => { if (state) { build(); update(); } };
  return { keys: [], relabel, redraw: draw, language: () => connection.reopen(), close() { resize.disconnect(); connection.close(); } };
}
