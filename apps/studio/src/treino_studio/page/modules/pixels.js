/** Grids of numbers as pixels: classes by colour, signed values, a range of values; and lines between classes. */

import { classColour, look, rgb } from './theme.js';

/** A picture of so many pixels to be painted and then drawn at any size. */
export function makePixels(width, height) {
  const canvas = new OffscreenCanvas(width, height);
  return { canvas, context: canvas.getContext('2d'), image: new ImageData(width, height), width, height };
}

/** The same picture where its size still fits, else a new one. */
export const sizedPixels = (old, width, height) =>
  old?.width === width && old.height === height ? old : makePixels(width, height);

/** Paint rows that come from the lowest on: colour(i) → [red, green, blue] of value i, share(i) how much of it. */
function paint(pixels, colour, share, fromTop = false) {
  const { width, height, image, context } = pixels;
  const { data } = image;
  const { paper } = look;
  for (let y = 0, i = 0; y < height; y++) {
    let at = 4 * (fromTop ? y : height - 1 - y) * width;
    for (let x = 0; x < width; x++, i++, at += 4) {
      const ink = colour(i);
      const s = share(i);
      data[at] = paper[0] + (ink[0] - paper[0]) * s;
      data[at + 1] = paper[1] + (ink[1] - paper[1]) * s;
      data[at + 2] = paper[2] + (ink[2] - paper[2]) * s;
      data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}

/** Each class in its colour, paler where its lead over the second is small. margin: 255 × the lead's root. */
export function paintClasses(pixels, winner, margin, strength = 0.5) {
  const colours = [];
  const colourOf = (k) => {
    colours[k] ??= rgb(classColour(k));
    return colours[k];
  };
  const none = rgb(look.ghost);
  const top = winner.BYTES_PER_ELEMENT === 1 ? 255 : 65535;
  paint(
    pixels,
    (i) => (winner[i] === top ? none : colourOf(winner[i])),
    (i) => strength * (0.1 + 0.9 * Math.min(1, 1.15 * (margin[i] / 255) ** 2)),
  );
}

/**
 * Bytes around 128 (0): blue above, orange below. fromTop: of an image, whose first row is the upper one. root:
 * the exponent of a value's share of the colour; below 1, small values are seen beside large ones.
 */
export function paintSigned(pixels, bytes, start = 0, fromTop = false, root = 1) {
  const { overRGB, underRGB } = look;
  paint(
    pixels,
    (i) => (bytes[start + i] >= 128 ? overRGB : underRGB),
    (i) => (Math.abs(bytes[start + i] - 128) / 127) ** root,
    fromTop,
  );
}

/** A picture as it is, or weights around grey: planes of bytes, one of grey or three of colour. */
export function paintPlanes(pixels, bytes, start, channels) {
  const { width, height, image, context } = pixels;
  const size = width * height;
  const step = channels === 3 ? size : 0;
  for (let i = 0; i < size; i++) {
    const at = start + i;
    image.data.set([bytes[at], bytes[at + step], bytes[at + 2 * step], 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

/** Draw a picture of so many pixels into a box, as large as it fits, each pixel as a square; → its own box. */
export function drawFitted(context, { canvas, width, height }, x, y, w, h) {
  const scale = Math.min(w / width, h / height);
  const across = width * scale;
  const down = height * scale;
  const box = { x: x + (w - across) / 2, y: y + (h - down) / 2, w: across, h: down };
  context.imageSmoothingEnabled = scale * (window.devicePixelRatio || 1) < 1;
  context.drawImage(canvas, box.x, box.y, box.w, box.h);
  return box;
}

/** Bytes from 0 to 255 as shares of one colour. */
export function paintShares(pixels, bytes, start, colour) {
  const ink = rgb(colour);
  paint(
    pixels,
    () => ink,
    (i) => (0.92 * bytes[start + i]) / 255,
  );
}

const LOW = [59, 42, 120];
const MIDDLE = [31, 138, 140];
const HIGH = [240, 194, 48];

/** The colour of a share of a range of values, dark blue through green to yellow. */
export function rangeColour(share) {
  const s = Math.min(1, Math.max(0, share));
  const [a, b, k] = s < 0.5 ? [LOW, MIDDLE, 2 * s] : [MIDDLE, HIGH, 2 * s - 1];
  return a.map((v, i) => Math.round(v + (b[i] - v) * k));
}

export function paintRange(pixels, values, low, high) {
  const table = Array.from({ length: 256 }, (_, k) => rangeColour(k / 255));
  const none = rgb(look.ghost);
  paint(
    pixels,
    (i) =>
      Number.isFinite(values[i])
        ? table[Math.round(255 * Math.min(1, Math.max(0, (values[i] - low) / (high - low || 1))))]
        : none,
    () => 0.85,
  );
}

/** The lead of the winner, as a byte's root, where the server sends shares alone. */
export function marginOf(frame, prefix = '') {
  const margin = frame.parts[`${prefix}margin`];
  return (margin ?? frame.parts[`${prefix}share`])?.data;
}

/**
 * Draw the lines where the winning class changes, over a box of so many pixels: where the lead is zero between
 * two cells. dashed: cells are left out, for a canvas would begin its dashes anew in each cell.
 */
export function strokeContour(context, winner, margin, [rows, columns], width, height, dashed = false) {
  const lead = (i) => margin[i] * margin[i] + 1e-3;
  const every = columns > 60 ? 4 : 3;
  const cut = [];
  const across = (x) => ((x + 0.5) / columns) * width;
  const down = (y) => height - ((y + 0.5) / rows) * height;
  context.beginPath();
  for (let y = 0; y + 1 < rows; y++)
    for (let x = 0; x + 1 < columns; x++) {
      const a = y * columns + x;
      const corners = [a, a + 1, a + columns + 1, a + columns];
      const w = winner[a];
      if (winner[a + 1] === w && winner[a + columns] === w && winner[a + columns + 1] === w) continue;
      cut.length = 0;
      for (let k = 0; k < 4; k++) {
        const u = corners[k];
        const v = corners[(k + 1) & 3];
        if (winner[u] === winner[v]) continue;
        const t = lead(u) / (lead(u) + lead(v));
        const ux = u % columns;
        const uy = (u / columns) | 0;
        cut.push([across(ux + ((v % columns) - ux) * t), down(uy + (((v / columns) | 0) - uy) * t)]);
      }
      const flat = Math.abs(cut[0][0] - cut.at(-1)[0]) > Math.abs(cut[0][1] - cut.at(-1)[1]);
      if (dashed && (flat ? x : y) % every >= every / 2) continue;
      if (cut.length === 2) {
        context.moveTo(...cut[0]);
        context.lineTo(...cut[1]);
        continue;
      }
      const mx = cut.reduce((sum, c) => sum + c[0], 0) / cut.length;
      const my = cut.reduce((sum, c) => sum + c[1], 0) / cut.length;
      for (const c of cut) {
        context.moveTo(...c);
        context.lineTo(mx, my);
      }
    }
  context.stroke();
}
