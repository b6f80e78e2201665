/** Networks of one shape made of settings, with the first weights, batches and learning rates that treino gives them. */

import { Population } from './lanes.js';
import { initialise, orderOf } from './random.js';

/**
 * prepared: see problems.js. settings: {hidden, activation, loss, optimizer, lr, weight_decay, momentum, beta1, beta2, eps,
 * clip, dropout, batch_size, seed, …}, by the names of `treino train`. members: of each network, the settings that differ.
 */
export function makePopulation(lanes, prepared, settings, members = [{}], { unitLanes = members.length === 1 } = {}) {
  const sizes = [prepared.features.length, ...settings.hidden, prepared.outputs], { length: rows } = prepared.parts[0].rows;
  const population = new Population(lanes, {
    sizes, unitLanes, P: members.length, activation: settings.activation, loss: settings.loss, optimizer: settings.optimizer,
    batch: Math.min(batchSize(prepared, settings), rows), dropout: members.some((m) => (m.dropout ?? settings.dropout) > 0),
    summed: faulty(settings, 'missing_zero_grad'), softmaxFirst: faulty(settings, 'softmax_before_cross_entropy'),
  });
  members.forEach((own, p) => {
    const all = { ...settings, ...own };
    initialise(population.row(p), sizes, population.starts, all.seed);
    population.setSeed(all.seed, p);
    for (const name of ['lr', 'weight_decay', 'momentum', 'beta1', 'beta2', 'eps', 'dropout']) if (all[name] != null) population.set(name, all[name], p);
    population.set('clip', all.clip ?? Infinity, p);
  });
  population.setRows(prepared.parts[0].x, prepared.parts[0].y);
  return population;
}

const faulty = (settings, name) => (settings.fault ?? []).includes(name);

export const batchSize = (prepared, { batch_size: size }) => (size === 'full' || !size ? prepared.parts[0].rows.length : size);

export const stepsPerEpoch = (prepared, settings) => Math.ceil(prepared.parts[0].rows.length / batchSize(prepared, settings));

/** → (step) => the numbers of its rows, or null where each batch is all rows. The newest epoch's order is kept. */
export function batchesOf(prepared, settings) {
  const rows = prepared.parts[0].rows.length, size = batchSize(prepared, settings), each = stepsPerEpoch(prepared, settings);
  if (size >= rows) return () => null;
  let kept = -1, order = null;
  return (step) => {
    const epoch = Math.floor(step / each), place = (step % each) * size;
    if (epoch !== kept) order = orderOf(rows, settings.data_seed ?? settings.seed, (kept = epoch));
    return order.subarray(place, Math.min(rows, place + size));
  };
}
