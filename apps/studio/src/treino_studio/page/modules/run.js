/** The page of one run: its panels, what they share, and the drawing of frames. */

import { Connection, replyOf } from './connection.js';
import { makeCurves } from './curves.js';
import { makeDiagram } from './diagram.js';
import { $, el, fromTemplate, makeButton, setText, smallButton, svg } from './dom.js';
import { makeFan } from './fan.js';
import { makeMembers } from './members.js';
import { makeMicroscope } from './microscope.js';
import { clamp, whole } from './numbers.js';
import { makePicture } from './picture.js';
import { underway } from './press.js';
import { makeResult } from './result.js';
import { makeSeen } from './seen.js';
import { makeSettings } from './settings.js';
import { makeStore, take, viewStep } from './store.js';
import { makeTables } from './tables.js';
import { makeTake } from './take.js';
import { makeTimeline } from './timeline.js';
import { makeTransport } from './transport.js';
import { makeVitals } from './vitals.js';
import { makeWays } from './ways.js';
import { language, t } from './words.js';

const OF_FIELDS = ['set', 'segment', 'look', 'draw']; // commands of which what was pressed shows the value at once

/**
 * What the panels of a run's page share.
 *
 * @import { Commands, FindingOfRun, LookCommand, SegmentCommand, SetCommand } from '../protocol.d.ts'
 * @import { Shell } from './app.js'
 * @import { Send } from './connection.js'
 * @import { PageSettings, PageState, Store } from './store.js'
 * @typedef {{ kind: 'unit' | 'edge', k: number, i: number, j?: number }} Hit
 * @typedef {{
 *   shell: Shell, store: Store, connection: Connection<'run'>, send: Send<'run'>, command: Send<'run'>,
 *   hover: Hit | null, pick: Hit | null, lookingAt: number | null, span: [number, number] | null, takes: boolean,
 *   say: Shell['say'], throttled: typeof throttled, look: (fields: Partial<LookCommand>) => Promise<any>,
 *   lookAt: (step: number) => void, comeBack: () => boolean,
 *   segment: (changes: PageSettings, step?: number | null) => Promise<any>,
 *   branch: () => Promise<void>, toOpen: (run: string) => object, openRun: (run: string) => Promise<void>,
 *   hoverOver: (hit: Hit | null) => void, toggleFan: () => void, openMicroscope: (hit: Hit | null) => void,
 *   remedy: (finding: FindingOfRun) => HTMLElement | null, invalidate: () => void, relabel: () => void,
 *   seen: { tab: string, choose: (picture: LookCommand['picture']) => void }, close: () => void, keys: object[],
 * }} RunPage
 */

/** Open the run's page; without a name that of a run which is being started. What it returns is described in app.js. */
export function open(shell, name) {
  const page = makePage(shell, name);
  return {
    keys: page.keys,
    relabel: page.relabel,
    redraw: page.invalidate,
    language: () => page.connection.reopen(),
    command: page.command,
    beside: (run) => page.command('beside', { run, shown: true }),
    close: () => page.close(),
  };
}

function makePage(shell, name) {
  shell.tools.replaceChildren(fromTemplate('run-tools'));
  shell.stage.replaceChildren(fromTemplate('run-stage'));
  document.body.classList.add('opening');
  const page = /** @type {RunPage} */ ({
    shell,
    store: makeStore(name),
    hover: null,
    pick: null,
    lookingAt: null,
    say: shell.say,
    throttled,
  });
  let queued = false;
  let closed = false;
  let wanted = null;
  let resting = 0;

  page.send = (verb, fields) => {
    const answer = page.connection.send(verb, fields);
    transport.sent(verb, answer);
    return answer;
  };
  /** Send a command and read out why it is refused; → its reply, or null. */
  page.command = (verb, fields) => {
    const answer = page.send(verb, fields);
    return replyOf(OF_FIELDS.includes(verb) ? answer : underway(answer), page.say);
  };
  /** Look at another step, along other axes, at another unit; what is not named stays. */
  page.look = (fields) => {
    wanted = { ...(wanted ?? page.store.state.view), ...fields };
    return sendLook();
  };
  let replays = (_value) => {}; // a replay takes long: a newer look, which ends it, may be sent before it is answered
  const sendLook = throttled(() => {
    const sent = wanted;
    const answered = page.command('look', sent).then(() => {
      if (wanted !== sent) return;
      wanted = page.lookingAt = null;
      page.invalidate();
    });
    return Promise.race([
      answered,
      new Promise((resolve) => {
        replays = resolve;
      }),
    ]);
  });
  /** Go back to where the step in view was left for one that isn't reached yet; → whether there was one. */
  page.comeBack = () => {
    const leaves = page.lookingAt != null;
    if (leaves) page.look(/** @type {Partial<LookCommand>} */ (page.store.state.view));
    page.lookingAt = null;
    page.invalidate();
    return leaves;
  };
  /** Look at a past step; the last one is the live view. */
  page.lookAt = (step) => {
    const { state } = page.store;
    if (!state?.steers) return;
    const last = state.last_step;
    const at = clamp(Math.round(step), 0, last);
    page.lookingAt = at === last ? null : at;
    page.look({ step: page.lookingAt });
    page.invalidate();
  };
  page.segment = (changes, step) => page.command('segment', step == null ? { changes } : { changes, step });
  page.branch = async () => {
    const reply = await page.command('branch', { changes: {} });
    if (reply?.run)
      page.say(t('branched', { run: reply.run, step: whole(viewStep(page.store)) }), 'info', page.toOpen(reply.run));
  };
  page.toOpen = (run) => ({ action: { word: 'open_it', act: () => page.openRun(run) } });
  /** The page of another run, with this one and those beside it. */
  page.openRun = async (run) => {
    if (run === page.store.name) return;
    const next = await shell.go(`/run/${encodeURIComponent(run)}`);
    for (const other of [page.store.name, ...page.store.state.beside.map((b) => b.run)])
      if (other !== run) next?.beside(other);
  };
  page.hoverOver = (hit) => {
    const same = JSON.stringify(hit) === JSON.stringify(page.hover);
    if (same) return;
    page.hover = hit;
    const { frame } = page.store;
    const layer = hit?.kind === 'unit' ? frame.layers[hit.k] : null;
    lookAtUnit(layer ? [hit.k + frame.first, layer.units[hit.i]] : null);
    page.invalidate();
  };
  /** Ask for the unit at full size, when the pointer has rested on it; its small picture is shown meanwhile. */
  function lookAtUnit(unit) {
    clearTimeout(resting);
    const { state } = page.store;
    if (!state?.steers) return;
    resting = setTimeout(() => {
      if (JSON.stringify(unit) !== JSON.stringify((wanted ?? page.store.state.view).unit)) page.look({ unit });
    }, 120);
  }
  page.toggleFan = () => fan.toggle();
  page.openMicroscope = (hit) => microscope.open(hit);
  page.invalidate = () => {
    if (queued || closed) return;
    queued = true;
    requestAnimationFrame(draw);
  };

  /** Whether its process still loads: it can only be told how to begin. */
  const isStarting = () => page.store.state?.status === 'starting';

  const seen = makeSeen(page);
  const picture = makePicture(page);
  const diagram = makeDiagram(page);
  const curves = makeCurves(page);
  const timeline = makeTimeline(page);
  const ways = makeWays(page);
  const vitals = makeVitals(page);
  const transport = makeTransport(page);
  const settings = makeSettings(page);
  const fan = makeFan(page);
  const microscope = makeMicroscope(page);
  const takeaway = makeTake(page);
  const tables = makeTables();
  const panels = [
    makeResult(page),
    makeMembers(page),
    seen,
    picture,
    diagram,
    curves,
    timeline,
    ways,
    vitals,
    transport,
    settings,
    fan,
    microscope,
    takeaway,
    tables,
  ];

  page.relabel = () => {
    panels.forEach((panel) => panel.relabel?.());
    if (page.store.state) update();
  };
  page.relabel();
  const connect = (address) =>
    new Connection(shell.transport(`/socket${address}`), {
      language: () => language.now,
      receive,
      status: shell.connected,
    });
  page.connection = connect(name ? `/run/${encodeURIComponent(name)}` : '/start');
  const resize = new ResizeObserver(page.invalidate);
  for (const node of [shell.stage, $('#network-canvas'), $('#picture-canvas')]) resize.observe(node);
  addEventListener('resize', page.invalidate);

  function receive(message) {
    if (closed) return;
    if (message.started) return started(message.started);
    if (message.known) setText($('.opens'), `${t('opening')} ${knownOf(message.known)}`);
    const changed = take(page.store, message);
    const { text, kind } = message.notice ?? {};
    if (kind === 'replay') {
      replays(null);
      page.say(text, 'busy', page.lookingAt == null ? {} : { action: { word: 'come_back', act: page.comeBack } });
    } else if (text && (page.takes || kind !== 'busy')) page.say(text, kind);
    if (changed === 'frame') page.hover = stillThere(page.hover, message);
    if (changed === 'state') update();
    const panel = { points: picture, fan }[changed];
    if (page.store.state && !isStarting()) panel?.update(page.store);
    page.invalidate();
  }

  /** The run that was being started has its folder, and so its address; what was pressed before goes to it, too. */
  async function started(run) {
    const { waiting } = page.connection;
    while (waiting.size) await Promise.allSettled([...waiting.values()].map(({ answer }) => answer));
    if (closed || page.store.name) return; // which a new connection is told once more
    const address = `/run/${encodeURIComponent(run)}`;
    history.replaceState(null, '', address);
    page.store.name = run;
    page.connection.close();
    page.connection = connect(address);
  }

  function update() {
    const { state } = page.store;
    const { data } = state;
    document.body.classList.toggle('starting', isStarting());
    if (isStarting()) return transport.update(page.store);
    const total = Object.values(data.rows).reduce((sum, n) => sum + n, 0);
    document.body.classList.remove('opening');
    shell.title(
      state.name,
      [
        t('data_line', { name: data.name, rows: whole(total) }),
        state.viewers > 1 && t('viewers', { n: whole(state.viewers) }),
      ]
        .filter(Boolean)
        .join(' · '),
    );
    shell.stage.classList.toggle('watching', !state.steers);
    shell.stage.dataset.why = whyOff(state);
    for (const panel of panels) panel.update?.(page.store);
    showTabs(page);
    page.invalidate();
  }

  /** Draw everything once, and tell the server that the frame is drawn. */
  function draw() {
    queued = false;
    if (closed) return;
    const { store } = page;
    const began = performance.now();
    if (isStarting()) return transport.draw(store);
    try {
      if ($('#fanout').hidden) {
        seen.draw(store);
        picture.draw(store);
        diagram.draw(store);
      }
      for (const panel of [curves, timeline, ways, vitals, transport, fan, tables]) panel.draw(store);
      microscope.update(store);
    } finally {
      // whatever went wrong with this frame, the next may come
      if (store.undrawn) {
        page.connection.acknowledge(store.undrawn.frame);
        store.undrawn = null;
        shell.stage.dataset.frame = store.frame.frame;
      }
    }
    performance.measure('redraw', { start: began });
  }

  const back = () => page.lookAt((page.lookingAt ?? viewStep(page.store)) - 1);
  const press = (id) => () => $(`#${id}`).click();
  page.keys = [
    { key: ' ', word: 'key_play', act: press('play'), steers: true, early: true },
    { key: 'ArrowRight', shown: '→', word: 'key_step', act: press('step'), steers: true, early: true },
    { key: 'ArrowLeft', shown: '←', word: 'key_back', act: back },
    { key: 'e', shown: 'E', word: 'key_epoch', act: press('epoch'), steers: true, early: true },
    { key: 's', shown: 'S', word: 'key_stop', act: press('stop'), steers: true },
    { key: 'b', shown: 'B', word: 'key_branch', act: press('branch'), steers: true },
    { key: 'f', shown: 'F', word: 'key_fan', act: press('fan'), steers: true },
    {
      key: 'Escape',
      shown: 'Esc',
      word: 'key_escape',
      act: () => microscope.close() || fan.close() || page.comeBack(),
    },
  ].map((key) => ({
    ...key,
    able: () => (!key.steers || Boolean(page.store.state?.steers)) && (key.early || !isStarting()),
  }));

  page.close = () => {
    closed = true;
    document.body.classList.remove('opening', 'starting');
    resize.disconnect();
    removeEventListener('resize', page.invalidate);
    page.connection.close();
  };
  return page;
}

/** What the server knows of a training whose process still loads. */
function knownOf({ data, rows, columns, hidden }) {
  const size = rows && t('rows_and_columns', { rows: whole(rows), columns: whole(columns) });
  const layers = hidden && `${t('hidden_layers')}: ${String(hidden).replaceAll(',', ', ')}`;
  return [data, size, layers].filter(Boolean).join(' · ');
}

/** A unit or edge under the pointer, unless the network has another shape now. */
const stillThere = (hover, frame) => (hover && frame.layers?.[hover.k]?.units[hover.i] != null ? hover : null);

/** act, at most one at a time: of what is asked meanwhile only the newest is done. */
function throttled(act) {
  let busy = false;
  let next = null;
  return async function run(argument) {
    if (busy) {
      next = { argument };
      return;
    }
    busy = true;
    try {
      await act(argument);
    } finally {
      busy = false;
      const wanted = next;
      next = null;
      if (wanted) run(wanted.argument);
    }
  };
}

/**
 * Why what steers is off, if it is.
 *
 * @param {PageState} state
 */
function whyOff({ lost, status, steers, can_steer: may }) {
  if (lost) return t('mute');
  if (status === 'deleted') return t('run_deleted');
  return steers ? '' : t(may === false ? 'why_watch_only' : 'why_watching');
}

/** The run in hand and those beside it: a click steers another, the cross takes it away. */
function showTabs(page) {
  const { state } = page.store;
  const own = { run: state.name, letter: state.letter ?? 'A' };
  const runs = [own, ...state.beside].sort((a, b) => a.letter.localeCompare(b.letter));
  const about = (run) => run.text || (run.step == null ? '' : t('from_step', { step: whole(run.step) }));
  const tab = (run) =>
    makeButton(
      () => page.openRun(run.run),
      {
        class: run.letter === 'A' ? 'tab' : 'tab dash',
        'aria-pressed': run === own,
        title: [run.run, about(run)].filter(Boolean).join(' · '),
      },
      svg('svg', { viewBox: '0 0 22 8', 'aria-hidden': 'true' }, svg('path', { d: 'M1 4h20' })),
      el('b', { 'aria-hidden': 'true' }, run.letter),
      el('span', {}, about(run) && `${about(run)} · `, el('small', {}, run.run)),
    );
  const close = (run) =>
    smallButton(
      () => page.command('beside', { run: run.run, shown: false }),
      {
        class: 'small shut',
        disabled: !state.steers,
        'aria-label': t('take_away', { name: run.run }),
        title: t('take_away', { name: run.run }),
      },
      '×',
    );
  const key = JSON.stringify([runs.map((r) => [r.run, r.letter, r.text]), own.letter, state.steers, language.now]);
  const box = $('#tabs');
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...(runs.length < 2 ? [] : runs.flatMap((run) => [tab(run), run === own ? '' : close(run)])));
  setText($('#tabs-name'), runs.length < 2 ? '' : t('runs_here'));
}
