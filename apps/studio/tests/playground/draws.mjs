// For test_draws.py: a node process that reads [[name, …arguments], …] and answers what each of these gives.
import { readFileSync } from 'node:fs';
import { cos, log, sin } from '../../src/treino_studio/playground/web/elementary.js';
import { splitEvenly, unitsOf } from '../../src/treino_studio/playground/web/equal_rows.js';
import { layout, loadLanes, Population } from '../../src/treino_studio/playground/web/lanes.js';
import {
  generator,
  initialise,
  orderOf,
  permutation,
  RandomState,
  sha256,
  split,
  uniform,
} from '../../src/treino_studio/playground/web/random.js';
import { factorsOf } from '../../src/treino_studio/playground/web/training.js';

const { build, calls } = JSON.parse(readFileSync(0, 'utf8'));
const lanes = await loadLanes(readFileSync(build));
const DRAWS = {
  elementary: (xs) => xs.map((x) => [cos(x), sin(x), x > 0 ? log(x) : 0]),
  sha256,
  words: (seed, purpose, epoch, n) => {
    const g = generator(seed, purpose, epoch);
    return Array.from({ length: n }, () => g.word());
  },
  permutation: (n, seed) => [...permutation(n, generator(seed, 'test'))],
  order: (n, seed, epoch) => [[...orderOf(n, seed, epoch)], [...orderOf(n, seed, epoch, lanes)]],
  uniform: (n, from, to, seed) => {
    const x = new Float32Array(n);
    uniform(x, from, to, generator(seed, 'test'));
    return [...x];
  },
  weights: (sizes, seed, init, activation) => {
    const { starts, n } = layout(sizes);
    const row = new Float32Array(n);
    initialise(row, { sizes, starts, convolutions: [] }, seed, init, activation);
    return [...row];
  },
  split: (...asked) => [...split(...asked)],
  units: (first, table, answer) => [...unitsOf(Int32Array.from(first), table, answer)],
  evenly: (...asked) => [...splitEvenly(...asked)],
  numpy: (seed, n) => {
    const r = new RandomState(seed);
    const list = Array.from({ length: n }, (_, i) => i);
    r.shuffle(list);
    return [list, list.map(() => r.gauss()), list.map(() => r.double())];
  },
  factors: (settings, steps) => steps.map(factorsOf(settings)),
  memory: () => {
    const small = () => new Population(lanes, { sizes: [2, 8, 2], P: 3 }).close();
    small();
    const before = lanes.memory.buffer.byteLength;
    try {
      new Population(lanes, { sizes: [2, 4096, 4096, 2], P: 4096 });
      return ['made', false];
    } catch (error) {
      small();
      return [error.rule, lanes.memory.buffer.byteLength - before < 2 ** 20];
    }
  },
  shares: (count) => Array.from({ length: count }, (_, n) => Math.fround(1 / Math.sqrt(n + 1))),
};
process.stdout.write(JSON.stringify(calls.map(([name, ...words]) => DRAWS[name](...words))));
