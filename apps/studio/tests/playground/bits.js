// For test_bits.py: trainings in JavaScript and WebAssembly, in node or in a browser, and the bits of what they end
// with.
import { loadLanes } from '../../src/treino_studio/playground/web/lanes.js';
import { unpacked } from '../../src/treino_studio/playground/web/pixel_table.js';
import { prepare } from '../../src/treino_studio/playground/web/problems.js';
import { readTable } from '../../src/treino_studio/playground/web/tables.js';
import { batchesOf, factorsOf, makePopulation } from '../../src/treino_studio/playground/web/training.js';

const CALL = 700; // steps

/**
 * kernel: the module. relaxed: by the browser's fused multiply-adds, else by emulated ones. members: settings of
 * further members. → bits of the first one.
 */
export async function trained(kernel, relaxed, { problem, csv, settings, members = [] }) {
  const lanes = await loadLanes(kernel, [relaxed]);
  const prepared = prepare(
    csv
      ? { ...problem, source: 'table', table: { ...readTable(csv), ...problem.table } }
      : { ...problem, table: problem.table && unpacked(problem.table) },
  );
  const net = makePopulation(lanes, prepared, settings, [{}, ...members]);
  const batches = batchesOf(prepared, settings, {}, lanes);
  const factors = factorsOf(settings);
  let back = members.length === 0;
  while (net.step < settings.steps) {
    net.train(Math.min(CALL, settings.steps - net.step), batches, factors);
    if (back) continue;
    const state = net.state(0); // there and back again, alone
    net.train(30, batches, factors, [0]);
    net.restore(0, state);
    back = true;
  }
  const { params, moments, average } = net.state(0);
  const bits = (values) => [...new Int32Array(values.buffer)];
  net.close();
  const found = { params: bits(params), 'moment.0': bits(moments[0]) };
  if (moments[1]) found['moment.1'] = bits(moments[1]);
  if (average) found.average = bits(average);
  return { relaxed: lanes.relaxed, bits: found };
}
