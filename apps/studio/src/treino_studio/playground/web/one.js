/** The view of one network: the studio's page of a run that trains in this tab, and the address that tells of it. */

import { $, $$, el } from '../../page/modules/dom.js';
import { open as openRun } from '../../page/modules/run.js';
import { look } from '../../page/modules/theme.js';
import { t } from '../../page/modules/words.js';
import { faultText } from './address.js';
import { setting } from './defaults.js';
import { asRead } from './growth.js';
import { MADE } from './problems.js';

const SPEED = 300; // steps a second: slow enough to see it learn
const REST = 400; // milliseconds between two writings of the address

let count = 0; // runs of this tab that were opened

/** Open the view. What it returns is described in app.js. */
export async function open(shell) {
  const wanted = await shell.wanted();
  const first = nameOf(wanted.problem, ++count);
  const runs = new Set([first]);
  let name = first; // of the run in view, the first one or a branch
  let state = null;
  let timer = 0;
  let page = null;
  let begun = false;
  let closed = false; // name: of the run in view, the first one or a branch

  shell.watch = (message) => {
    if (message.state?.name === name) {
      state = message.state;
      for (const { run } of state.beside) runs.add(run);
      timer ||= setTimeout(write, REST);
    }
  };
  shell.takes = {
    png: () => picture(name),
    async link() {
      await write();
      shell.showText(t('take_link'), location.href);
    },
  };
  /** A branch, or the run that it left, in the place of the one in view. */
  shell.showRun = (next) => {
    page.close();
    name = next;
    state = null;
    page = openRun(shell, name);
    return page;
  };
  const { problem, settings, step, actions, faults } = wanted;
  const created = shell.tab.create({ name, problem, settings, step, actions });
  page = openRun(shell, name);
  created.then(begin, refuse);
  const visible = shell.hidden(() => {
    if (!state?.playing) return;
    page.command('pause');
    shell.say(t('paused_in_background'));
  });

  /** What the address asks for beyond the run itself. */
  async function begin() {
    if (closed) return;
    const speed = shell.asked('speed');
    const pace = (steps) => page.command('speed', { steps_per_second: steps });
    if (!(await pace(speed === 'full' ? null : Number(speed || SPEED)))) await pace(SPEED);
    if (closed) return;
    begun = true;
    if (shell.asked('play') === '1') page.command('play');
    if (faults.length) shell.say(faults.map(faultText).join(' '), 'warning');
  }
  /** Nothing can be learnt from these data, or with these settings: that is said in the run's place. */
  function refuse({ message, hint }) {
    if (closed) return;
    page.close();
    page = null;
    shell.tools.replaceChildren();
    shell.stage.replaceChildren(
      el(
        'div',
        { class: 'page' },
        el(
          'section',
          { class: 'panel', role: 'alert' },
          el('h2', {}, t('not_trained')),
          el('p', {}, message),
          el('p', { class: 'hint' }, hint),
        ),
      ),
    );
    shell.drawer.toggle(true);
  }
  async function write() {
    clearTimeout(timer);
    timer = 0;
    if (!state || !begun || closed) return;
    const at = state.view.step ?? state.last_step;
    const lost = state.status === 'diverged' && state.view.step === null; // at the next step
    // inputs hang on the former
    const axes = problem.features?.some((name) => Object.hasOwn(MADE, name)) ? problem.axes : state.view.axes;
    await shell.note(
      folded({
        problem: { ...problem, axes },
        settings,
        step: state.playing ? 0 : at + lost,
        actions: (state.replay ?? []).filter(([when]) => when <= at),
      }),
      {
        speed:
          state.steps_per_second === SPEED
            ? null
            : state.steps_per_second == null
              ? 'full'
              : String(state.steps_per_second),
        play: null,
      },
    );
  }

  return {
    get keys() {
      return page?.keys ?? [];
    },
    relabel: () => page?.relabel(),
    redraw: () => page?.redraw(),
    language: () => page?.language(),
    close() {
      closed = true;
      clearTimeout(timer);
      visible();
      page?.close();
      for (const run of runs) shell.tab.forget(run);
    },
  };
}

/** Numbers that were set before the first step are settings of the run; a link then needs no replay. */
function folded(wanted) {
  const plain = wanted.actions.every(
    ([step, verb, fields]) =>
      step === 0 &&
      (verb === 'set'
        ? Object.hasOwn(setting, fields.name)
        : verb === 'segment' && Object.keys(fields.changes).every((name) => Object.hasOwn(setting, name))),
  );
  if (!plain) return wanted;
  const changes = wanted.actions.map(([, verb, fields]) =>
    verb === 'set' ? { [fields.name]: fields.value } : fields.changes,
  );
  let settings = wanted.settings;
  for (const change of changes) settings = asRead({ ...settings, ...change });
  return { ...wanted, settings, actions: [] };
}

const nameOf = ({ source, table }, n) => `${(table?.name ?? source).replace(/\.[a-z]+$/i, '')}-${n}`;

/** What the page draws, as one PNG: its canvases where they stand. */
function picture(name) {
  const panels = $$('.net, .bound, .curves').filter((panel) => panel.checkVisibility());
  const boxes = panels.map((panel) => panel.getBoundingClientRect());
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const ratio = Math.min(2, devicePixelRatio || 1);
  const canvas = el('canvas');
  const right = Math.max(...boxes.map((box) => box.right));
  const bottom = Math.max(...boxes.map((box) => box.bottom));
  canvas.width = (right - left) * ratio;
  canvas.height = (bottom - top) * ratio;
  const context = canvas.getContext('2d');
  context.scale(ratio, ratio);
  context.fillStyle = look.panel;
  context.fillRect(0, 0, right - left, bottom - top);
  context.fillStyle = look.ink;
  context.font = `600 15px ${look.font}`;
  for (const panel of panels) {
    const box = panel.getBoundingClientRect();
    context.fillText($('h2', panel).textContent, box.left - left + 16, box.top - top + 30);
    for (const drawn of $$('canvas', panel)) {
      const at = drawn.getBoundingClientRect();
      if (at.width) context.drawImage(drawn, at.left - left, at.top - top, at.width, at.height);
    }
  }
  canvas.toBlob((blob) => {
    const url = URL.createObjectURL(blob);
    el('a', { href: url, download: `${name}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  });
}
