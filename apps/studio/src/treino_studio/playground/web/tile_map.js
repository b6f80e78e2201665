/**
 * The picture of a crowd: its networks as tiles, by their settings (a map) or by their validation loss, with a pointer,
 * keys, and rings around the best one and the one that is looked at.
 *
 * It stays calm: tiles change their order at most every CALM milliseconds, only where one is clearly better, and not
 * while the pointer or the keyboard is on them.
 */

import { el, setText } from '../../page/modules/dom.js';
import { num } from '../../page/modules/numbers.js';
import { rangeColour } from '../../page/modules/pixels.js';
import { classColour, look, rgb } from '../../page/modules/theme.js';
import { localised, t } from '../../page/modules/words.js';
import { AXES } from './members.js';
import { settle } from './order.js';
import { makeTiles } from './tiles.js';

export const CALM = 2500; // milliseconds between two orders
const TRAVEL = 160; // milliseconds in which a tile does two thirds of its way
const NEIGHBOURS = 2.5; // tiles: further than that none slides
const LEFT = 58; // pixels of the names of rows
const BELOW = 40; // pixels of the names of columns
const TITLE = 22; // pixels of a panel's title
const BETWEEN = 14; // pixels between panels

/** The columns of n equal squares that fill a box best, and their side. */
function gridOf(n, width, height) {
  let best = { columns: 1, size: 0 };
  for (let columns = 1; columns <= n; columns++) {
    const size = Math.min(width / columns, height / Math.ceil(n / columns));
    if (size > best.size) best = { columns, size };
  }
  return best;
}

/** enlarge(id): a tile was chosen; point(id or null, event): it is looked at; describe(id): a sentence on it. */
export function makeTileMap({
  enlarge,
  point,
  describe,
  reduced = () => matchMedia('(prefers-reduced-motion: reduce)').matches,
}) {
  const labels = el('canvas', { class: 'labels', 'aria-hidden': 'true' });
  const ring = {
    best: el('i', { class: 'ring best', hidden: true }),
    hot: el('i', { class: 'ring hot', hidden: true }),
  };
  const option = el('span', { id: 'tile-now', role: 'option', class: 'vh', 'aria-selected': false });
  const node = el(
    'div',
    { class: 'fill tiles', id: 'tiles', role: 'listbox', tabindex: 0, 'aria-activedescendant': 'tile-now' },
    labels,
    ring.best,
    ring.hot,
    option,
  );
  const map = { node, mode: 'map', hot: null, best: null, kind: () => tiles?.kind };
  let tiles = null;
  let made = null;
  let plan = null;
  let list = [];
  let order = [];
  const changed = new Set();
  let all = true;
  let moving = false;
  let ordered = 0;
  let last = 0;
  let size = [0, 0];
  let grid = null;
  let inside = false;

  /** A crowd: {members, across, down, panels, slots, cells}; every tile's slot is set. */
  map.begin = (crowd, itsPlan, { regression, gl }) => {
    tiles?.close();
    made = crowd;
    plan = itsPlan;
    list = crowd.members.map((member) => ({
      id: member.id,
      slot: member.slot,
      x: null,
      y: 0,
      size: 0,
      lost: false,
      fade: 0,
      gone: false,
      known: false,
    }));
    order = list.map(({ id }) => id);
    Object.assign(map, { hot: null, best: null });
    tiles = makeTiles(node, { cells: crowd.cells, slots: crowd.slots, regression, gl });
    tiles.changed = () => {
      all = true;
    };
    map.regression = regression;
    map.redraw();
    arrange();
  };
  map.put = ({ ids, slots, bytes, loss }) => {
    tiles.put(slots, bytes);
    ids.forEach((id, k) => {
      const tile = list[id];
      tile.lost = !Number.isFinite(loss[k]);
      if (!tile.known) {
        tile.known = true;
        moving = true; // it comes out of the ground
      }
      changed.add(id);
    });
  };
  /** Networks that train no more: they fade. */
  map.cut = (alive) => {
    for (const tile of list) tile.gone = !alive.has(tile.id);
    moving = true;
  };
  map.show = (mode) => {
    map.mode = mode;
    arrange(true);
  };
  /** Order the tiles anew, if it is time and nobody is on them. → whether it did. */
  map.rank = (worth, now, soon = false) => {
    if (inside || node.matches(':focus-visible') || (!soon && now - ordered < CALM)) return false;
    ordered = now;
    order = settle(order, worth);
    if (map.mode === 'ranked') arrange();
    return true;
  };
  map.order = () => order;

  // ---- places

  /** fly: all go to their places through the air; else only neighbours slide, and others vanish here and come there. */
  function arrange(fly = false) {
    const [width, height] = size;
    if (!made || !width || !height) return;
    if (map.mode === 'ranked') {
      const { columns, size: side } = gridOf(list.length, width, height);
      grid = { columns, side };
      order.forEach((id, place) =>
        aim(list[id], (place % columns) * side, Math.floor(place / columns) * side, side, fly),
      );
    } else {
      grid = mapGrid(width, height);
      for (const { id, panel, column, row } of made.members)
        aim(list[id], grid.x(panel) + column * grid.side, grid.y(panel) + row * grid.side, grid.side, fly);
    }
    drawLabels();
    all = moving = true;
  }
  function aim(tile, x, y, side, fly) {
    const gap = side > 5 ? Math.max(1, Math.round(side * 0.07)) : 0;
    Object.assign(tile, { toX: x, toY: y, toSize: Math.max(1, side - gap) });
    if (tile.x === null || reduced()) Object.assign(tile, { x, y, size: tile.toSize });
    else if (!fly && Math.abs(x - tile.x) + Math.abs(y - tile.y) > NEIGHBOURS * side)
      Object.assign(tile, { x, y, size: tile.toSize, fade: 0.15 });
  }
  /** Panels beside and below each other, so that tiles are as large as they can be. */
  function mapGrid(width, height) {
    const panels = Math.max(1, made.panels.length);
    const nx = made.across.length;
    const ny = made.down.length;
    const title = made.panels.length ? TITLE : 4;
    let best = { side: 0 };
    for (let across = 1; across <= panels; across++) {
      const down = Math.ceil(panels / across);
      const side = Math.min(
        (width - LEFT - (across - 1) * BETWEEN) / (across * nx),
        (height - BELOW - down * title) / (down * ny),
      );
      if (side > best.side) best = { side, across, down };
    }
    const ratio = Math.min(2, devicePixelRatio || 1);
    const side = best.side >= 6 ? Math.floor(best.side * ratio) / ratio : best.side;
    const wide = LEFT + best.across * nx * side + (best.across - 1) * BETWEEN;
    const left = LEFT + Math.max(0, (width - wide - 8) / 2);
    const top = Math.max(0, (height - BELOW - best.down * (title + ny * side)) / 2);
    return {
      ...best,
      side,
      title,
      nx,
      ny,
      x: (panel) => left + (panel % best.across) * (nx * side + BETWEEN),
      y: (panel) => top + title + Math.floor(panel / best.across) * (ny * side + title),
    };
  }

  // ---- names of the axes

  function drawLabels() {
    const ratio = Math.min(2, devicePixelRatio || 1);
    const [width, height] = size;
    const context = labels.getContext('2d');
    labels.width = Math.round(width * ratio);
    labels.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (map.mode !== 'map' || !grid) return;
    const { nx, ny, side, across, down } = grid;
    const panels = Math.max(1, made.panels.length);
    const text = (words, x, y, align, colour = look.soft, weight = 400) => {
      context.font = `${weight} 12px ${look.font}`;
      context.fillStyle = colour;
      context.textAlign = align;
      context.fillText(words, x, y);
    };
    context.textBaseline = 'middle';
    for (let panel = 0; panel < panels; panel++) {
      const x = grid.x(panel);
      const y = grid.y(panel);
      const below = panel + across >= panels;
      if (made.panels.length)
        text(
          `${t(`many_${plan.panels}`)} ${valueText(plan.panels, made.panels[panel])}`,
          x,
          y - TITLE / 2,
          'left',
          look.ink,
          600,
        );
      if (below) {
        const ends = ticksOf(plan.across, made.across, Math.max(2, Math.floor((nx * side) / 52)));
        for (const [at, words] of ends)
          text(
            words,
            x + (at + 0.5) * side,
            y + ny * side + 9,
            at === 0 && side < 30 ? 'left' : at === nx - 1 && side < 30 ? 'right' : 'center',
          );
      }
      if (panel % across === 0)
        for (const [at, words] of ticksOf(plan.down, made.down, Math.max(2, Math.floor((ny * side) / 30))))
          text(words, x - 7, y + (at + 0.5) * side, 'right');
    }
    const left = grid.x(0);
    const right = grid.x(across - 1) + nx * side;
    const foot = grid.y((down - 1) * across) + ny * side;
    text(`${t(`many_${plan.across}`)} →`, (left + right) / 2, foot + 28, 'center', look.ink, 600);
    context.save();
    context.translate(left - 50, (grid.y(0) + foot) / 2);
    context.rotate(-Math.PI / 2);
    text(`← ${t(`many_${plan.down}`)}`, 0, 0, 'center', look.ink, 600);
    context.restore();
  }

  // ---- every frame

  /** Draw what is new. → whether tiles still move. */
  map.frame = (now) => {
    const passed = Math.min(64, now - last);
    const share = reduced() ? 1 : 1 - Math.exp(-passed / TRAVEL);
    last = now;
    if (!tiles || !size[0]) return false;
    if (moving) {
      moving = false;
      for (const tile of list) {
        const fade = !tile.known ? 0 : tile.gone ? 0.16 : 1;
        const still =
          Math.abs(tile.toX - tile.x) + Math.abs(tile.toY - tile.y) + Math.abs(tile.toSize - tile.size) < 0.3 &&
          Math.abs(fade - tile.fade) < 0.01;
        if (still) {
          if (tile.x !== tile.toX || tile.y !== tile.toY || tile.size !== tile.toSize || tile.fade !== fade) all = true;
          Object.assign(tile, { x: tile.toX, y: tile.toY, size: tile.toSize, fade });
          continue;
        }
        tile.x += (tile.toX - tile.x) * share;
        tile.y += (tile.toY - tile.y) * share;
        tile.size += (tile.toSize - tile.size) * share;
        tile.fade += (fade - tile.fade) * share;
        moving = all = true;
      }
    }
    if (all)
      tiles.draw(
        list.filter((tile) => tile.known),
        true,
      );
    else if (changed.size)
      tiles.draw(
        [...changed].map((id) => list[id]),
        false,
      );
    all = false;
    changed.clear();
    for (const name of ['best', 'hot']) place(ring[name], map[name]);
    return moving;
  };
  function place(node, id) {
    const tile = id === null ? null : list[id];
    node.hidden = !tile || tile.x === null;
    if (!tile) return;
    node.style.transform = `translate(${tile.x}px, ${tile.y}px)`;
    node.style.width = node.style.height = `${tile.size}px`;
  }
  map.redraw = () => {
    if (!tiles) return;
    const palette = map.regression
      ? Array.from({ length: 256 }, (_, k) => rangeColour(k / 255))
      : Array.from({ length: 255 }, (_, k) => rgb(classColour(k)));
    tiles.colours({ palette, paper: look.paper, ground: rgb(look.panel), alarm: rgb(look.alarm) });
    drawLabels();
    all = true;
  };
  map.relabel = () => {
    node.setAttribute('aria-label', t('many_tiles'));
    drawLabels();
    tell();
  };

  // ---- pointer and keys

  const under = (event) => {
    const box = node.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    return (
      list.find((tile) => x >= tile.x && x < tile.x + tile.size + 1 && y >= tile.y && y < tile.y + tile.size + 1)?.id ??
      null
    );
  };
  function tell() {
    const id = map.hot ?? map.best ?? order[0];
    setText(option, id === undefined ? t('many_tiles') : describe(id));
    option.setAttribute('aria-setsize', list.length);
    option.setAttribute('aria-posinset', (map.mode === 'ranked' ? order.indexOf(id) : (id ?? 0)) + 1);
  }
  function touch(id, event = null) {
    map.hot = id;
    place(ring.hot, id);
    point(id, event);
  }
  node.addEventListener('pointermove', (event) => {
    inside = true;
    touch(under(event), event);
  });
  node.addEventListener('pointerleave', (event) => {
    inside = false;
    touch(null, event);
  });
  node.addEventListener('pointerup', (event) => {
    if (event.pointerType !== 'mouse') inside = false;
  });
  node.addEventListener('click', (event) => {
    const id = under(event);
    if (id !== null) enlarge(id);
  });
  node.addEventListener('focus', () => {
    if (map.hot === null && list.length && node.matches(':focus-visible')) touch(map.best ?? order[0]);
    tell();
  });
  node.addEventListener('blur', () => {
    if (!inside) touch(null);
  });
  node.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && map.hot !== null) enlarge(map.hot);
    else if (event.key.startsWith('Arrow') || event.key === 'Home' || event.key === 'End') move(event.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  /** To the neighbour in a direction: in the map by its place, across panels too; in the order by one or by a line. */
  function move(key) {
    const from = list[map.hot ?? map.best ?? 0];
    if (key === 'Home' || key === 'End')
      touch(map.mode === 'ranked' ? order.at(key === 'Home' ? 0 : -1) : key === 'Home' ? 0 : list.length - 1);
    else if (map.mode === 'ranked') {
      const place =
        order.indexOf(from.id) + { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid.columns, ArrowDown: grid.columns }[key];
      if (place >= 0 && place < order.length) touch(order[place]);
    } else {
      const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
      let found = null;
      let least = Infinity;
      for (const tile of list) {
        const along = (tile.toX - from.toX) * dx + (tile.toY - from.toY) * dy;
        const beside = Math.abs((tile.toX - from.toX) * dy) + Math.abs((tile.toY - from.toY) * dx);
        if (along > 0.5 && beside < from.size * 0.6 && along < least) {
          least = along;
          found = tile;
        }
      }
      if (found) touch(found.id);
    }
    tell();
  }
  /** Where a tile stands on the screen. */
  map.boxOf = (id) => {
    const box = node.getBoundingClientRect();
    const tile = list[id];
    return { clientX: box.left + tile.x + tile.size, clientY: box.top + tile.y + tile.size };
  };

  const resize = new ResizeObserver(() => {
    const { clientWidth: width, clientHeight: height } = node;
    if (!width || !height || (width === size[0] && height === size[1])) return;
    size = [width, height];
    tiles?.resize(width, height);
    for (const tile of list) tile.x = null;
    arrange();
  });
  resize.observe(node);
  map.close = () => {
    resize.disconnect();
    tiles?.close();
  };
  map.relabel();
  return map;
}

/** A setting's value as it is read. */
export function valueText(name, value) {
  if (name === 'hidden') return value.join('-');
  return typeof value === 'number' ? num(value, 3) : value === 'full' ? t('many_full') : String(value);
}

/** A round value in few letters. */
const powerText = (value) => (value >= 1e5 ? localised(value.toExponential().replace('e+', 'e')) : num(value, 3));

/**
 * [place, text] of an axis's names, so many as there is room for: round numbers where values lie by their logarithms.
 */
export function ticksOf(name, values, room) {
  const last = values.length - 1;
  const { scale } = AXES[name];
  if (scale === 'log' && last > 3) {
    const [low, high] = [Math.log10(values[0]), Math.log10(values[last])];
    const every = Math.max(1, Math.ceil((high - low) / room));
    const found = [];
    for (let e = Math.ceil(low - 1e-6); e <= high + 1e-6; e += every)
      found.push([((e - low) / (high - low)) * last, powerText(10 ** e)]);
    if (found.length > 1) return found;
  }
  const every = Math.max(1, Math.ceil(values.length / room));
  return values.flatMap((value, k) => (k % every === 0 ? [[k, valueText(name, value)]] : []));
}
