/** What every layer of a network gives on rows that lie in the module's memory, for its pictures. */

import { ACTIVATIONS, LanesError } from './lanes.js';

/** Places in the module's memory, by names: each as large as it was last needed. */
export class Scratch {
  constructor(lanes) { Object.assign(this, { lanes, places: new Map() }); }

  room(name, bytes) {
    const { lanes, places } = this, old = places.get(name);
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

/** x: the place of [D][rows]. → places of each stage's values, [units][rows]; of stage 0 x itself. Good until the next call. */
export function forward(scratch, net, x, rows) {
  const { lanes, sizes, starts } = net, row = net.averages ? net.average : net.params, stages = [x];
  for (let l = 0; l + 1 < sizes.length; l++) {
    const to = scratch.room(`stage.${l + 1}`, 4 * sizes[l + 1] * rows);
    lanes.layer(row + 4 * starts[2 * l], row + 4 * starts[2 * l + 1], stages[l], to, rows, sizes[l], sizes[l + 1]);
    if (l + 2 < sizes.length) lanes.activate(ACTIVATIONS.indexOf(net.activation), to, sizes[l + 1] * rows);
    stages.push(to);
  }
  return stages;
}
