// A node process for test_tools.py: reads {build: the module's path, tasks: [{do, …}]}, answers a list.
import { readFileSync } from 'node:fs';

const web = new URL('../../src/treino/playground/web/', import.meta.url);
const { loadLanes } = await import(new URL('lanes.js', web));
const { batchesOf, factorsOf, makePopulation } = await import(new URL('training.js', web));
const { explanation } = await import(new URL('microscope.js', web));

const { build, tasks } = JSON.parse(readFileSync(0, 'utf8'));
const lanes = await loadLanes({ relaxed: null, exact: readFileSync(build) });

function typed(prepared) {
  const parts = prepared.parts.map(({ x, y, rows, raw }) => ({ x: Float32Array.from(x), y: prepared.classes.length ? Int32Array.from(y) : Float32Array.from(y), rows: Int32Array.from(rows), raw: Float64Array.from(raw) }));
  return { ...prepared, parts, mean: Float64Array.from(prepared.mean), scale: Float64Array.from(prepared.scale) };
}

/** The arithmetic of the updates after these steps. */
function microscope({ name, prepared, settings, looks }) {
  const net = makePopulation(lanes, prepared, settings), batchOf = batchesOf(prepared, settings), factorOf = factorsOf(settings), answers = [];
  for (const { step, place } of looks) {
    if (net.step > step) throw new Error('looks go forward');
    if (net.step < step) net.train(step - net.step, batchOf, factorOf);
    const before = net.state(0), [noted] = net.train(1, batchOf, factorOf), after = net.row(0).slice();
    net.restore(0, before);
    const batch = batchOf(step) ?? Array.from({ length: prepared.parts[0].rows.length }, (_, row) => row);
    const hp = { ...settings, lr: settings.lr * factorOf(step), clip: settings.clip ?? Infinity };
    answers.push(explanation({ lanes, run: name, prepared, settings, hp, batch, before, after, noted }, place));
  }
  net.close();
  return answers;
}

const VERBS = { microscope };
const answers = tasks.map(({ do: verb, ...task }) => VERBS[verb]({ ...task, prepared: typed(task.prepared) }));
process.stdout.write(JSON.stringify(await Promise.all(answers)));
