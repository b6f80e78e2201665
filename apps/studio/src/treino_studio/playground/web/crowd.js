/**
 * The view of many networks ("caviar"): a crowd over three settings that trains in workers, as tiles that stand by
 * their settings or by their validation loss, with the best one, how much of it is luck, and a judgement at the end.
 */

import { el, makeButton, setText } from '../../page/modules/dom.js';
import { num, whole } from '../../page/modules/numbers.js';
import { head, hideTip, pair, showTip, soft } from '../../page/modules/tip.js';
import { t } from '../../page/modules/words.js';
import { faultText } from './address.js';
import { makeBest, makeEnlarged, percent, settingsText } from './crowd_best.js';
import { makeControls } from './crowd_controls.js';
import { pointsOf } from './crowd_pictures.js';
import { makeTable } from './crowd_table.js';
import { makeTeam, meanLosses } from './crowd_team.js';
import { makeTools, SPEEDS } from './crowd_tools.js';
import { usualOf } from './defaults.js';
import { verdictOf } from './luck.js';
import { COUNTS, carried, makeMembers, noPlan, planFields, readPlan, shareOut } from './members.js';
import { prepare } from './problems.js';
import { readSettings } from './protocol.js';
import { halving, survivors } from './rungs.js';
import { CALM, makeTileMap, valueText } from './tile_map.js';
import { COLUMN, cellsFor } from './tiles.js';
import { stepsPerEpoch } from './training.js';

const USUAL_SPEED = 8;
const CLEARLY = 1.01; // times the least loss: the best one stays the best up to there
const SMOOTH = 0.6; // of the loss before, in what the order goes by
const KEPT = 240; // points of a network's curves
const LUCK_PAUSE = 8000; // milliseconds between two bootstraps
const LUCK_SHARE = 25; // times what a bootstrap takes
const TOLD = 400; // milliseconds between two writings of figures
const DRAWN = 900; // milliseconds between two drawings of the dots
const LOOKED = 80; // milliseconds between two large pictures
const MODES = ['map', 'ranked', 'table'];

/** Open the view. What it returns is described in app.js. */
export function open(shell) {
  const machine = {
    cores: navigator.hardwareConcurrency || 2,
    memory: /** @type {{deviceMemory?: number}} */ (navigator).deviceMemory ?? 4,
    handheld: matchMedia('(pointer: coarse) and (max-width: 1100px)').matches,
  };
  const limit = carried(machine);
  const count = Math.max(1, Math.min(16, Math.round(Number(shell.asked('workers')) || Math.min(8, machine.cores - 1))));
  const counters = {
    frames: 0,
    opened: performance.now(),
    first: null,
    workers: count,
    modelSteps: 0,
    trainSeconds: 0,
    paintSeconds: 0,
    tiles: 0,
  };
  let crowd = null;
  let wanted = null;
  let plan = null;
  let cutting = null;
  let mode = MODES.includes(shell.asked('show')) ? shell.asked('show') : 'map';
  let speed = speedOf(shell.asked('speed'), shell);
  let playing = false;
  let closed = false;
  let told = 0;
  let drawn = 0;
  let lucky = { asked: 0, took: 0, running: false };
  let rate = { at: 0, steps: 0, value: 0 };
  let frameOf = 0;
  let look = null;
  let looked = 0;
  let ranked = 0;
  let chosen = 0;
  let notes = [];
  let begun = 0;

  // what benchmarks and tests read; nothing else does
  const seenFrom = /** @type {{treinoCrowd?: object}} */ (window);
  seenFrom.treinoCrowd = {
    counters,
    get step() {
      return team.step();
    },
    get networks() {
      return crowd?.networks ?? [];
    },
    get order() {
      return crowd?.order ?? [];
    },
    get together() {
      return team.quiet();
    },
    kind: () => map.kind(),
    ask: (id, verb, fields) => team.ask(crowd.networks[id].member.worker, verb, fields),
    get best() {
      return crowd?.best ?? null;
    },
    get luck() {
      return crowd?.luck;
    },
    get verdict() {
      return crowd?.verdict;
    },
    get over() {
      return Boolean(crowd?.ended && !playing && team.quiet());
    },
    enlarge: (id) => enlarge(id),
  };

  const team = makeTeam(
    Array.from({ length: count }, (_, k) => shell.tab.crowd(k)),
    { take, failed },
  );
  const ofCrowd = {
    crowd: () => crowd,
    enlarge,
    touch,
    babysit,
    closed() {
      map.node.focus({ preventScroll: true });
    },
  };
  const map = makeTileMap({ enlarge, point, describe: (id) => describe(id) });
  const best = makeBest(ofCrowd);
  const enlarged = makeEnlarged(ofCrowd);
  const controls = { node: el('section', { class: 'panel settings' }) };
  const stage = makeStage();
  const tools = makeTools(shell.tools, {
    toggle,
    step: () => step(),
    anew() {
      begin(playing);
      return until(() => !crowd || crowd.networks.every(({ loss }) => loss !== undefined));
    },
    judge,
    pace(next) {
      speed = next;
      if (playing) team.play = speed;
      note();
    },
  });
  const table = makeTable({ enlarge });
  let panel = null;

  const visible = shell.hidden(() => {
    if (!playing) return;
    pause();
    shell.say(t('paused_in_background'));
  });
  requestAnimationFrame(tick);
  start();

  /** Read the address, and make the crowd that it asks for. */
  async function start() {
    wanted = await shell.wanted();
    if (closed) return;
    const { plan: asked, wrong } = readPlan(
      Object.fromEntries(Object.keys(noPlan()).map((name) => [name, shell.asked(name)])),
    );
    plan = asked;
    const { problem, settings } = wanted;
    const convolves = settings.channels.length > 0;
    if (convolves) wanted = { ...wanted, settings: { ...settings, channels: [], hidden: usualOf('hidden', problem) } };
    const [eta, epochs] = (shell.asked('halving') ?? '').split(',').map(Number);
    cutting = [2, 3].includes(eta) && epochs >= 1 ? { eta, epochs: Math.round(epochs) } : null;
    notes = [
      ...(convolves ? [t('many_convolutions')] : []),
      ...wanted.faults.map(faultText),
      ...wrong.map((name) => t('not_understood', { name, value: shell.asked(name) })),
    ];
    panel = makeControls({ now: () => ({ plan, settings: wanted.settings, cutting, limit }), changed });
    controls.node.replaceWith(panel.node);
    controls.node = panel.node;
    begin(shell.asked('play') === '1');
  }

  /** The networks of the plan, from their first weights on. */
  function begin(play = false) {
    const { problem, settings } = wanted;
    pause();
    enlarged.shut();
    let prepared;
    try {
      prepared = prepare(problem);
      readSettings(settings);
      if (!prepared.parts[1].rows.length)
        throw { message: t('many_no_validation'), hint: t('many_no_validation_hint') };
    } catch (refusal) {
      return refuse(refusal);
    }
    if (plan.count > limit) {
      notes.push(t('many_fewer', { asked: whole(plan.count), n: whole(limit) }));
      plan = { ...plan, count: limit };
    }
    const ofNumbers = ['bce', 'cross_entropy'].includes(settings.loss) ? null : settings.loss;
    const loss = prepared.classes.length ? 'cross_entropy' : (ofNumbers ?? 'mse');
    const base = { ...settings, data_seed: problem.data_seed ?? 0, loss };
    const made = makeMembers(plan);
    const { shares, slots } = shareOut(made.members, base, count, COLUMN);
    const cells = cellsFor(made.members.length);
    const plane = planeOf(prepared);
    const range = prepared.classes.length ? [0, 1] : endsOf(prepared.parts[0].y);
    crowd = {
      plan,
      made,
      prepared,
      base,
      plane,
      range,
      slots,
      cells,
      classes: prepared.classes.length,
      points: pointsOf(prepared, plane),
      alive: new Set(made.members.map(({ id }) => id)),
      networks: made.members.map((member) => ({
        member,
        loss: undefined,
        right: undefined,
        train: NaN,
        smooth: NaN,
        step: 0,
        gone: false,
        history: { step: [], train: [], validation: [], every: 1, seen: 0 },
      })),
      order: made.members.map(({ id }) => id),
      best: null,
      ranked: null,
      hot: null,
      luck: null,
      verdict: null,
      ended: false,
      rungs: null,
      rung: 0,
      perEpoch: stepsPerEpoch(prepared, base),
    };
    if (cutting) crowd.rungs = halving(made.members.length, cutting.epochs, cutting.eta);
    map.begin({ ...made, slots, cells }, plan, {
      regression: !crowd.classes,
      gl: { webgl: 'any', '2d': false }[shell.asked('tiles')] ?? true,
    });
    team.begin(shares, { problem, settings: base, plane, cells, range });
    if (crowd.rungs) team.stop = crowd.rungs[0].epochs * crowd.perEpoch;
    lucky = { asked: 0, took: 0, running: false };
    begun++;
    stage.fill();
    map.show(mode === 'table' ? 'map' : mode);
    show(mode);
    update();
    titled();
    shell.say(notes.join(' '), 'warning');
    notes = [];
    if (play) resume();
  }
  function titled() {
    const n = whole(crowd.made.members.length);
    shell.title(t('many_title', { n }), t('networks_on', { n, data: crowd.prepared.name }));
  }
  function planeOf(prepared) {
    const axes =
      shell
        .asked('axes')
        ?.split(',')
        .map((name) => prepared.columns.indexOf(name))
        .filter((k) => k >= 0) ?? [];
    const free = (prepared.axes ?? prepared.columns).map((name) =>
      typeof name === 'number' ? name : prepared.columns.indexOf(name),
    );
    const [across, down = null] = axes.length === 2 ? axes : free.slice(0, 2);
    const K = prepared.columns.length;
    const sides = [across, down].map((k) => {
      if (k === null) return [-1, 1];
      const values = prepared.parts.flatMap(({ places, rows }) => Array.from(rows, (_, i) => places[i * K + k]));
      const [low, high] = endsOf(values);
      const pad = 0.06 * (high - low || 1);
      return [low - pad, high + pad];
    });
    return { axes: [across, down], low: sides.map(([low]) => low), high: sides.map(([, high]) => high) };
  }
  function refuse({ message, hint }) {
    pause();
    crowd = null;
    tell();
    stage.refuse(message, hint);
    shell.drawer?.toggle(true);
  }
  /** A worker has failed: no memory, most likely, so fewer are tried. */
  function failed({ rule, message, hint }) {
    const fewer = COUNTS.filter((one) => one < plan.count).at(-1);
    if (rule !== 'no_memory' || !fewer) return refuse({ message, hint });
    notes.push(t('many_fewer', { asked: whole(plan.count), n: whole(fewer) }));
    plan = { ...plan, count: fewer };
    panel.update();
    begin(playing);
  }

  /** Other settings, another plan: other networks, and another address. */
  function changed(next) {
    wanted = { ...wanted, settings: next.settings, step: 0, actions: [] };
    plan = next.plan;
    cutting = next.cutting;
    note();
    const was = playing;
    begin(was);
    panel.update();
  }
  const note = () =>
    shell.note(
      { ...wanted, step: 0, actions: [] },
      {
        ...planFields(plan),
        halving: cutting ? `${cutting.eta},${cutting.epochs}` : null,
        show: mode === 'map' ? null : mode,
        speed: speed === USUAL_SPEED ? null : speed === 0 ? 'full' : String(speed),
        play: null,
      },
    );

  // ---- what comes from the workers

  function take(frame) {
    if (!crowd) return; // it was refused meanwhile
    for (const tile of frame.tiles) {
      map.put(tile);
      tile.ids.forEach((id, k) => {
        const network = crowd.networks[id];
        const loss = tile.loss[k];
        Object.assign(network, { loss, right: tile.right[k], train: tile.train[k], step: frame.step });
        network.smooth =
          Number.isFinite(network.smooth) && Number.isFinite(loss) && playing
            ? SMOOTH * network.smooth + (1 - SMOOTH) * loss
            : loss;
        remember(network.history, frame.step, tile.train[k], loss);
      });
    }
    if (frame.big) {
      if (frame.big.id === enlarged.id) enlarged.picture(frame.big);
      if (frame.big.id === crowd.best) best.picture(frame.big);
    }
    if (counters.first === null && frame.step > 0 && frame.tiles.length)
      counters.first = performance.now() - counters.opened;
    Object.assign(counters, team.counters());
  }
  /** Keep at most so many points: when there are more, every second one goes. */
  function remember(history, step, train, validation) {
    if (history.step.at(-1) === step || history.seen++ % history.every) return;
    history.step.push(step);
    history.train.push(train);
    history.validation.push(validation);
    if (history.step.length <= KEPT) return;
    history.every *= 2;
    for (const name of ['step', 'train', 'validation']) history[name] = history[name].filter((_, k) => k % 2 === 0);
  }

  // ---- every frame

  function tick(now) {
    if (closed) return;
    requestAnimationFrame(tick);
    if (!crowd) return;
    counters.frames++;
    frameOf++;
    if (crowd.rungs && !crowd.ended && team.stopped()) cut();
    if (now - looked > LOOKED) look = enlarged.id ?? crowd.best;
    if (team.frame(look)) {
      looked = now;
      look = null;
    }
    const moves = map.frame(now);
    rank(now);
    if (now - told > TOLD && (playing || moves || !team.quiet() || told < begun)) {
      told = now;
      update();
    }
    if (enlarged.id !== null && frameOf % 4 === 0) enlarged.draw();
    if (now - drawn > DRAWN) {
      drawn = now;
      best.draw();
    }
    if (
      now - lucky.asked > Math.max(LUCK_PAUSE, LUCK_SHARE * lucky.took) ||
      (!playing && crowd.luck?.step !== team.step() && now - lucky.asked > 500 && team.quiet())
    )
      askLuck(now);
  }
  /** Who is best, and now and then the order, which keeps still under a pointer; when all rests, once more. */
  function rank(now) {
    const rests = !playing && team.quiet();
    if ((rests && crowd.ranked === team.step()) || now - ranked < (rests ? 100 : 300)) return;
    ranked = now;
    const worth = crowd.networks.map(({ smooth, loss, gone }) =>
      !Number.isFinite(loss) ? Infinity : (playing ? smooth : loss) + (gone ? 1e6 : 0),
    );
    if (rests || crowd.best === null || now - chosen > CALM) choose(now);
    if (crowd.networks.some(({ loss }) => loss === undefined)) return;
    if (map.rank(worth, now, rests || crowd.ranked === null)) crowd.order = map.order();
    if (rests) crowd.ranked = team.step();
    else crowd.ranked ??= -1;
    if (mode === 'table') fillTable();
  }

  /** The best one now; nearly equal ones don't take turns. */
  function choose(now) {
    const value = ({ loss, gone }) => (Number.isFinite(loss) && !gone ? loss : Infinity);
    const { networks } = crowd;
    const first = networks.reduce((least, network) => (value(network) < value(least) ? network : least));
    chosen = now;
    if (
      Number.isFinite(value(first)) &&
      !(crowd.best !== null && value(networks[crowd.best]) <= CLEARLY * value(first))
    )
      crowd.best = map.best = first.member.id;
  }

  // ---- luck, halving, the end

  async function askLuck(now) {
    if (lucky.running || crowd.verdict || !team.ready() || team.step() === 0) return;
    lucky.running = true;
    lucky.asked = now;
    const mine = crowd;
    const { luck, took } = await luckNow();
    if (mine !== crowd) return; // another crowd has begun, whose luck is another one
    Object.assign(lucky, { took, running: false });
    if (crowd.verdict) return;
    crowd.luck = luck;
    update();
  }
  /** The luck of the best of those that are left, for which all were tried; as a sweep's judge counts them. */
  async function luckNow() {
    const { alive, classes, prepared } = crowd;
    const scores = await team.scores();
    const began = performance.now();
    const found = await team.ask(0, 'luck', {
      ...scores,
      left_M: Uint8Array.from(scores.ids, (id) => alive.has(id)),
      classes,
    });
    const took = performance.now() - began;
    // in the target's own unit
    if (!classes) for (const name of ['best', 'error', 'inflation', 'other']) found[name] *= prepared.targetScale;
    return { luck: { ...found, members: scores.members, step: scores.step }, id: scores.ids[found.winner], took };
  }

  /** A rung's end: the better ones go on, as search/halving.py has it. */
  async function cut() {
    const mine = crowd;
    const next = crowd.rungs[crowd.rung + 1];
    crowd.ended = true; // until it is known who goes on
    const was = playing;
    if (!next) {
      pause();
      shell.say(t('many_rungs_done'));
      return update();
    }
    const scores = await team.scores(crowd.alive);
    if (mine !== crowd) return;
    const places = survivors(meanLosses(scores), next.members);
    crowd.alive = new Set(places.map((place) => scores.ids[place]));
    for (const network of crowd.networks) network.gone = !crowd.alive.has(network.member.id);
    team.keep(crowd.alive);
    map.cut(crowd.alive);
    crowd.rung++;
    team.stop = next.epochs * crowd.perEpoch;
    crowd.ended = false;
    if (was) resume();
    update();
  }

  /** Stop, and judge the best on the test rows: once, at the end. */
  async function judge() {
    const mine = crowd;
    pause();
    crowd.judging = true;
    tell();
    await until(() => team.quiet() && !lucky.running);
    if (mine !== crowd || closed) return;
    const { luck, id } = await luckNow();
    const { prepared } = crowd;
    const rows = prepared.parts[2].rows.length;
    const tested = rows ? await team.ask(crowd.networks[id].member.worker, 'scores', { part: 2, ids: [id] }) : null;
    if (mine !== crowd || closed) return;
    crowd.luck = luck;
    crowd.best = map.best = id;
    crowd.verdict = rows
      ? verdictOf({
          loss_N: tested.loss_MN,
          right_N: tested.right_MN,
          classes: crowd.classes,
          train: prepared.parts[0],
          test: prepared.parts[2],
          scale: prepared.targetScale,
        })
      : { rows: 0 };
    crowd.ended = true;
    crowd.judging = false;
    drawn = 0;
    team.wake();
    update();
  }
  const until = (holds) =>
    new Promise((done) => {
      const look = () => (closed || holds() ? done(true) : setTimeout(look, 30));
      look();
    });

  // ---- what a reader does

  function resume() {
    if (!crowd || crowd.verdict || crowd.judging || (crowd.ended && crowd.rungs && !crowd.rungs[crowd.rung + 1]))
      return;
    playing = true;
    team.play = speed;
    tell();
  }
  function pause() {
    playing = false;
    team.play = null;
    team.target = 0;
    tell();
  }
  function toggle() {
    if (playing) pause();
    else resume();
  }
  function step(steps = 1) {
    if (!crowd || crowd.verdict || crowd.judging) return null;
    if (playing) pause();
    team.take(steps);
    return until(() => playing || team.quiet());
  }
  function enlarge(id) {
    hideTip();
    enlarged.open(id);
    team.wake();
    update();
  }
  /** The dots and the tiles show the same network. */
  function touch(id, event) {
    map.hot = id;
    point(id, event);
    map.frame(performance.now());
  }
  function point(id, event) {
    if (!crowd) return;
    crowd.hot = id;
    if (id === null || enlarged.id !== null) return hideTip();
    const { member, loss, right, gone } = crowd.networks[id];
    const place = event ?? map.boxOf(id);
    showTip(
      place,
      head(t('many_network', { n: id })),
      Object.entries(member.own).map(([name, value]) => pair(t(`many_${name}`), valueText(name, value))),
      pair(t('validation_loss'), Number.isFinite(loss) ? num(loss, 3) : t('folder_diverged')),
      crowd.classes && Number.isFinite(loss) && pair(t('many_right_word'), percent(right)),
      gone && soft(t('many_cut')),
    );
    return undefined;
  }
  function describe(id) {
    const { member, loss, gone } = crowd.networks[id];
    return (
      t('many_describe', {
        n: id,
        settings: settingsText(member),
        loss: Number.isFinite(loss) ? num(loss, 3) : loss == null ? '–' : t('folder_diverged'),
      }) + (gone ? `, ${t('many_cut')}` : '')
    );
  }
  /** The first view trains this network alone: to the same step it has the same bits. */
  function babysit(id) {
    const { member, step: at } = crowd.networks[id];
    pause();
    return shell.visit(
      {
        ...wanted,
        settings: {
          ...wanted.settings,
          loss: crowd.classes || crowd.base.loss === 'mse' ? null : crowd.base.loss,
          ...member.own,
        },
        step: at,
        actions: [],
      },
      { ...noPlan(), view: null, halving: null, show: null, speed: null, play: null },
    );
  }

  // ---- the page

  function makeStage() {
    const tabs = el('div', { class: 'tabs', role: 'group' });
    const hint = el('p', { class: 'hint', id: 'many-hint' });
    const listed = el('div', { class: 'fill scroll listed', hidden: true });
    const picture = el(
      'section',
      { class: 'panel crowd', 'aria-labelledby': 'crowd-title' },
      el('header', {}, el('h2', { id: 'crowd-title' }), tabs, hint),
      map.node,
      listed,
    );
    const grid = el('div', { class: 'many' }, controls.node, picture, best.node);
    const refusal = el('section', { class: 'panel refusal', role: 'alert', hidden: true });
    shell.stage.replaceChildren(refusal, grid);
    return {
      hint,
      listed,
      fill() {
        refusal.hidden = true;
        grid.classList.remove('refused');
      },
      refuse(message, more) {
        refusal.hidden = false;
        grid.classList.add('refused');
        refusal.replaceChildren(
          el('h2', {}, t('not_trained')),
          el('p', {}, message),
          el('p', { class: 'hint' }, more ?? ''),
        );
      },
      relabel() {
        setText(picture.querySelector('h2'), t('many_heading'));
        tabs.setAttribute('aria-label', t('many_order'));
        tabs.replaceChildren(
          ...MODES.map((name) =>
            makeButton(
              () => {
                show(name);
                note();
              },
              { class: 'tab', 'data-show': name, 'aria-pressed': name === mode },
              t(`many_${name}`),
            ),
          ),
        );
      },
    };
  }
  function show(name) {
    mode = name;
    for (const button of shell.stage.querySelectorAll('[data-show]'))
      button.setAttribute('aria-pressed', button.dataset.show === mode);
    map.node.hidden = mode === 'table';
    stage.listed.hidden = mode !== 'table';
    if (mode === 'table') fillTable();
    else map.show(mode);
    update();
  }
  function fillTable() {
    if (!crowd) return;
    const node = table.fill(crowd); // left where it stands, it keeps its focus and its place
    if (node.parentNode !== stage.listed) stage.listed.replaceChildren(node);
  }
  /** What the buttons and the clock say. */
  function tell() {
    const over = !crowd || crowd.verdict != null || Boolean(crowd.judging);
    tools.update({
      playing,
      over,
      done: over || Boolean(crowd.rungs && crowd.ended && !crowd.rungs[crowd.rung + 1]),
      step: team.step(),
      networks: crowd?.alive.size ?? 0,
      judging: crowd?.judging,
      judged: crowd?.verdict != null,
      rate: rate.value,
      empty: !crowd,
    });
  }

  function update() {
    if (!crowd) return;
    const now = performance.now();
    const total = counters.modelSteps;
    if (now - rate.at > 900)
      rate = { at: now, steps: total, value: total > rate.steps ? ((total - rate.steps) / (now - rate.at)) * 1000 : 0 };
    tell();
    best.update();
    enlarged.update();
    const lost = crowd.networks.filter(({ loss }) => loss !== undefined && !Number.isFinite(loss)).length;
    const { rungs, rung } = crowd;
    setText(
      stage.hint,
      [
        rungs &&
          t('many_rung', {
            n: rung + 1,
            total: rungs.length,
            left: whole(crowd.alive.size),
            epochs: whole(rungs[rung].epochs),
          }),
        lost && t('many_diverged', { n: whole(lost) }),
        mode === 'ranked' && t('many_ranked_about'),
      ]
        .filter(Boolean)
        .join(' · '),
    );
  }
  stage.relabel();
  tools.relabel(speed);
  tell();
  return {
    keys: [
      { key: ' ', shown: ' ', word: 'key_play', act: toggle, able: () => Boolean(crowd) },
      { key: 'ArrowRight', shown: '→', word: 'key_step', act: () => step(), able: () => Boolean(crowd) },
      { key: 'm', shown: 'M', word: 'many_key_map', act: () => show('map'), able: () => Boolean(crowd) },
      { key: 'r', shown: 'R', word: 'many_key_ranked', act: () => show('ranked'), able: () => Boolean(crowd) },
      { key: 't', shown: 'T', word: 'many_key_table', act: () => show('table'), able: () => Boolean(crowd) },
    ],
    relabel() {
      if (crowd) titled();
      stage.relabel();
      tools.relabel(speed);
      map.relabel();
      best.relabel();
      enlarged.relabel();
      panel?.relabel();
      if (mode === 'table') fillTable();
      update();
    },
    redraw() {
      map.redraw();
      best.update();
      best.draw();
      enlarged.draw();
    },
    close() {
      closed = true;
      visible();
      hideTip();
      team.close();
      map.close();
      enlarged.close();
    },
  };
}

const endsOf = (values) => [Math.min, Math.max].map((end) => values.reduce((a, b) => end(a, b)));

/** Steps of a frame as the address has them; others are refused in words. */
function speedOf(text, shell) {
  if (text === 'full') return 0;
  if (SPEEDS.includes(Number(text)) && text) return Number(text);
  if (text) shell.say(t('many_wrong_values', { name: t('speed'), value: text }), 'warning');
  return USUAL_SPEED;
}
