// A node process for test_tools.py: reads {build: the module's path, tasks: [{do, …}]}, answers a list.
import { readFileSync } from 'node:fs';

const web = new URL('../../src/treino_studio/playground/web/', import.meta.url);
const { loadLanes } = await import(new URL('lanes.js', web));
const { batchesOf, factorsOf, makePopulation } = await import(new URL('training.js', web));
const { explanation } = await import(new URL('microscope.js', web));
const { lossAndScore, winner } = await import(new URL('metrics.js', web));
const { Fan } = await import(new URL('fan.js', web));
const { findings: found } = await import(new URL('findings.js', web));
const { unpacked } = await import(new URL('pixel_table.js', web));
const { prepare } = await import(new URL('problems.js', web));
const { take } = await import(new URL('saving.js', web));
const { Run } = await import(new URL('run.js', web));

const { build, tasks } = JSON.parse(readFileSync(0, 'utf8'));
const lanes = await loadLanes(readFileSync(build));

function typed(prepared) {
  const parts = prepared.parts.map(({ x, y, rows, raw }) => ({
    x: Float32Array.from(x),
    y: prepared.classes.length ? Int32Array.from(y) : Float32Array.from(y),
    rows: Int32Array.from(rows),
    raw: Float64Array.from(raw),
  }));
  return { ...prepared, parts, mean: Float64Array.from(prepared.mean), scale: Float64Array.from(prepared.scale) };
}

/** The arithmetic of the updates after these steps. */
function microscope({ name, prepared, settings, looks }) {
  const net = makePopulation(lanes, prepared, settings);
  const batchOf = batchesOf(prepared, settings);
  const factorOf = factorsOf(settings);
  const answers = [];
  for (const { step, place } of looks) {
    if (net.step > step) throw new Error('looks go forward');
    if (net.step < step) net.train(step - net.step, batchOf, factorOf);
    const before = net.state(0);
    const [noted] = net.train(1, batchOf, factorOf);
    const after = net.row(0).slice();
    net.restore(0, before);
    const batch = batchOf(step) ?? Array.from({ length: prepared.parts[0].rows.length }, (_, row) => row);
    const hp = { ...settings, lr: settings.lr * factorOf(step), clip: settings.clip ?? Infinity };
    answers.push(explanation({ lanes, run: name, prepared, settings, hp, batch, before, after, noted }, place));
  }
  net.close();
  return answers;
}

/** A run of the page after so many updates. */
function runOf({ name, prepared, settings, step }) {
  const run = new Run(lanes, { name, problem: {}, prepared, settings });
  while (run.step < step) run.advance(step - run.step);
  return run;
}

/** Weights and biases, layer by layer, without what lies between them. */
function tensors(row, { sizes, starts }) {
  return starts.flatMap((at, k) => [...row.subarray(at, at + sizes[(k >> 1) + 1] * (k % 2 ? 1 : sizes[k >> 1]))]);
}

/** A fan's messages, its boundaries, and where each future ends; `adopted`: where those that were gone on with end. */
function fan({ kind, count, steps, picture, adopt, ...task }) {
  const run = runOf(task);
  const { net } = run.loop;
  const messages = [];
  const opened = new Fan(run, {
    number: 3,
    kind,
    count,
    steps,
    picture: picture && { ...picture, x: Float32Array.from(picture.x) },
  });
  while (!opened.over) messages.push(...opened.advance(1));
  const ends = opened.futures.map((_, future) => tensors(opened.params(future), net));
  const { futures } = opened;
  opened.close();
  const adopted = adopt.map((future) => {
    const other = run.branch('other', task.step, futures[future].changes);
    while (other.step < task.step + steps) other.advance(task.step + steps - other.step);
    return tensors(other.loop.net.row(0), net);
  });
  const parts = Object.fromEntries(
    Object.entries(messages.at(-1).parts ?? {}).map(([name, { data, shape }]) => [name, { data: [...data], shape }]),
  );
  return {
    messages: messages.filter((message) => !message.parts),
    parts,
    ends,
    adopted,
    target: { mean: task.prepared.targetMean, scale: task.prepared.targetScale },
  };
}

/** What is found at the end. */
function findings(task) {
  const run = runOf({ ...task, step: 0 });
  while (!run.over) run.advance(1000);
  return { status: run.status, step: run.step, findings: found(run), again: found(run) };
}

/** What is taken of a run after these acts, [verb, …]: texts, and bytes as a list. */
function taken({ forms, acts = [], step, ...task }) {
  const run = runOf({ ...task, step: 0 });
  const to = (last) => {
    while (run.step < last && !run.over) run.advance(last - run.step);
  };
  const VERBS = {
    to,
    set: (name, value) => run.set(name, value),
    stop: () => run.stop(),
    rewind: (at, changes) => run.rewind(at, changes),
    look: (at) => {
      run.view = { ...run.view, step: at };
    },
  };
  for (const [verb, ...values] of acts) VERBS[verb](...values);
  if (step !== undefined) to(step);
  return forms.map((form) => {
    try {
      const { name, type, text, bytes } = take(run, form);
      return { name, type, text, bytes: bytes && [...bytes] };
    } catch ({ rule, message, hint }) {
      return { rule, message, hint };
    }
  });
}

/** The classes that rows of outputs are given on a page and, by the kernel, on its plane (255: none); the accuracy. */
function classes({ outputs, C, prepared }) {
  const N = outputs.length / C;
  const z = Float32Array.from(outputs, Number);
  const at = lanes.allocate(4 * N * C + 3 * N);
  new Float32Array(lanes.memory.buffer, at, N * C).set(z.map((_, k) => z[(k % N) * C + Math.floor(k / N)]));
  const bytes = at + 4 * N * C;
  lanes.classes_as_bytes(at, N, C, bytes, bytes + N, bytes + 2 * N);
  return {
    given: Array.from({ length: N }, (_, i) => winner(z, i, C)),
    drawn: [...new Uint8Array(lanes.memory.buffer, bytes, N)],
    accuracy: lossAndScore(z, new Int32Array(N), prepared, { loss: C > 1 ? 'cross_entropy' : 'bce' }).accuracy,
  };
}

const VERBS = { classes, fan, findings, microscope, taken };
const answers = tasks.map(({ do: verb, ...task }) =>
  VERBS[verb]({
    ...task,
    prepared: task.problem
      ? prepare({ ...task.problem, table: task.problem.table && unpacked(task.problem.table) })
      : typed(task.prepared),
  }),
);
process.stdout.write(JSON.stringify(await Promise.all(answers)));
