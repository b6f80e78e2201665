/** The settings of `treino train` that the playground has: how each stands in the address, and its usual value here. */

import { SHARE } from './problems.js';

/** A problem of which nothing is said. */
export const usualProblem = {
  source: 'moons',
  noise: null,
  validation: SHARE,
  test: SHARE,
  data_seed: 0,
  normalise: true,
  features: null,
};

const number = (usual) => ({ usual, read: Number });
const name = (usual) => ({ usual, read: (text) => (/^[a-z_0-9-]+$/.test(text) ? text : undefined) });

const sizes = (usual) => ({
  usual,
  read(text) {
    const all = text === 'none' || text === '' ? [] : text.split(',').map(Number);
    return all.every((n) => Number.isInteger(n) && n > 0) ? all : undefined;
  },
  write: (all) => all.join(',') || 'none',
});

export const setting = {
  channels: sizes([]),
  hidden: sizes([8, 6]),
  activation: name('tanh'),
  loss: name(null),
  optimizer: name('adam'),
  lr: number(0.003),
  weight_decay: number(0),
  momentum: number(0),
  beta1: number(0.9),
  beta2: number(0.999),
  eps: number(1e-8),
  clip: number(null),
  dropout: number(0),
  batch_size: { usual: 32, read: (text) => (text === 'full' ? text : Number(text)) },
  seed: number(0),
  schedule: name('constant'),
  steps: number(100000),
  fault: { usual: [], read: (text) => text.split(',').filter(Boolean), write: (list) => list.join(',') },
};

const OF_PICTURES = { hidden: [64, 32] };
// as `treino train` has it: few units tell no ten digits apart
const OF_CONVOLUTIONS = { hidden: [], activation: 'relu' };

/** The usual value of a setting with these data and channels of convolutions. */
export const usualOf = (name, { table }, channels = []) =>
  (channels.length ? OF_CONVOLUTIONS[name] : table?.picture && OF_PICTURES[name]) || setting[name].usual;
