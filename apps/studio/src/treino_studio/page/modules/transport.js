/** Play, pause, step, epoch, stop, speed, branch and fan; the clock and the status beside them. */

import { $, el, setText } from './dom.js';
import { num, whole } from './numbers.js';
import { ENDED, isLive, viewStep } from './store.js';
import { t } from './words.js';

const SPEEDS = [1, 10, 60, 300, 1000]; // steps per second; the last choice is as fast as it goes
const GO_ON = ['play', 'step', 'epoch'];
const BEGINNING = [...GO_ON, 'set', 'segment']; // commands after which another training begins, where none is in view
const LONGEST = 10_000; // milliseconds until a training that goes on is seen to, else it may be asked for again

/**
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeTransport(page) {
  let stopping = false; // asked for, and not in the state yet
  let going = null; // the same of a training that is to begin: {verb, past, segment, last} as they were
  /** A command after which a training goes on, also one that is being ended. */
  function goOn(verb, fields) {
    if (going || !page.store.state) return null;
    stopping = false;
    return page.command(verb, fields);
  }
  /**
   * A command is sent. Where no training is in view, since it is over or a past step is looked at, it takes a while
   * until one is that has begun there: meanwhile the page says so, and another press does nothing.
   */
  function sent(verb, answer) {
    const { state } = page.store;
    const live = state && isLive(page.store);
    if (going || !BEGINNING.includes(verb) || !state || state.status === 'starting') return;
    if (state.status === 'running' && live) return;
    const mine = { verb, past: !live, segment: state.segment, last: state.last_step };
    const over = () => {
      if (going === mine) going = null;
      if (page.store.state) update(page.store);
    };
    going = mine;
    update(page.store);
    page.invalidate();
    answer.then(() => setTimeout(over, LONGEST), over);
  }
  const play = () => {
    const { state } = page.store;
    return state?.playing && isLive(page.store) ? page.command('pause') : goOn('play');
  };
  /** Save and end the training, once: the page then shows the run as it ended. */
  async function stop() {
    $('#stop').disabled = stopping = true;
    if (!(await page.command('stop'))) stopping = false;
    if (page.store.state) update(page.store);
  }
  $('#play').addEventListener('click', play);
  for (const verb of ['step', 'epoch']) $(`#${verb}`).addEventListener('click', () => goOn(verb, { count: 1 }));
  $('#stop').addEventListener('click', stop);
  $('#branch').addEventListener('click', page.branch);
  $('#fan').addEventListener('click', page.toggleFan);
  $('#wheel').addEventListener('click', () => page.command('steer'));
  const speed = (wanted) => page.command('speed', { steps_per_second: wanted || null });
  $('#speed').addEventListener('change', (event) => speed(Number(event.target.value)));
  $('#full').addEventListener('click', () => speed(null));

  function relabel() {
    $('#stop').title = t('stop');
    $('#speed').replaceChildren(
      ...SPEEDS.map((n) => el('option', { value: n }, t('per_second', { n: whole(n) }))),
      el('option', { value: 0 }, t('full_speed')),
    );
  }

  function update({ state }, store = page.store) {
    const runs = state.last_step !== going?.last || (state.status === 'running' && isLive(store));
    if (state.status === 'deleted' || state.segment !== going?.segment || (runs && !going.past)) going = null;
    const playing = state.playing && isLive(store);
    const speed = state.steps_per_second ?? 0;
    $('#play').classList.toggle('on', playing);
    setText($('#play span'), t(going?.verb === 'play' ? 'status_starting' : playing ? 'pause' : 'play'));
    for (const id of GO_ON) $(`#${id}`).setAttribute('aria-busy', String(going?.verb === id));
    const choices = [...$('#speed').options];
    const next = choices.findIndex(({ value }) => !Number(value) || Number(value) >= speed);
    if (!choices.some(({ value }) => Number(value) === speed))
      choices[next].before(el('option', { value: speed }, t('per_second', { n: num(speed) })));
    $('#speed').value = speed;
    $('#full').hidden = !speed || !state.steers || ENDED.includes(state.status);
    const watches = !state.steers;
    const dead = state.status === 'deleted';
    for (const id of ['play', 'step', 'epoch', 'speed', 'branch', 'fan']) $(`#${id}`).disabled = watches || dead;
    for (const id of GO_ON) $(`#${id}`).disabled ||= Boolean(going);
    const trains = state.status === 'running';
    stopping &&= trains;
    $('#stop').disabled = watches || !trains || stopping;
    $('#stop').dataset.why = watches || trains ? '' : t('why_stop');
    $('#time').disabled = $('#now').disabled = watches;
    $('#save').disabled = $('#lens').disabled = Boolean(state.lost);
    $('#wheel').hidden = !watches || state.can_steer === false;
  }

  /** Every frame: where it is. */
  function draw(store) {
    const { state, frame } = store;
    const step = page.lookingAt ?? viewStep(store);
    if (!state) return;
    setText($('#clock-step'), whole(step));
    const epochs = frame?.epoch ?? (state.steps_per_epoch ? step / state.steps_per_epoch : null);
    setText($('#clock-epoch'), epochs >= 1000 ? whole(Math.round(epochs)) : num(epochs, epochs < 10 ? 2 : 3));
    const kind = going ? 'starting' : kindOf(store, page);
    const status = $('#status');
    status.dataset.kind = kind;
    setText($('span', status), t(`status_${kind}`));
  }
  return { update, draw, relabel, sent };
}

function kindOf(store, page) {
  const { state } = store;
  if (state.lost) return 'lost';
  if (page.lookingAt != null || !isLive(store)) return 'past';
  if ([...ENDED, 'starting'].includes(state.status)) return state.status;
  return state.playing ? 'playing' : 'paused';
}
