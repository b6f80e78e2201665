/** The page of a script of one's own: its curves, optimizers, output and findings, and what steers it. */

import { replyOf } from './connection.js';
import { el, makeButton, numberIn, setText, smallButton } from './dom.js';
import { connected, duration, panel, statusWord } from './lines.js';
import { num, whole } from './numbers.js';
import { underway } from './press.js';
import { changeOf, makeCharts, nameOfLoss } from './script_charts.js';
import { field, refusal } from './script_fields.js';
import { makeOutput } from './script_output.js';
import { makeTimeMachine } from './script_time.js';
import { grown, placeAt } from './store.js';
import { makeStretches } from './ways.js';
import { localised, t } from './words.js';

const LONGEST = 10_000; // milliseconds until it may be pressed again although nothing has followed

/** Whether what a command asked for holds now; was: before it. */
const HOLDS = {
  play: (now) => now.playing,
  pause: (now) => !now.playing,
  step: (now, was) => now.step > was.step,
  stop: (now) => now.status === 'ended',
  checkpoint: (now, was) => now.checkpoints?.list.at(-1)?.number !== was.checkpoints?.list.at(-1)?.number,
  rewind: (now, was) => now.present !== was.present,
  return: (now, was) => now.present !== was.present,
  fan: (now, was) => now.fan?.number !== was.fan?.number,
  adopt: (now) => !now.fan,
};

export function open(shell) {
  let state = null;
  let fan = null;
  let output = null;
  let charts = null;
  let time;
  let printed;
  let stretches;
  let built = '';
  let queued = 0;
  let fields = new Map();
  const curves = new Map(); // by name: { run, of, name, step, loss, low, high }
  const awaited = new Set(); // what was asked for and doesn't hold yet
  const { connection } = connected(shell, 'script', take);
  async function command(verb, values) {
    const refused = await ask(verb, values);
    if (refused) shell.say(refused, 'warning');
  }
  function settle(refused = null) {
    for (const each of awaited)
      if (each.verb === refused || each.holds()) {
        awaited.delete(each);
        each.resolve();
      }
  }

  function take(message) {
    if (message.notice) notice(message.notice);
    if (message.curves) {
      const { run, of, name } = message.curves;
      curves.set(run, { run, of, name, ...grown(curves.get(run), message.curves) });
    }
    if ('fan' in message) fan = message.fan;
    if (message.output) output = message.output;
    if (message.state) state = message.state;
    if (state) settle(message.notice?.command?.do);
    if (state && !queued) queued = requestAnimationFrame(show); // of many messages at once
  }
  function show() {
    queued = 0;
    if (!charts) build();
    printed.update(output);
    update();
    draw();
  }
  /** What the script refuses of a field is said beside it. */
  function notice({ text, kind, command: of }) {
    const known = of?.do === 'set' ? fields.get(`${of.optimizer ?? 0} ${of.group ?? 0} ${of.name}`) : null;
    if (known) known.refuse(text);
    else shell.say(text, kind);
  }
  /** Wait until what was asked for holds, which the script says later, or is refused. */
  function holding(verb) {
    const was = { ...state, fan };
    return new Promise((resolve) => {
      awaited.add({ verb, resolve, holds: () => !HOLDS[verb] || HOLDS[verb]({ ...state, fan }, was) });
      setTimeout(resolve, LONGEST);
    });
  }
  /** Send a command; → a promise of why it was refused, or of ''. */
  async function ask(verb, values) {
    const held = holding(verb);
    const answer = connection.send(verb, values).then(() => {
      settle();
      return held;
    });
    let refused = '';
    await replyOf(underway(answer), (text) => {
      refused = text;
    });
    return refused;
  }

  function build() {
    const button = (id, word, act, more = {}) => makeButton(act, { id: `script-${id}`, ...more }, t(word));
    const list = (id) => el('ul', { id: `script-${id}`, class: 'notes' });
    time = makeTimeMachine(ask);
    charts = makeCharts(time.chooseAt, time.align);
    printed = makeOutput();
    const replay = el(
      'div',
      { class: 'command', id: 'script-replay', hidden: true },
      el('code', {}),
      smallButton(copy, {}, t('copy')),
    );
    const changes = el('ol', { id: 'script-changes', class: 'ways', 'aria-label': t('changes') });
    stretches = makeStretches(changes, ({ checkpoint }) => time.choose(checkpoint));
    shell.stage.replaceChildren(
      el(
        'div',
        { class: 'page script' },
        el(
          'div',
          { class: 'line head' },
          button('play', 'pause', () => command(state.playing ? 'pause' : 'play'), { class: 'primary' }),
          button('step', 'step', () => command('step'), { 'data-repeats': true }),
          button('stop', 'stop', () => command('stop')),
          button('wheel', 'take_wheel', () => command('steer')),
          el('p', { id: 'script-progress', class: 'hint' }),
        ),
        el('progress', { id: 'script-share', max: 1, 'aria-label': t('progress'), hidden: true }),
        el('p', { id: 'script-reason', class: 'verdict', role: 'status', hidden: true }),
        el(
          'div',
          { class: 'sides' },
          el(
            'div',
            { class: 'page' },
            panel(t('loss_and_accuracy'), charts.losses.box),
            time.node,
            time.fan,
            printed.node,
          ),
          el(
            'div',
            { class: 'page' },
            panel(t('optimizers'), el('div', { id: 'script-optimizers' })),
            panel(t('buttons'), el('div', { id: 'script-buttons', class: 'asks' })),
            panel(t('findings'), list('findings')),
            panel(t('learning_rates'), charts.rates.box),
            panel(t('gradient_norms'), charts.norms.box),
            panel(t('changes'), changes, replay),
            panel(t('not_seen'), list('unseen')),
          ),
        ),
      ),
    );
    printed.update(output);
  }
  const at = (id) => shell.stage.querySelector(`#script-${id}`);

  function update() {
    const over = state.status === 'ended';
    const off = over || !state.steers;
    shell.title(state.path ?? t('script'), (state.args ?? []).join(' '));
    const pace = state.pace ? t('steps_a_second', { n: num(state.pace, 3) }) : '';
    const planned = state.steps_planned;
    const stopped = ['stopped', 'interrupted'].includes(state.reason?.why);
    const failed = over && !stopped && (state.exit || state.error);
    const words = over
      ? statusWord(stopped ? 'stopped' : failed ? 'failed' : 'finished')
      : t(state.lost ? 'status_lost' : state.playing ? 'status_playing' : 'status_paused');
    const step = planned
      ? t('step_of_about', {
          step: whole(state.step),
          last: whole(Math.max(state.step, Number(planned.toPrecision(2)))),
        })
      : t('step_number', { n: whole(state.step) });
    setText(
      at('progress'),
      [words, step, pace, over ? '' : state.left_s != null && state.playing ? duration(state.left_s) : '']
        .filter(Boolean)
        .join(' · '),
    );
    at('share').hidden = over || !planned;
    at('share').value = planned ? state.step / planned : 0;
    setText(at('reason'), reason());
    at('reason').hidden = !at('reason').textContent;
    at('reason').dataset.kind = failed ? 'bad' : 'good';
    setText(at('play'), t(state.playing ? 'pause' : 'play'));
    for (const id of ['play', 'step', 'stop']) at(id).disabled = off;
    at('wheel').hidden = state.steers || !state.can_steer;
    updateFields(off);
    listed('findings', findings());
    updateStretches();
    listed('unseen', state.unseen);
    at('unseen').parentNode.hidden = !state.unseen.length;
    at('replay').hidden = !state.replay;
    setText(at('replay').firstChild, state.replay ?? '');
    time.update(state, fan);
  }

  /** The stretches of all its processes between two changes; a click chooses the last checkpoint of one. */
  function updateStretches() {
    const pieces = (state.history ?? []).map((piece) => ({
      ...piece,
      key: `${piece.run} ${piece.first}`,
      figures: figuresOf(piece),
      text: [
        localised(piece.text),
        ...piece.changes.map((change) =>
          [changeOf(change), change.until && t('until_scheduler')].filter(Boolean).join(', '),
        ),
      ]
        .filter(Boolean)
        .join(' · '),
      off: piece.checkpoint == null,
      why: piece.checkpoint == null ? t('way_no_checkpoint') : '',
    }));
    if (pieces.length < 2) return at('changes').replaceChildren(el('li', { class: 'notes' }, t('no_changes')));
    stretches.update(pieces);
    stretches.mark(
      ({ run, last }) =>
        run === state.present &&
        last === Math.max(...pieces.filter((piece) => piece.run === run).map((piece) => piece.last)),
    );
  }
  /** Measured last in a stretch: the loss of training (of many steps a mean), and validation figures. */
  function figuresOf({ run, first, last }) {
    const found = [];
    const own = curves.get(run) ?? {};
    for (const [name, curve] of [
      [own.low?.length ? nameOfLoss(own) : 'training_loss', run],
      ...(state.figures[run] ?? [])
        .filter(({ split }) => split === 'validation')
        .map(({ name, curve }) => [name === 'loss' ? 'validation_loss' : 'accuracy', curve]),
    ]) {
      const { step = [], loss = [] } = curves.get(curve) ?? {};
      const k = placeAt(step, last);
      if (k >= 0 && (step[k] > first || !first) && loss[k] != null) found.push({ name, value: loss[k], step: step[k] });
    }
    return found;
  }
  /** Why it has ended, in a sentence. */
  function reason() {
    const { reason: found, error } = state;
    if (!found) return error ?? '';
    const place = found.line ? t('end_line', { line: found.line }) : '';
    const memory = found.signal === 'SIGKILL' ? t('end_memory') : '';
    return [t(`end_${found.why}`, { ...found, text: found.text ?? '', status: found.status ?? '' }), place, memory]
      .filter(Boolean)
      .join(' ');
  }
  function findings() {
    if (state.findings.length)
      return state.findings.map((f) =>
        el(
          'span',
          {},
          el('b', {}, f.message),
          ' ',
          f.fix ?? '',
          f.line ? ` (${f.file?.split('/').at(-1) ?? ''}:${f.line})` : '',
        ),
      );
    if (state.examined) return [t(state.status === 'ended' ? 'found_nothing' : 'no_findings')];
    return [
      el('span', {}, t('ask_findings'), ' ', el('code', {}, `treino studio ${state.path ?? 'train.py'} --findings`)),
    ];
  }
  function listed(id, sentences) {
    const key = JSON.stringify(sentences.map((each) => each.textContent ?? each));
    const list = at(id);
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    list.replaceChildren(...sentences.map((sentence) => el('li', {}, sentence)));
  }
  async function copy() {
    const code = at('replay').firstChild;
    try {
      await navigator.clipboard.writeText(code.textContent);
      shell.say(t('copied'));
    } catch {
      // over plain http from another machine there is no clipboard: the text is selected instead
      getSelection().selectAllChildren(code);
    }
  }

  function updateFields(off) {
    const named = state.optimizers.flatMap((optimizer) =>
      optimizer.groups.map((group, k) => ({ optimizer, k, values: flat(group) })),
    );
    const key = JSON.stringify([
      state.buttons,
      named.map(({ optimizer, k, values }) => [optimizer.index, optimizer.name, k, Object.keys(values)]),
    ]);
    if (key !== built) {
      built = key;
      fields = new Map();
      at('optimizers').replaceChildren(
        ...(named.length ? named.map(groupFields) : [el('p', { class: 'hint' }, t('no_optimizers'))]),
      );
      at('buttons').replaceChildren(
        ...state.buttons.map((name) => makeButton(() => command('press', { button: name }), {}, name)),
      );
      at('buttons').parentNode.hidden = !state.buttons.length;
    }
    for (const button of at('buttons').children) button.disabled = off;
    const lasting = state.changes.filter(lasts);
    for (const { optimizer, k, values } of named)
      for (const [setting, value] of Object.entries(values)) {
        const until = lasting.some(
          (each) => (each.optimizer ?? 0) === optimizer.index && (each.group ?? 0) === k && each.name === setting,
        );
        fields
          .get(`${optimizer.index} ${k} ${setting}`)
          .update(localised(String(Number(value.toPrecision(7)))), off, until ? t('until_scheduler') : '');
      }
  }
  /** Whether a change still holds that the scheduler will take back. */
  function lasts(change) {
    const group = state.optimizers.find(({ index }) => index === change.optimizer)?.groups[change.group ?? 0];
    return Boolean(change.until && change.run === state.present && group && flat(group)[change.name] === change.value);
  }
  const flat = ({ betas, ...plain }) => ({ ...plain, ...(betas ? { beta1: betas[0], beta2: betas[1] } : {}) });

  function groupFields({ optimizer: { index, name }, k, values }) {
    return el(
      'fieldset',
      { class: 'asks' },
      el('legend', {}, t('group_of', { optimizer: name, group: k })),
      Object.keys(values).map((setting) => {
        const made = field(`script-${index}-${k}-${setting}`, t(setting), '', (text) => refusal(setting, text), {
          send: (text) => ask('set', { optimizer: index, group: k, name: setting, value: numberIn(text) }),
        });
        fields.set(`${index} ${k} ${setting}`, made);
        return made.node;
      }),
    );
  }
  function draw() {
    if (!charts) return;
    charts.draw(state, curves);
    time.draw();
  }
  const resize = new ResizeObserver(draw);
  resize.observe(shell.stage);
  const able = () => state?.steers && state.status !== 'ended';
  const keys = [
    { key: ' ', word: 'key_play', act: () => at('play').click(), able },
    { key: 'ArrowRight', shown: '→', word: 'key_step', act: () => at('step').click(), able },
  ];
  const relabel = () => {
    if (state) {
      built = '';
      build();
      update();
      draw();
    }
  };
  return {
    keys,
    relabel,
    redraw: draw,
    language: () => connection.reopen(),
    close() {
      cancelAnimationFrame(queued);
      resize.disconnect();
      connection.close();
    },
  };
}
