/** Which networks a crowd has: the values of three settings, across, down and by panels, and every network of them. */

import { ACTIVATIONS } from './lanes.js';

/**
 * What may differ between networks. A list has a few values of its own, a range as many as are wanted between low and
 * high: by their logarithms, in equal distances, or whole numbers from low on.
 */
export const AXES = {
  lr: { scale: 'log', low: 1e-4, high: 1, least: 1e-7, most: 1e9, ends: [1e-6, 10] },
  seed: { scale: 'whole', low: 0, least: 0, most: 2 ** 31 },
  hidden: { list: ['4,2', '8,4', '16,8', '32,16'] },
  weight_decay: { scale: 'log', low: 1e-5, high: 1, least: 1e-9, most: 1e3, ends: [1e-8, 10] },
  dropout: { scale: 'linear', low: 0, high: 0.6, least: 0, most: 0.95, ends: [0, 0.95] },
  activation: { list: ['relu', 'tanh', 'gelu', 'sigmoid'], of: ACTIVATIONS },
  batch_size: { list: ['8', '32', '128', 'full'] },
};
export const COUNTS = [64, 256, 576, 1024, 2304, 4096];
export const USUAL = { count: 1024, across: 'lr', down: 'seed', panels: 'hidden', values: {} };
const PLACES = ['across', 'down', 'panels'];

/**
 * How many networks a machine can carry: by its cores, its memory in GiB (as browsers say it, at most 8), and whether
 * it is a handheld.
 */
export function carried({ cores = 2, memory = 4, handheld = false }) {
  const room = Math.min(1024 * memory, handheld ? 128 * cores : 4096);
  return COUNTS.filter((count) => count <= room).at(-1) ?? COUNTS[0];
}

/** The values of an axis as they stand in the address: "0.0001..1", "4,2;8,4", "0..". */
export const valuesText = (name, { low, high, list }) =>
  list ? list.join(';') : AXES[name].scale === 'whole' ? `${low}..` : `${low}..${high}`;

/** → {low, high} or {list}; null where the text is none: it is refused, or left as it was. */
export function readValues(name, text) {
  const axis = AXES[name];
  if (axis.list) {
    const list = [
      ...new Set(
        text
          .split(/[;\s]+/)
          .map((one) => one.trim())
          .filter(Boolean),
      ),
    ];
    return list.length && list.length <= 16 && list.every((one) => readValue(name, one) !== null) ? { list } : null;
  }
  const [low, high] = text.split('..').map((one) => (one.trim() === '' ? null : Number(one.trim().replace(',', '.'))));
  const fits = (value) => Number.isFinite(value) && value >= axis.least && value <= axis.most;
  if (low === null || !fits(low) || (axis.scale === 'whole' && !Number.isInteger(low))) return null;
  if (axis.scale === 'whole') return { low };
  return high != null && fits(high) && high > low ? { low, high } : null;
}

/** A setting's value of its text: layers, a batch size, a name. null: it is none. */
export function readValue(name, text) {
  if (name === 'hidden') {
    const layers = text.split(',').map(Number);
    return layers.length <= 6 && layers.every((units) => Number.isInteger(units) && units >= 1 && units <= 256)
      ? layers
      : null;
  }
  if (name === 'batch_size')
    return text === 'full'
      ? text
      : Number.isInteger(Number(text)) && Number(text) >= 1 && Number(text) <= 100000
        ? Number(text)
        : null;
  return AXES[name].of?.includes(text) ? text : null;
}

/** The range or list of an axis, as chosen or else the usual one. */
export const rangeOf = (plan, name) =>
  plan.values[name] ?? { low: AXES[name].low, high: AXES[name].high, list: AXES[name].list };

/** So many values of an axis; rates are round numbers, so that an address or a command has them exactly. */
function spread(name, { low, high }, count) {
  const { scale } = AXES[name];
  return Array.from({ length: count }, (_, k) => {
    const share = count > 1 ? k / (count - 1) : 0;
    if (scale === 'whole') return low + k;
    return Number((scale === 'log' ? low * (high / low) ** share : low + (high - low) * share).toPrecision(3));
  });
}

/**
 * plan: {count, across, down, panels (a setting or null), values: {setting: {low, high} or {list}}}.
 * → {members: [{id, column, row, panel, own: {setting: value}}], across, down, panels: values}; about plan.count of
 * them.
 */
export function makeMembers(plan) {
  const listed = (name) =>
    name && AXES[name].list ? rangeOf(plan, name).list.map((text) => readValue(name, text)) : null;
  const values = Object.fromEntries(PLACES.map((place) => [place, listed(plan[place])]));
  if (plan.panels && !values.panels) values.panels = spread(plan.panels, rangeOf(plan, plan.panels), 4);
  const each = Math.max(1, Math.floor(plan.count / (values.panels?.length ?? 1)));
  const free = ['across', 'down'].filter((place) => !values[place]);
  const side =
    free.length === 2
      ? Math.floor(Math.sqrt(each) + 1e-9)
      : Math.floor(each / (values.across ?? values.down ?? [0]).length);
  for (const place of free) values[place] = spread(plan[place], rangeOf(plan, plan[place]), Math.max(1, side));
  const members = [];
  (values.panels ?? [null]).forEach((of, panel) => {
    values.down.forEach((down, row) =>
      values.across.forEach((across, column) => {
        const own = { [plan.across]: across, [plan.down]: down };
        if (plan.panels) own[plan.panels] = of;
        members.push({ id: members.length, column, row, panel, own });
      }),
    );
  });
  return { members, ...values, panels: values.panels ?? [] };
}

/** A plan of an address's fields; what can't be read is as usual, and said: {plan, wrong: [field]}. */
export function readPlan(fields) {
  const plan = structuredClone(USUAL);
  const wrong = [];
  const count = Number(fields.count ?? plan.count);
  if (COUNTS.includes(count)) plan.count = count;
  else wrong.push('count');
  for (const place of PLACES) {
    if (fields[place] == null) continue;
    if (Object.hasOwn(AXES, fields[place])) plan[place] = fields[place];
    else if (place === 'panels' && fields[place] === 'none') plan.panels = null;
    else wrong.push(place);
  }
  if (plan.across === plan.down) plan.down = plan.across === 'seed' ? 'lr' : 'seed';
  if ([plan.across, plan.down].includes(plan.panels)) plan.panels = null;
  for (const name of PLACES.map((place) => plan[place]).filter(Boolean)) {
    const text = fields[`${name}_values`];
    if (text == null) continue;
    const read = readValues(name, text);
    if (read) plan.values[name] = read;
    else wrong.push(`${name}_values`);
  }
  return { plan, wrong };
}

/** The fields of an address that make this plan; null: as usual, it is left out. */
export function planFields(plan) {
  const fields = Object.fromEntries(Object.keys(AXES).map((name) => [`${name}_values`, null]));
  for (const place of ['count', ...PLACES])
    fields[place] = plan[place] === USUAL[place] ? null : String(plan[place] ?? 'none');
  for (const place of PLACES)
    if (plan[place] && plan.values[plan[place]])
      fields[`${plan[place]}_values`] = valuesText(plan[place], plan.values[plan[place]]);
  return fields;
}

/** The fields of no plan at all. */
export const noPlan = () =>
  Object.fromEntries(
    ['count', ...PLACES, ...Object.keys(AXES).map((name) => `${name}_values`)].map((name) => [name, null]),
  );

export const isAxis = (plan, name) => PLACES.some((place) => plan[place] === name);

/** Networks of one kind train in one group of the kernel. */
export const kindOf = ({ hidden, activation, batch_size: batch, dropout }) =>
  JSON.stringify([hidden, activation, batch, dropout > 0]);

/**
 * Share members out to so many workers, and give each a slot for its picture: `each` of a group in one go, so that a
 * group's slots begin at a multiple of it. → {shares: [members of each worker], slots}.
 */
export function shareOut(members, settings, workers, each) {
  const kinds = new Map();
  const shares = Array.from({ length: workers }, () => []);
  for (const member of members) {
    const kind = kindOf({ ...settings, ...member.own });
    if (!kinds.has(kind)) kinds.set(kind, []);
    kinds.get(kind).push(member);
  }
  let slot = 0;
  for (const own of kinds.values())
    for (let worker = 0; worker < workers; worker++) {
      const some = own.filter((_, k) => k % workers === worker);
      slot = Math.ceil(slot / each) * each;
      for (const member of some) {
        member.slot = slot++;
        member.worker = worker;
        shares[worker].push(member);
      }
    }
  return { shares, slots: Math.ceil(slot / each) * each };
}
