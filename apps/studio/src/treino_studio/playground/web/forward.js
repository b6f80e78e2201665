/** What every layer of a network gives on rows that lie in the module's memory, for its pictures. */

import { ACTIVATIONS, LanesError } from './lanes.js';

/** Places in the module's memory, by names: each as large as it was last needed. */
export class Scratch {
  constructor(lanes) {
    this.lanes = lanes;
    this.places = new Map();
  }

  room(name, bytes) {
    const { lanes, places } = this;
    const old = places.get(name);
    if (old && old.bytes >= bytes) return old.at;
    if (old) lanes.release(old.at);
    const at = lanes.allocate(bytes) >>> 0;
    if (!at) throw new LanesError('no_memory', 'not enough memory for so large a picture');
    places.set(name, { at, bytes });
    return at;
  }
  floats(name, values) {
    const at = this.room(name, 4 * values.length);
    new Float32Array(this.lanes.memory.buffer, at, values.length).set(values);
    return at;
  }
  close() {
    for (const { at } of this.places.values()) this.lanes.release(at);
    this.places.clear();
  }
}

/**
 * x: the place of [D][rows]. → places of each stage's values, [units][rows], of a convolution
 * [channels][high][wide][rows], before its pool; of stage 0 x itself. Good until the next call.
 */
export function forward(scratch, net, x, rows) {
  const { lanes, sizes, starts, convolutions, filters } = net;
  const row = net.averages ? net.average : net.params;
  const stages = [x];
  const room = (count) => scratch.room(`stage.${stages.length}`, 4 * count * rows);
  const activate = (at, count) => lanes.activate(ACTIVATIONS.indexOf(net.activation), at, count * rows);
  let from = x;
  convolutions.forEach(({ inputs, high, wide, outputs }, l) => {
    const size = outputs * high * wide;
    const [W, b] = filters[l];
    const map = room(size);
    const pooled = scratch.room(`pool.${l}`, 4 * size * rows);
    lanes.convolve(row + 4 * W, row + 4 * b, from, map, rows, inputs, outputs, high, wide);
    activate(map, size);
    lanes.pool(map, pooled, rows, outputs, high, wide);
    stages.push(map);
    from = pooled;
  });
  for (let l = 0; l + 1 < sizes.length; l++) {
    const to = room(sizes[l + 1]);
    lanes.layer(row + 4 * starts[2 * l], row + 4 * starts[2 * l + 1], from, to, rows, sizes[l], sizes[l + 1]);
    if (l + 2 < sizes.length) activate(to, sizes[l + 1]);
    stages.push(to);
    from = to;
  }
  return stages;
}
