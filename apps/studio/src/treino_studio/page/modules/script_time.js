/** The time machine of a script: its sleeping copies along the steps, going back to one, several futures of one. */

import { el, makeButton, numberIn, setText, smallButton } from './dom.js';
import { chart, panel } from './lines.js';
import { clamp, num, whole } from './numbers.js';
import { afterPress, underway } from './press.js';
import { makeScale, swatch } from './scale.js';
import { titleOfRun } from './script_charts.js';
import { field, refusal } from './script_fields.js';
import { localised, t } from './words.js';

const AROUND = [0.1, 0.3, 1, 3, 10]; // learning rates of a fan, as factors of the present one
const DECAYS = [0, 1e-4, 1e-3, 1e-2, 1e-1];
const STEPS = 100; // of each future
const NEAR = 0.02; // share of the track within which a click is on a checkpoint

/** ask(verb, fields): a promise of why it was refused, or of ''. */
export function makeTimeMachine(ask) {
  const stops = new Map();
  const done = el('i', { class: 'done' });
  let state = null;
  let fan = null;
  let chosen = null;
  let built = '';
  let box = null;
  const why = el('p', { class: 'hint', id: 'script-why', role: 'note' });
  const keep = el('input', {
    type: 'checkbox',
    id: 'script-keep',
    onchange: () => tell(ask('checkpoints', { on: keep.checked })),
  });
  const mark = makeButton(() => tell(ask('checkpoint', {})), { id: 'script-mark' }, t('mark_step'));
  const memory = el('p', { class: 'hint', id: 'script-memory' });
  const wrong = el('p', { class: 'bad', role: 'alert', hidden: true });
  const track = el('div', { class: 'steps', id: 'script-track', role: 'group', 'aria-label': t('checkpoints') }, done);
  const forms = el('div', { id: 'script-checkpoint' });
  const heading = el('h3', {});
  const branches = el('ul', { id: 'script-branches', class: 'notes' });
  const head = el('div', { class: 'asks' }, el('label', { class: 'tick' }, keep, t('keep_checkpoints')), mark, memory);
  const node = panel(t('time_machine'), why, head, wrong, track, forms, branches);
  const fanned = makeFanPanel(ask);

  async function tell(answer, place = wrong) {
    const text = await answer;
    setText(place, text);
    place.hidden = !text;
  }
  const kept = () => state.checkpoints?.list ?? [];
  const byNumber = (number) => kept().find((each) => each.number === number);

  function update(next, nextFan) {
    state = next;
    fan = nextFan;
    const { checkpoints } = state;
    const able = Boolean(checkpoints?.able);
    const off = !able || !state.steers;
    setText(
      why,
      checkpoints ? checkpoints.why || (kept().length ? '' : t('checkpoints_about')) : t('checkpoints_later'),
    );
    why.hidden = !why.textContent;
    keep.disabled = mark.disabled = off;
    mark.disabled ||= state.status === 'ended';
    if (document.activeElement !== keep) keep.checked = Boolean(checkpoints?.on);
    setText(
      memory,
      kept().length
        ? t('checkpoints_of', {
            n: whole(kept().length),
            memory: bytes(checkpoints.memory),
            budget: bytes(checkpoints.budget),
          })
        : '',
    );
    if (chosen != null && !byNumber(chosen)) chosen = null;
    afterPress(drawTrack);
    buildForms(off);
    listBranches();
    fanned.update(fan, state);
  }

  function drawTrack() {
    const list = kept();
    const [low, high] = box?.span ?? [0, Math.max(1, state.step)];
    const share = (step) => (step - low) / (high - low);
    const shown = list.filter(({ step }) => step >= low && step <= high);
    track.hidden = !list.length;
    if (box) Object.assign(track.style, { marginLeft: `${box.l}px`, marginRight: `${box.width - box.r}px` });
    done.style.width = `${100 * clamp(share(state.step), 0, 1)}%`;
    keyed(
      track,
      stops,
      shown,
      ({ number }) => number,
      ({ number }) => makeButton(() => underway(choose(number)), { 'data-number': number }),
      (button, each) => {
        button.className = each.marked ? 'stop marked' : 'stop';
        button.title = aboutOf(each);
        button.setAttribute('aria-label', button.title);
        button.setAttribute('aria-pressed', each.number === chosen);
        button.style.left = `${100 * share(each.step)}%`;
      },
    );
    const lanes = []; // where each is free from: what would lie on its neighbour goes below it
    for (const { step, number } of [...shown].sort((a, b) => a.step - b.step)) {
      const button = stops.get(number);
      const side = button.offsetWidth;
      const at = share(step) * track.clientWidth;
      const lane = lanes.findIndex((free) => free <= at);
      const row = lane < 0 ? lanes.length : lane;
      lanes[row] = at + side;
      button.style.marginTop = `${row * side}px`;
    }
    track.style.height = `${40 + Math.max(0, lanes.length - 1) * (stops.values().next().value?.offsetWidth ?? 0)}px`;
  }
  /** Lie below a chart, on its scale. */
  function align(chart) {
    box = chart;
    if (state) afterPress(drawTrack);
  }
  async function choose(number) {
    chosen = number === chosen ? null : number;
    update(state, fan);
  }
  /** Choose the last checkpoint before a step, as a click on the curves does. */
  function chooseAt(step) {
    const end = Math.max(1, state?.step ?? 0);
    const before = state ? kept().filter((each) => each.step <= step + NEAR * end) : [];
    if (before.length) chosen = before.reduce((a, b) => (b.step >= a.step ? b : a)).number;
    if (before.length) update(state, fan);
  }

  function buildForms(off) {
    const found = byNumber(chosen);
    const key = JSON.stringify([found?.number, off]);
    if (found) setText(heading, aboutOf(found));
    if (key === built) return;
    built = key;
    if (!found)
      return forms.replaceChildren(...(kept().length ? [el('p', { class: 'hint' }, t('choose_checkpoint'))] : []));
    const now = found.rates; // of its own step and process
    forms.replaceChildren(
      heading,
      el('div', { class: 'pairs' }, rewindForm(found, now, off), fanForm(found, now, off)),
    );
  }
  function rewindForm({ number }, now, off) {
    const names = ['lr', 'weight_decay'].filter((name) => now[name] != null);
    const fields = names.map((name) =>
      field(`rewind-${name}`, t(name), localised(plain(now[name])), (text) => refusal(name, text)),
    );
    const said = el('p', { class: 'bad', role: 'alert', hidden: true });
    const button = el('button', { class: 'primary', id: 'script-rewind' }, t('rewind'));
    for (const each of [button, ...fields.map((f) => f.field)]) each.disabled = off;
    return el(
      'form',
      {
        class: 'asks',
        onsubmit: (event) => {
          event.preventDefault();
          if (!fields.map((each) => each.holds()).every(Boolean)) return;
          const changes = Object.fromEntries(
            names
              .map((name, k) => [name, numberIn(fields[k].field.value)])
              .filter(([name, value]) => value !== Number(plain(now[name]))),
          );
          tell(ask('rewind', { checkpoint: number, changes }), said);
        },
      },
      fields.map((each) => each.node),
      button,
      said,
      el('p', { class: 'hint' }, t('rewind_about')),
    );
  }
  function fanForm({ number }, now, off) {
    const kind = el(
      'select',
      {
        id: 'script-fan-kind',
        disabled: off,
        onchange: () => {
          values.field.value = around(kind.value, now);
          values.holds();
        },
      },
      ['lr', 'weight_decay'].filter((name) => now[name] != null).map((name) => el('option', { value: name }, t(name))),
    );
    const values = field(
      'script-fan-values',
      t('fan_values'),
      around('lr', now),
      (text) => refusedValues(kind.value, text),
      { wide: true },
    );
    const steps = field('script-fan-steps', t('fan_steps'), String(STEPS), (text) =>
      Number.isInteger(numberIn(text)) && numberIn(text) >= 1 && numberIn(text) <= 1e5
        ? ''
        : t('whole_from_to', { least: 1, most: whole(100000) }),
    );
    const button = el('button', { id: 'script-fan-out' }, t('fan'));
    for (const each of [button, values.field, steps.field]) each.disabled = off;
    return el(
      'form',
      {
        class: 'asks',
        onsubmit: async (event) => {
          event.preventDefault();
          if (![values.holds(), steps.holds()].every(Boolean)) return;
          values.refuse(
            await ask('fan', {
              checkpoint: number,
              kind: kind.value,
              values: textsIn(values.field.value).map(numberIn),
              steps: numberIn(steps.field.value),
            }),
          );
        },
      },
      el('div', { class: 'ask' }, el('label', { for: 'script-fan-kind' }, t('fan_kind')), kind),
      values.node,
      steps.node,
      button,
      el('p', { class: 'hint' }, t('fan_about')),
    );
  }

  function listBranches() {
    const key = JSON.stringify([state.branches, state.steers]);
    branches.hidden = state.branches.length < 2;
    if (branches.dataset.key === key) return;
    branches.dataset.key = key;
    branches.replaceChildren(
      ...state.branches.map((each) => {
        const status =
          each.status === 'ended' ? t('branch_ended', { n: each.exit ?? '–' }) : t(`branch_${each.status}`);
        const words = [
          each.number ? t('from_step', { step: whole(each.step) }) : '',
          each.present ? t('branch_present') : status,
          each.folder ? t('in_folder', { folder: each.folder }) : '',
        ];
        return el(
          'li',
          { class: each.present ? 'chosen' : null },
          el('b', {}, titleOfRun(each)),
          el('span', { class: 'hint' }, words.filter(Boolean).join(' · ')),
          !each.present &&
            each.status === 'asleep' &&
            smallButton(
              () => tell(ask('return', { branch: each.number })),
              { disabled: !state.steers },
              t('return_to'),
            ),
        );
      }),
    );
  }
  return { node, fan: fanned.node, update, align, choose, chooseAt, draw: () => fanned.draw() };
}

/** The futures of a fan: their losses as they come, and a button for each to go on with it. */
function makeFanPanel(ask) {
  const items = new Map();
  let fan = null;
  let steers = false;
  const plot = chart(t('fan_losses'));
  const title = el('h2', {});
  const about = el('p', { class: 'hint', role: 'status' });
  const list = el('ul', { class: 'notes', id: 'script-futures' });
  const close = smallButton(() => ask('fan', { count: 0 }), { id: 'script-fan-close' }, t('close_fan'));
  const node = el(
    'section',
    { class: 'panel', id: 'script-fan', hidden: true },
    el('header', {}, title, about, close),
    el('div', { class: 'pairs' }, plot.box, list),
  );
  function update(next, state) {
    fan = next;
    steers = state.steers;
    node.hidden = !fan;
    if (!fan) return;
    const changeOf = ({ changes, future }) => Object.values(changes ?? {})[0] ?? future;
    const hues = makeScale(fan.futures.map(changeOf));
    for (const each of fan.futures) each.colour = hues.colour(changeOf(each));
    setText(title, t('futures_of', { n: fan.futures.length, step: whole(fan.step) }));
    setText(about, t('fan_progress', { done: whole(fan.done), steps: whole(fan.steps) }));
    close.disabled = !steers;
    keyed(
      list,
      items,
      fan.futures.map((each, k) => ({ ...each, k, key: `${fan.number} ${each.future}` })),
      ({ key }) => key,
      (each) => {
        return el(
          'li',
          {},
          swatch(each.colour),
          el('b', {}, localised(each.text)),
          el('span', { class: 'hint' }),
          smallButton(() => ask('adopt', { future: each.future }), {}, t('keep_this')),
        );
      },
      (item, each) => {
        const loss = each.status === 'diverged' ? t('status_diverged') : num(each.worth ?? each.loss.at(-1), 3);
        const [, , said, button] = item.children;
        item.className = each.future === fan.best ? 'chosen' : '';
        const last = each.worth == null || (fan.split === 'train' && fan.averaged === 1);
        const mean = t('batch_loss_mean', { n: whole(fan.averaged) });
        setText(said, `${last ? t('training_loss') : fan.split === 'train' ? mean : t('validation_loss')} ${loss}`);
        button.disabled = !steers;
        button.setAttribute('aria-label', t('keep_future', { what: localised(each.text), loss }));
      },
    );
    draw();
  }
  function draw() {
    if (!fan || node.hidden) return;
    const lines = fan.futures.map((each) => ({
      x: each.step,
      y: each.loss,
      name: localised(each.text),
      colour: each.colour,
      strong: each.future === fan.best,
    }));
    plot.draw({
      panes: [{ lines, falls: true }],
      x: { name: t('word_step'), start: fan.step, end: fan.step + fan.steps },
    });
  }
  return { node, update, draw };
}

/** One element below a parent for each item, kept while its item is there, so that it can be pressed. */
function keyed(parent, known, items, keyOf, make, update) {
  const keys = new Set(items.map(keyOf));
  for (const [key, node] of known)
    if (!keys.has(key)) {
      node.remove();
      known.delete(key);
    }
  for (const item of items) {
    const key = keyOf(item);
    const node = known.get(key) ?? make(item);
    if (!known.has(key)) parent.append(node);
    known.set(key, node);
    update(node, item);
  }
}

const plain = (value) => String(Number(Number(value).toPrecision(6)));
const textsIn = (text) => text.split(/[\s;]+/).filter(Boolean);
const around = (kind, now) =>
  (kind === 'lr' ? AROUND.map((factor) => Number((now.lr * factor).toPrecision(2))) : DECAYS)
    .map((value) => localised(String(value)))
    .join('  ');

function refusedValues(kind, text) {
  const texts = textsIn(text);
  const wrong = texts.map((each) => refusal(kind, each)).find(Boolean);
  if (wrong) return wrong;
  const values = texts.map(numberIn);
  return values.length >= 2 && values.length <= 8 && new Set(values).size === values.length ? '' : t('two_to_eight');
}

const aboutOf = ({ step, memory, ms, marked }) =>
  [
    t('checkpoint_at', { step: whole(step) }),
    marked && t('marked'),
    memory && bytes(memory),
    ms != null && t('waited_ms', { ms: num(ms, 2) }),
  ]
    .filter(Boolean)
    .join(' · ');

/** A size of memory in words. */
function bytes(count) {
  if (count == null) return '–';
  return count < 1e6
    ? `${num(count / 1e3, 3)} kB`
    : count < 1e9
      ? `${num(count / 1e6, 3)} MB`
      : `${num(count / 1e9, 3)} GB`;
}
