/**
 * The page of a sweep: its networks as a table and as parallel coordinates, every curve, what mattered, the verdict.
 */

import { blockNodes } from './blocks.js';
import { colourChoice, columnChoice } from './choices.js';
import { refusalText } from './connection.js';
import { el, setText, smallButton } from './dom.js';
import { chart, connected, duration, panel, shown, statusWord, stopButton, wheel } from './lines.js';
import { num, whole } from './numbers.js';
import { drawEnd, drawParallel, makeParallel } from './parallel.js';
import { swatch } from './scale.js';
import { sortedTable } from './table.js';
import { look } from './theme.js';
import { head, pair, showTip, soft } from './tip.js';
import { t } from './words.js';

const MORE = 16; // networks that are added, where nobody says otherwise
const SELDOM = ['epochs', 'step', 'parameters', 'loss']; // columns that are not shown until somebody chooses them
const REPEATS = ['seed', 'data_seed', 'fold']; // settings that are repeated and not compared
const KINDS = [
  ['a-network', 'a_network'],
  ['a-best', 'the_best'],
  ['a-cut', 'folder_cut'],
  ['a-lost', 'folder_diverged'],
];

export function open(shell, name) {
  let state = null;
  let networks = [];
  let lines = [];
  let chosen = null;
  let hot = null;
  let opening = null; // the network that is being trained again as a run
  let onlyLost = false;
  let mattered = null;
  let inView = false;
  let table;
  let parts;
  let parallel;
  let choice;
  let colours;
  let scale = null;
  const brushes = new Map();
  const { connection, command } = connected(shell, 'sweep', take, name);

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

  /** Everything that can be shown of a network. */
  function columns() {
    const value = (key) => (n) => {
      if (key.startsWith('set.')) return n.settings[key.slice(4)];
      return key === 'status' ? statusWord(n.status) : key === 'rung' && n.rung != null ? n.rung + 1 : n[key];
    };
    const facts = state.columns.map(({ key, name }) => ({
      key,
      name,
      value: value(key),
      show: (n) => shown(value(key)(n)),
    }));
    const own = {
      member: { always: true, start: true, show: (n) => [scale && swatch(colourOf(n)), String(n.member)] },
      status: {
        show: (n) =>
          kindOf(n)
            ? el('span', { class: 'ended' }, el('i', { class: `stroke ${kindOf(n)}` }), statusWord(n.status))
            : statusWord(n.status),
      },
    };
    return [
      ...facts.map((column) => ({ ...column, ...own[column.key] })),
      {
        key: 'open',
        always: true,
        name: t('as_a_run'),
        still: true,
        show: (n) =>
          smallButton(
            (event) => openNetwork(event, n.member),
            {
              'aria-label': t('open_network', { n: n.member }),
              disabled: !state.steers,
              'data-sent': n.member === opening,
            },
            t('open'),
          ),
      },
    ];
  }
  const kindOf = (network) => ({ diverged: 'a-lost', cut: 'a-cut' })[network.status];

  function build() {
    const asked = {
      tell,
      pick: ({ line }) => {
        if (line) choose(line.member);
      },
    };
    choice = columnChoice(
      'columns.sweep',
      (key) => !SELDOM.includes(key),
      () => fill(),
    );
    colours = colourChoice('sweep', () => {
      fill();
      draw();
    });
    table = sortedTable(t('networks'), columns(), {
      pick: (n) => choose(n.member),
      point: (n) => touch(n?.member),
      sort: { key: 'best', down: state.better > 0 },
    });
    parts = {
      progress: el('p', { class: 'hint' }),
      share: el('progress', { max: 1, 'aria-label': t('progress') }),
      wheel: wheel(command),
      more: el(
        'form',
        { class: 'more', onsubmit: extend },
        el('input', {
          type: 'number',
          id: 'sweep-more',
          min: 1,
          max: 100000,
          value: MORE,
          'aria-label': t('how_many_more'),
        }),
        el('button', {}, t('add_networks')),
      ),
      stop: stopButton('sweep-stop', 'stop_and_judge', command),
      result: el('section', { class: 'blocks verdict', id: 'sweep-result', 'aria-label': t('result'), hidden: true }),
      listed: el('p', { class: 'hint', id: 'sweep-listed' }),
      out: el('p', { class: 'hint', id: 'sweep-out' }),
      number: el('input', {
        type: 'number',
        id: 'sweep-number',
        min: 0,
        required: true,
        'aria-label': t('network_number'),
      }),
      where: el('p', { class: 'hint' }),
      lost: smallButton(
        () => {
          onlyLost = !onlyLost;
          update();
        },
        { class: 'small toggle', id: 'sweep-lost', 'aria-pressed': false },
        t('only_diverged'),
      ),
      loss: chart(t('training_loss'), asked),
      figure: chart(t('figure_curves', { metric: state.metric_name }), asked),
      bars: el('ul', { class: 'bars' }),
      sure: el('p', { class: 'hint' }),
      measure: smallButton(measure, { id: 'sweep-measure' }, t('measure_importance')),
    };
    parts.any = el(
      'form',
      {
        class: 'more',
        onsubmit: (event) => {
          event.preventDefault();
          openNetwork(event, parts.number.valueAsNumber);
        },
      },
      parts.number,
      el('button', {}, t('open')),
    );
    parts.mattered = panel(t('what_mattered'), parts.bars, parts.sure, parts.measure);
    parallel = makeParallel(state, brushes, {
      changed: () => {
        fill();
        draw();
      },
      show: (network, event) => {
        touch(network?.member);
        if (network) showTip(event, about(network));
      },
      pick: (network) => choose(network.member),
    });
    shell.stage.replaceChildren(
      el(
        'div',
        { class: 'page' },
        el('div', { class: 'line head' }, parts.progress, parts.wheel.node, parts.more, parts.stop.node),
        parts.share,
        parts.result,
        el(
          'div',
          { class: 'asks seek' },
          colours.node,
          colours.key,
          el(
            'ul',
            { class: 'legend' },
            KINDS.map(([kind, word]) => el('li', {}, el('i', { class: `stroke ${kind}` }), t(word))),
          ),
        ),
        el(
          'div',
          { class: 'charts wide-first' },
          panel(t('parallel'), parallel.node),
          panel(t('training_loss'), parts.loss.box),
          panel(t('figure_curves', { metric: state.metric_name }), parts.figure.box),
        ),
        panel(
          t('networks'),
          el('div', { class: 'line head' }, parts.listed, parts.lost, choice.node),
          parts.where,
          el('div', { class: 'asks' }, parts.out, parts.any),
          table.node,
        ),
        parts.mattered,
      ),
    );
    mattered = null;
    looked.disconnect();
    looked.observe(parts.mattered);
  }
  const byMember = (member) => networks.find((n) => n.member === member);
  function choose(member) {
    chosen = chosen === member ? null : member;
    fill();
    draw();
    if (chosen != null) table.reveal(chosen);
  }
  function touch(member = null) {
    if (hot === member) return;
    hot = member;
    draw();
  }
  /** What a network is, beside the pointer. */
  const about = (network, ...more) =>
    network && [
      head(`${t('network_number')} ${network.member}`),
      ...more,
      pair(state.metric_name, shown(network.best)),
      ...Object.entries(network.settings).map(([key, value]) => pair(key, shown(value))),
      soft(statusWord(network.status)),
    ];
  /** The same beside a chart's pointer, with the curve's value there. */
  function tell(place) {
    touch(place?.line?.member);
    return (
      place?.line &&
      about(
        byMember(place.line.member),
        pair(`${t('epoch')} ${whole(place.line.x[place.k])}`, shown(place.line.y[place.k])),
      )
    );
  }
  async function extend(event) {
    event.preventDefault();
    const members = event.target.querySelector('input').valueAsNumber;
    if (await command('extend', { members })) shell.say(t('networks_come', { n: whole(members) }));
  }
  async function openNetwork(event, member) {
    event.stopPropagation();
    opening = member;
    shell.say(t('starting'), 'busy');
    const reply = await command('open', { member });
    opening = null;
    if (!reply?.run) return fill();
    shell.say('');
    shell.go(`/run/${encodeURIComponent(reply.run)}`);
  }

  const looked = new IntersectionObserver((entries) => {
    inView = entries.at(-1).isIntersecting;
    if (inView) update();
  });
  /**
   * How much each setting mattered, and how sure that is: measured, for seconds, where somebody looks after the end, or
   * asks before.
   */
  async function measure() {
    const asked = {};
    mattered = asked;
    parts.sure.replaceChildren(el('span', { class: 'busy' }, t('measuring_importance')));
    parts.measure.disabled = true;
    try {
      const found = JSON.parse((await connection.take('importance')).text);
      const most = Math.max(...found.settings.map(({ drop }) => drop));
      if (mattered !== asked) return;
      parts.bars.replaceChildren(
        ...found.settings.map(({ name: setting, drop, std }) => {
          const bar = el('i', { class: 'amount' });
          const error = el('i', { class: 'spread' });
          const part = (value) => `${100 * Math.min(1, Math.max(0, value / (1.2 * most)))}%`;
          bar.style.width = part(drop);
          Object.assign(error.style, {
            left: part(drop - std),
            width: `calc(${part(drop + std)} - ${part(drop - std)})`,
          });
          return el(
            'li',
            {},
            el('span', {}, setting),
            el('span', { class: 'bar-track' }, bar, error),
            el('span', {}, `${num(drop, 2)} ± ${num(std, 2)}`),
          );
        }),
      );
      parts.sure.replaceChildren(...found.about, ' ', ...found.warning.map((warning) => el('b', {}, warning)));
    } catch (refusal) {
      if (mattered !== asked) return;
      parts.bars.replaceChildren();
      setText(parts.sure, refusalText(refusal));
    }
    parts.measure.disabled = false;
  }

  function update() {
    const { progress, status: now, ending } = state;
    const running = now === 'running';
    parts.stop.update(state);
    shell.title(state.name, t('networks_on', { n: whole(state.count), data: state.data }));
    const words = [
      statusWord(now),
      running && progress.rung != null && t('rung_of', { n: progress.rung + 1, total: progress.rungs }),
      state.cut > 0 && t('cut_count', { n: whole(state.cut) }),
      t('diverged_count', { n: whole(state.diverged) }),
      running && (progress.judging ? t('judging') : ending ? t('stopping') : duration(progress.left_s)),
    ];
    setText(parts.progress, words.filter(Boolean).join(' · '));
    parts.more.hidden = !state.steers || state.left === 0 || progress.judging || ending;
    parts.wheel.update(state);
    parts.share.hidden = !running;
    if (progress.share == null) parts.share.removeAttribute('value');
    else parts.share.value = progress.share;
    const key = JSON.stringify(state.blocks);
    if (parts.result.dataset.key !== key) parts.result.replaceChildren(...blockNodes(state.blocks));
    parts.result.dataset.key = key;
    parts.result.hidden = !state.blocks.length;
    onlyLost &&= state.diverged > 0;
    parts.lost.hidden = !state.diverged;
    parts.lost.setAttribute('aria-pressed', onlyLost);
    setText(parts.where, state.diverged_where ?? '');
    const out = state.count - networks.length;
    parts.out.hidden = parts.any.hidden = out <= 0 || !networks.length;
    parts.any.hidden ||= !state.steers;
    parts.number.max = state.count - 1;
    setText(parts.out, t('left_out', { n: whole(out), best: whole(networks.length) }));
    parts.mattered.hidden = state.settings.every((setting) => REPEATS.includes(setting));
    parts.measure.hidden = !running;
    if (!running && !mattered && inView) measure();
    fill();
    draw();
  }
  const holds = (network) => parallel.holds(network) && (!onlyLost || network.status === 'diverged');
  function fill() {
    const every = columns();
    choice.fill(every);
    colours.fill([
      { key: '', name: t('status') },
      ...every.filter(({ key }) => !['member', 'status', 'open'].includes(key)),
    ]);
    scale = colours.scale(networks);
    table.use(choice.of(every));
    const rows = table.fill(networks.filter(holds), (n) => n.member === chosen);
    setText(parts.listed, t('some_of', { n: whole(rows), total: whole(state.count) }));
  }
  /** The colour of a network: its value's, where there is one, or its status's. */
  const colourOf = (network) =>
    scale && colours.now.value(network) != null
      ? scale.of(network)
      : ({ diverged: look.alarm, cut: look.strong }[network.status] ?? (scale ? look.ghost : look.train));
  function draw() {
    if (!state) return;
    const best = networks[0]?.best == null ? null : networks[0].member;
    const marked = new Map();
    for (const [member, colour] of [
      [best, look.val],
      [chosen, look.mark],
      [hot, look.ink],
    ])
      if (member != null) marked.set(member, colour);
    drawParallel(parallel, onlyLost ? networks.filter(holds) : networks, marked, colourOf);
    const kept = new Map(networks.filter(holds).map((n) => [n.member, n]));
    const listed = lines.filter((line) => kept.has(line.member));
    for (const field of ['loss', 'figure']) {
      const found = listed.map((line) => ({
        x: line.epoch,
        y: line[field],
        network: kept.get(line.member),
        colour: marked.get(line.member) ?? colourOf(kept.get(line.member)),
        dash: kept.get(line.member).status === 'diverged',
        aside: kept.get(line.member).status === 'diverged',
        strong: marked.has(line.member),
        member: line.member,
      }));
      const ends = (context, { panes: [pane] }) => {
        for (const line of found) {
          const place = pane.places.get(line)?.at(-1);
          if (place && place[1] >= pane.t - 1)
            drawEnd(context, line.network.status, place, line.colour, line.strong ? 1 : 0.5);
        }
      };
      parts[field].draw({ panes: [{ lines: found }], x: { name: t('epoch') }, more: ends });
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
  const redraw = () => {
    if (state) {
      fill();
      draw();
    }
  };
  return {
    keys: [],
    relabel,
    redraw,
    language: () => connection.reopen(),
    close() {
      resize.disconnect();
      looked.disconnect();
      connection.close();
    },
  };
}
