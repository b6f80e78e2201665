// For test_bits.py: members that learn rows by weights of their own, in node; answers the bits they end with.
import { readFileSync } from 'node:fs';
import { loadLanes, Population } from '../../src/treino_studio/playground/web/lanes.js';

const { build, sizes, loss, unitLanes, params, x, y, weights, bags, steps } = JSON.parse(readFileSync(0, 'utf8'));
const lanes = await loadLanes(readFileSync(build));
const population = new Population(lanes, { sizes, loss, unitLanes, P: params.length, batch: y.length });
params.forEach((row, p) => {
  population.row(p).set(row);
  population.setBag(bags[p], p);
});
population.setRows(x.flat(), y.flat(), weights.flat());
population.train(steps);
process.stdout.write(JSON.stringify(params.map((_, p) => [...new Int32Array(population.row(p).slice().buffer)])));
