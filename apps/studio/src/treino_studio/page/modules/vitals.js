/** Vital signs (gradient norm, update / weight, learning rate), the doctor's findings, and how a run ended. */

import { makeChart } from './chart.js';
import { $, el, setText, smallButton, svg } from './dom.js';
import { fixed, num, whole } from './numbers.js';
import { axisEnd, ENDED, lastAt, viewStep } from './store.js';
import { look } from './theme.js';
import { say } from './tip.js';
import { t } from './words.js';

const SIGNS = { gradient_norm: null, update_ratio: 0.001, lr: null }; // and what is usual
const USUAL = 'M8 2.5L14.5 13.5h-13zM8 6.5v3.5M8 11.6v.2';
const LEVELS = { wrong: 'bad', risk: 'warn', waste: 'note' };

/**
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeVitals(page) {
  let shown = '';
  let known = null; // rules of the findings that are listed: of others it is said that they are new
  const charts = Object.fromEntries(
    Object.keys(SIGNS).map((sign) => [
      sign,
      makeChart($(`#spark-${sign}`), { bare: true, pick: ({ x }) => page.lookAt(x) }),
    ]),
  );

  function draw(store) {
    const { state, frame } = store;
    const vitals = store.curves.get(store.name)?.vitals ?? [];
    if (!state) return;
    const step = viewStep(store);
    const end = axisEnd(store);
    const now = frame?.step === step ? frame : lastAt(vitals, step);
    const past = vitals.filter((each) => each.step <= state.last_step);
    for (const [sign, guide] of Object.entries(SIGNS)) {
      setText($(`#sign-${sign}`), num(now?.[sign], 3));
      const line = {
        x: past.map((each) => each.step),
        y: past.map((each) => each[sign]),
        colour: look.ink,
        width: 1.6,
        looked: true,
        name: t(sign),
        dot: now?.[sign],
      };
      charts[sign].draw({ panes: [{ lines: [line], guide }], x: { name: t('word_step'), end }, at: step });
    }
    const key = JSON.stringify([
      state.findings,
      state.status,
      state.metrics,
      state.steers,
      document.documentElement.lang,
      state.reason ?? null,
    ]);
    if (key === shown) return;
    shown = key;
    const red = ({ severity }) => LEVELS[severity] === 'bad';
    // a status has a line of its own
    const found = state.findings
      .filter(({ rule }) => rule !== state.status)
      .sort((a, b) => Number(red(b)) - Number(red(a)));
    const fresh = found.filter(({ rule }) => known && !known.has(rule));
    if (fresh.length) say(fresh.map(({ message }) => message).join(' '));
    known = new Set(found.map(({ rule }) => rule));
    $('#findings').replaceChildren(...endings(state, page), ...found.map((finding) => item(finding, page)));
    if (!$('#findings').children.length)
      $('#findings').append(line('note', t(ENDED.includes(state.status) ? 'found_nothing' : 'no_findings')));
  }
  return {
    draw,
    relabel: () => {
      shown = '';
    },
  };
}

function icon(level) {
  const shape =
    level === 'good'
      ? svg('path', { d: 'M3 8.5l3.5 3.5L13 4.5' })
      : level === 'note'
        ? svg('circle', { cx: 8, cy: 8, r: 3 })
        : svg('path', { d: USUAL });
  return svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, shape);
}

function line(level, text, ...buttons) {
  return el('li', { class: level }, icon(level), el('span', {}, text), buttons);
}

const button = (text, act, off = false) => smallButton(act, { disabled: off }, text);

function item(finding, page) {
  const { rule, severity, message, fix, step } = finding;
  const go = step != null && button(t('go_to_step', { step: whole(step) }), () => page.lookAt(step));
  // by the words of its switch
  const advice = page.store.state.settings.fault?.includes(rule) ? t('switch_off', { what: t(rule) }) : fix;
  return line(LEVELS[severity] ?? 'note', [message, advice].filter(Boolean).join(' '), page.remedy(finding), go);
}

/** What a run's end offers: to be resumed, to go back to before it diverged; the figures of one that is done. */
function endings(state, page) {
  const found = [];
  const { status, last_step: last } = state;
  if (status === 'deleted') found.push(line('bad', t('run_deleted')));
  if (status === 'interrupted')
    found.push(
      line(
        'warn',
        t('run_interrupted'),
        button(t('resume'), () => page.command('play'), !state.steers),
      ),
    );
  if (status === 'diverged') {
    const before = Math.max(
      0,
      (state.findings.find((f) => f.rule === 'diverged')?.step ?? last) - Math.max(10, state.steps_per_epoch ?? 10),
    );
    found.push(
      line(
        'bad',
        t('run_diverged'),
        button(t('rewind_to', { step: whole(before) }), () => page.lookAt(before)),
      ),
    );
  }
  const test = state.result ? null : state.metrics?.test; // else a panel of its own says it
  if (test) {
    const figures = Object.entries(test)
      .filter(([, value]) => value != null)
      .map(([name, value]) => `${t(name)} ${fixed(value)}`);
    found.push(line('good', t('test_figures', { figures: figures.join(', ') })));
  }
  return found;
}
