/**
 * Networks of one shape made of settings, with the first weights, batches and learning rates that treino gives them.
 */

import { refuse } from '../../page/modules/connection.js';
import { cos } from './elementary.js';
import { KERNEL, Population } from './lanes.js';
import { initialise, orderOf } from './random.js';
import { say } from './sentences.js';

const NUMBERS = ['lr', 'weight_decay', 'momentum', 'beta1', 'beta2', 'eps', 'dropout', 'ema'];

/**
 * prepared: see problems.js. settings: {channels, hidden, activation, loss, optimizer, lr, weight_decay, momentum,
 * nesterov, beta1, beta2, eps, clip, dropout, ema, init, batch_size, seed, fault, as_taught}, by the names of `treino
 * train`. members: of each network, the settings that differ: numbers, clip, seed.
 */
export function makePopulation(lanes, prepared, settings, members = [{}], { unitLanes = members.length === 1 } = {}) {
  const all = members.map((own) => ({ ...settings, ...own }));
  const some = (name) => all.some((one) => one[name] > 0);
  const population = new Population(lanes, {
    sizes: sizesOf(prepared, settings),
    convolutions: convolutionsOf(prepared, settings),
    P: members.length,
    unitLanes,
    activation: settings.activation,
    loss: lossOf(prepared, settings),
    optimizer: settings.optimizer,
    nesterov: !!settings.nesterov,
    batch: batchSize(prepared, settings),
    dropout: some('dropout'),
    averages: some('ema'),
    summed: faulty(settings, 'missing_zero_grad'),
    softmaxFirst: faulty(settings, 'softmax_before_cross_entropy'),
  });
  try {
    all.forEach((one, p) => {
      begin(population, p, one);
      for (const name of NUMBERS) if (one[name] != null) population.set(name, one[name], p);
      population.set('clip', one.clip ?? Infinity, p);
    });
    population.setRows(prepared.parts[0].x, prepared.parts[0].y);
  } catch (error) {
    population.close();
    throw error;
  }
  return population;
}

/** A member's first weights and its dropout, by its seed. */
function begin(population, p, { seed = 0, init = 'default', activation }) {
  initialise(population.row(p), population, seed, init, activation);
  if (population.averages) population.row(p, 'average').set(population.row(p));
  population.setSeed(seed, p);
}

export const lossOf = (prepared, { loss }) => loss ?? (prepared.task === 'regression' ? 'mse' : 'cross_entropy');

/** Units: [D, H, …, C], of a convolutional network those after its features. Of two classes bce has one output. */
export function sizesOf(prepared, settings) {
  const last = convolutionsOf(prepared, settings).at(-1);
  const features = last ? last.outputs * (last.high >> 1) * (last.wide >> 1) : prepared.features.length;
  return [features, ...settings.hidden, lossOf(prepared, settings) === 'bce' ? 1 : prepared.outputs];
}

/** The convolutions of `channels`, each with a pool after it; none: an MLP. */
export function convolutionsOf({ picture, features }, settings) {
  const channels = settings.channels ?? [];
  if (channels.length && !picture)
    refuse(
      'cnn_rows',
      say('A convolutional network learns from pictures, and a row here has the shape {shape}.', {
        shape: features.length,
      }),
      say('Use [[net=mlp]], or leave it out; pictures are [rows, channels, height, width].'),
    );
  let [high, wide] = picture ?? [];
  let inputs = 1;
  return channels.map((outputs, l) => {
    if (Math.min(high, wide) < 2)
      refuse(
        'cnn_size',
        say('Pictures of {size} are too small for stage {stage}: its kernel is {kernel} and its pool {pool}.', {
          size: `${high} × ${wide}`,
          stage: l + 1,
          kernel: KERNEL,
          pool: 'max',
        }),
        say('Use fewer stages, [[pool=none]] in some of them, or larger pictures.'),
      );
    const one = { inputs, high, wide, outputs };
    [inputs, high, wide] = [outputs, high >> 1, wide >> 1];
    return one;
  });
}

/**
 * The name of a layer with weights in torch's Sequential: an activation follows it, and a pool or, where there is any,
 * dropout; of a convolutional network dropout stands before.
 */
export function moduleOf(layer, convolutions, drops) {
  if (layer < convolutions) return String(3 * layer);
  const first = convolutions ? 3 * convolutions + 1 + drops : 0; // behind Flatten
  return String(first + (drops ? 3 : 2) * (layer - convolutions));
}

export const FAULTS = ['missing_zero_grad', 'softmax_before_cross_entropy'];
export const faulty = ({ as_taught: asTaught, fault }, name) => !!asTaught || (fault ?? []).includes(name);

const rowsOf = (prepared) => prepared.parts[0].rows.length;

/** Rows of a whole batch. */
export const batchSize = (prepared, { batch_size: size }) =>
  Math.min(rowsOf(prepared), size === 'full' || !size ? Infinity : size);

export const stepsPerEpoch = (prepared, settings) => Math.ceil(rowsOf(prepared) / batchSize(prepared, settings));

/**
 * → (step) => the numbers of its rows, or null where each batch is all rows. The newest epoch's order is kept.
 * past: of a training that goes on from another one: a new epoch begins at `step`, after `epochs` of them; `order`: the
 * seed of the order, if it isn't the data's. lanes: draws orders faster.
 */
export function batchesOf(prepared, settings, past = {}, lanes = null) {
  const rows = rowsOf(prepared);
  const size = batchSize(prepared, settings);
  const each = stepsPerEpoch(prepared, settings);
  const seed = past.order ?? settings.data_seed ?? settings.seed ?? 0;
  const { step: first = 0, epochs = 0 } = past;
  if (size >= rows) return () => null;
  let kept = -1;
  let order = null;
  return (step) => {
    const epoch = epochs + Math.floor((step - first) / each);
    const place = ((step - first) % each) * size;
    if (epoch !== kept) order = orderOf(rows, seed, epoch, lanes);
    kept = epoch;
    return order.subarray(place, Math.min(rows, place + size));
  };
}

// ---- schedules, as engine/schedules.py has them

export const SCHEDULES = {
  constant: () => 1,
  cosine: (progress) => (1 + cos(Math.PI * progress)) / 2,
  step: (progress) => (progress < 0.5 ? 1 : progress < 0.75 ? 0.1 : 0.01),
  'one-cycle': (progress) =>
    progress < 0.3
      ? 0.52 - 0.48 * cos((Math.PI * progress) / 0.3)
      : 0.500002 + 0.499998 * cos((Math.PI * (progress - 0.3)) / 0.7),
};

/** Whether the rate of a step hangs on how many are planned, or on a warm-up. */
export const isScheduled = ({ schedule, warmup }) => (schedule ?? 'constant') !== 'constant' || warmup > 0;

/** settings: {schedule, warmup, steps (planned)}. → (step) => the factor of the learning rate. */
export function factorsOf({ schedule = 'constant', warmup = 0, steps = Infinity }) {
  const factor = SCHEDULES[schedule];
  const rising = Math.min(warmup, steps);
  const falling = Math.max(1, steps - rising);
  return (step) => (step < rising ? (step + 1) / rising : factor((step - rising) / falling));
}
