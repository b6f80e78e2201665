// A node process for test_run_server.py: reads {build, tasks: [{create, acts: [[verb, …], …]}]}, answers what each act
// gave.
import { readFileSync } from 'node:fs';

const web = new URL('../../src/treino_studio/playground/web/', import.meta.url);
const { loadLanes } = await import(new URL('lanes.js', web));
const { create, forget, serve } = await import(new URL('run_server.js', web));
const { unpacked } = await import(new URL('pixel_table.js', web));

const { build, tasks } = JSON.parse(readFileSync(0, 'utf8'));
const lanes = await loadLanes(readFileSync(build));

/** A page of a run, at the other end of a channel: it draws each frame at once. */
class Page {
  constructor(name) {
    const { port1, port2 } = new MessageChannel();
    Object.assign(this, {
      port: port1,
      number: 0,
      waiting: new Map(),
      changed: () => {},
      frames: [],
      curves: new Map(),
      state: null,
      points: null,
      fan: null,
    });
    port1.onmessage = ({ data }) => this.take(data);
    serve(port2, name);
  }
  take(message) {
    if ('reply' in message) {
      this.waiting.get(message.reply)?.(message);
      this.waiting.delete(message.reply);
    } else if (message.parts) {
      if (message.frame) this.frames = [...this.frames, message].slice(-3);
      if (message.frame) this.port.postMessage({ ack: message.frame });
    } else if (message.curves) {
      const { run, from, ...curve } = message.curves;
      const before = this.curves.get(run) ?? { step: [], loss: [] };
      this.curves.set(run, {
        ...curve,
        step: [...before.step.slice(0, from), ...curve.step],
        loss: [...before.loss.slice(0, from), ...curve.loss],
      });
    } else Object.assign(this, message);
    this.changed();
  }
  send(message) {
    return new Promise((resolve) => {
      this.waiting.set(message.id ?? null, resolve);
      this.port.postMessage(message);
    });
  }
  async until(holds) {
    while (!holds(this))
      await new Promise((resolve) => {
        this.changed = resolve;
      });
  }
  get frame() {
    return this.frames.at(-1);
  }
  close() {
    this.port.close();
  }
}

const plain = ({ parts, ...header }) => ({
  ...header,
  parts: Object.fromEntries(Object.entries(parts).map(([name, { data, shape }]) => [name, { data: [...data], shape }])),
});
const inView = ({ state, frame }) =>
  state &&
  frame &&
  frame.step === (state.view.step ?? state.last_step) &&
  frame.segment === (state.view.step === null ? state.segment : frame.segment);

/** What a test may do with a page. */
const ACTS = {
  say(page, verb, fields = {}) {
    page.since = page.frame?.frame ?? 0;
    return page.send({ id: ++page.number, do: verb, ...fields });
  },
  raw: (page, message) => page.send(message),
  /** Wait until so many updates are done, and it rests. */
  reach: (page, step) => page.until(({ state }) => state?.last_step >= step && !state.playing),
  status: (page, status) => page.until(({ state }) => state?.status === status),
  /** Wait for a frame that is newer than the last command; for the frame of what is in view. */
  async fresh(page) {
    await page.until((now) => inView(now) && now.frame.frame > page.since);
    return plain(page.frame);
  },
  async frame(page, step) {
    await page.until((now) => inView(now) && (step === undefined || now.frame.step === step));
    return plain(page.frame);
  },
  async fanned(page) {
    await page.until(({ fan }) => fan && fan.done >= fan.steps);
    return { fan: page.fan };
  },
  seen: ({ state, points, curves, fan, frames }) => ({
    state,
    points,
    curves: Object.fromEntries(curves),
    fan,
    frames: frames.map(({ frame }) => frame),
  }),
};

const answers = [];
for (const { create: request, acts } of tasks) {
  const given = [];
  try {
    if (request.problem.table) request.problem.table = unpacked(request.problem.table);
    create(lanes, request);
    let page = new Page(request.name);
    await ACTS.say(page, 'hello', { protocol: 1, viewer: 'a page of tests'.replaceAll(' ', '-'), language: 'en' });
    for (const [act, ...fields] of acts) {
      if (act === 'open') {
        // another run's page
        page.close();
        page = new Page(fields[0]);
        await ACTS.say(page, 'hello', { protocol: 1, viewer: 'another-page', language: 'en' });
      }
      given.push(act === 'open' ? null : ((await ACTS[act](page, ...fields)) ?? null));
    }
    page.close();
    forget(request.name);
  } catch (error) {
    given.push({ error: { rule: error.rule ?? null, message: error.message, stack: error.stack } });
  }
  answers.push(given);
}
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
