/** A picture of one's own: drawn with mouse, finger or keys, or a file; the network answers while it is drawn. */

import { $, el, pointIn, setText } from './dom.js';
import { clamp, fixed, num } from './numbers.js';
import { classColour } from './theme.js';
import { t } from './words.js';

const PAD = 280; // pixels of the pad's longer side, at least
// share of the side that a centred drawing fills, and the pen's width of it
const MNIST = { box: 20 / 28, stroke: 0.075 };
const FILLING = { box: 1, stroke: 0.13 }; // scikit-learn's digits fill their square
const CENTRED = { mnist: MNIST, digits: FILLING }; // data whose pictures are centred by their makers
const PACE = 25; // milliseconds between two pictures, at least
const LISTED = 10; // classes with their probabilities

/**
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeSketch(page) {
  const pad = $('#sketch-pad');
  const ink = pad.getContext('2d', { willReadFrequently: true });
  const centred = $('#sketch-centred');
  const file = $('#sketch-file');
  let way = MNIST;
  let pictures = null;
  let pen = null;
  let restored = false;
  let said = null;
  let sent = 0;
  let cursor = null;
  let down = false;

  /** Send the picture as it is now, never faster than the pace and one at a time. */
  const send = page.throttled(async () => {
    restored = true;
    await new Promise((done) => {
      setTimeout(done, sent + PACE - performance.now());
    });
    await page.command('draw', { pixels: base64(pixelsOf(pad, pictures, centred.checked && way)) });
    sent = performance.now();
  });

  function update({ state }) {
    const { channels, width, height } = state.data.pictures ?? {};
    if (!width) return;
    const same = pictures?.width === width && pictures.height === height && pictures.channels === channels;
    if (!same) {
      pictures = state.data.pictures;
      centred.checked = Object.hasOwn(CENTRED, state.data.name);
      way = CENTRED[state.data.name] ?? MNIST;
      const scale = Math.max(1, Math.ceil(PAD / Math.max(width, height)));
      Object.assign(pad, { width: width * scale, height: height * scale });
      pad.style.aspectRatio = `${width} / ${height}`;
      clear(false);
    }
    const grey = channels !== 3;
    pad.tabIndex = grey && state.steers ? 0 : -1;
    pad.setAttribute('role', grey ? 'application' : 'img');
    pad.setAttribute('aria-label', t(grey ? 'sketch_pad' : 'your_picture'));
    $('#sketch-clear').hidden = $('#sketch-centre').hidden = !grey;
    for (const field of [$('#sketch-clear'), centred, file]) field.disabled = !state.steers;
    setText($('#sketch-centre span'), t(way.box < 1 ? 'sketch_centred' : 'sketch_centred_whole'));
    setText(
      $('#sketch-note'),
      t(!grey ? 'sketch_note_file' : way.box < 1 ? 'sketch_note' : 'sketch_note_whole', { width, height }),
    );
  }

  const paper = () => (pictures.paper ? '#fff' : '#000');

  function clear(telling = true) {
    ink.fillStyle = paper();
    ink.fillRect(0, 0, pad.width, pad.height);
    cursor = null;
    if (telling) send();
  }

  function stroke(/** @type {number[]} */ [x0, y0], /** @type {number[]} */ [x1, y1]) {
    ink.strokeStyle = pictures.paper ? '#000' : '#fff';
    ink.lineCap = ink.lineJoin = 'round';
    ink.lineWidth = way.stroke * Math.max(pad.width, pad.height);
    ink.beginPath();
    ink.moveTo(x0, y0);
    ink.lineTo(x1, y1);
    ink.stroke();
    send();
  }

  const able = () => pictures && pictures.channels !== 3 && page.store.state?.steers;
  const inPad = (event) => {
    const [x, y] = pointIn(event);
    return [(x / pad.clientWidth) * pad.width, (y / pad.clientHeight) * pad.height];
  };
  pad.addEventListener('pointerdown', (event) => {
    if (!able() || event.button) return;
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    pen = inPad(event);
    stroke(pen, pen);
  });
  pad.addEventListener('pointermove', (event) => {
    if (!pen) return;
    const to = inPad(event);
    stroke(pen, to);
    pen = to;
  });
  for (const end of ['pointerup', 'pointercancel'])
    pad.addEventListener(end, () => {
      pen = null;
    });

  /** Arrows move the pen, space puts it down and lifts it, Delete clears. */
  pad.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!able() || !(step || event.key === ' ' || event.key === 'Delete' || event.key === 'Backspace')) return;
    event.preventDefault();
    event.stopPropagation();
    const far = Math.max(pad.width, pad.height) / 28;
    const from = cursor ?? [pad.width / 2, pad.height / 2];
    if (event.key === ' ') down = !down;
    else if (!step) return clear();
    cursor = step
      ? [clamp(from[0] + step[0] * far, 0, pad.width), clamp(from[1] + step[1] * far, 0, pad.height)]
      : from;
    if (down) stroke(from, cursor);
    place();
  });
  pad.addEventListener('blur', () => {
    down = false;
    place();
  });
  pad.addEventListener('focus', place);

  /** The pen of the keyboard, where it is. */
  function place() {
    const mark = $('#sketch-pen');
    const shown = document.activeElement === pad && pad.matches(':focus-visible') && cursor;
    mark.hidden = !shown;
    mark.classList.toggle('down', down);
    if (!shown) return;
    mark.style.left = `${pad.offsetLeft + (cursor[0] / pad.width) * pad.clientWidth}px`;
    mark.style.top = `${pad.offsetTop + (cursor[1] / pad.height) * pad.clientHeight}px`;
  }

  $('#sketch-clear').addEventListener('click', () => clear());
  centred.addEventListener('change', send);
  file.addEventListener('change', () => open(file.files[0]));
  for (const kind of ['dragover', 'drop'])
    $('#sketch').addEventListener(kind, (event) => {
      event.preventDefault();
      if (kind === 'drop' && page.store.state?.steers) open(event.dataTransfer.files[0]);
    });

  /** Bring a picture from a file to the run's size, and send it. */
  async function open(chosen) {
    if (!chosen || !pictures) return;
    file.value = '';
    try {
      const bitmap = await createImageBitmap(chosen);
      show(await fitted(bitmap, pictures));
      bitmap.close();
    } catch {
      return page.say(t('picture_unreadable', { name: chosen.name }), 'warning');
    }
    centred.checked = false;
    send();
  }

  /** What the network says of it, and, after a reload, the picture that was drawn before. */
  function draw({ frame, state }) {
    const { picture, parts } = frame;
    const own = picture.split == null;
    if (own && !restored && pictures) restore(parts.picture);
    if (own) restored = true;
    const { classes } = state.data;
    const answer = parts.answer.data;
    const list = $('#sketch-answer');
    if (!own) {
      list.replaceChildren();
      said = null;
      return;
    }
    const ranked = classes?.length
      ? [...answer.keys()]
          .slice(0, answer.length)
          .sort((a, b) => (answer.length > LISTED ? answer[b] - answer[a] : a - b))
          .slice(0, LISTED)
      : [0];
    if (list.children.length !== ranked.length)
      list.replaceChildren(...ranked.map(() => el('li', {}, el('span', {}), el('i', {}), el('b', {}))));
    const known = !answer.some(Number.isNaN);
    const best = known ? ranked.reduce((top, k) => (answer[k] > answer[top] ? k : top), ranked[0]) : -1;
    ranked.forEach((k, n) => {
      const [name, bar, figure] = list.children[n].children;
      setText(name, classes?.length ? classes[k] : state.data.target);
      setText(figure, classes?.length ? fixed(answer[k], 2) : num(answer[0]));
      bar.style.width = classes?.length ? `${100 * clamp(answer[k], 0, 1)}%` : '0';
      bar.style.background = classColour(k);
      list.children[n].classList.toggle('best', k === best && Boolean(classes?.length));
    });
    if (!classes?.length || said === best) return;
    said = best;
    const says = () => t('says_class', { value: classes[best], share: fixed(answer[best], 2) });
    setText($('#sketch-says'), known ? says() : t('no_answer'));
  }

  function restore({ data, shape: [channels, rows, columns] }) {
    const image = new ImageData(columns, rows);
    const size = rows * columns;
    const step = channels === 3 ? size : 0;
    for (let i = 0; i < size; i++) image.data.set([data[i], data[i + step], data[i + 2 * step], 255], 4 * i);
    const small = new OffscreenCanvas(columns, rows);
    small.getContext('2d').putImageData(image, 0, 0);
    show(small);
  }

  /** A picture of the run's size on the pad, each pixel as a square. */
  function show(small) {
    ink.imageSmoothingEnabled = false;
    ink.drawImage(small, 0, 0, pad.width, pad.height);
  }
  return { draw, update };
}

/** A picture at the run's size by the run's rule: the middle cut out, all of it on paper, or stretched. */
async function fitted(bitmap, { width, height, fit, paper }) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  const ratios = [width / bitmap.width, height / bitmap.height];
  const [x, y] = fit === 'stretch' ? ratios : Array(2).fill(fit === 'pad' ? Math.min(...ratios) : Math.max(...ratios));
  const across = Math.max(1, Math.round(Math.min(bitmap.width, width / x)));
  const down = Math.max(1, Math.round(Math.min(bitmap.height, height / y))); // what is seen of it
  const cut = await createImageBitmap(
    bitmap,
    Math.round((bitmap.width - across) / 2),
    Math.round((bitmap.height - down) / 2),
    across,
    down,
  ); // what lies beside it must not shine in
  context.fillStyle = paper ? '#fff' : '#000';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(cut, (width - across * x) / 2, (height - down * y) / 2, across * x, down * y);
  cut.close();
  return canvas;
}

/** The pad as the run's pixels, planes of bytes: each pixel is the mean of the square that it stands for. */
function pixelsOf(pad, { width, height, channels, paper }, centre) {
  const source = centre && channels !== 3 ? centredOf(pad, paper, centre) : pad;
  const scale = pad.width / width;
  const { data } = source.getContext('2d').getImageData(0, 0, pad.width, pad.height);
  const planes = channels === 3 ? 3 : 1;
  const size = width * height;
  const sums = new Float64Array(planes * size);
  for (let y = 0; y < pad.height; y++)
    for (let x = 0; x < pad.width; x++) {
      const from = 4 * (y * pad.width + x);
      const to = Math.floor(y / scale) * width + Math.floor(x / scale);
      if (planes === 3) for (let c = 0; c < 3; c++) sums[c * size + to] += data[from + c];
      else sums[to] += 0.299 * data[from] + 0.587 * data[from + 1] + 0.114 * data[from + 2];
    }
  return Uint8Array.from(sums, (sum) => Math.round(sum / scale ** 2));
}

/**
 * The drawing as its data were made: as MNIST scaled into a box of 20 of 28 pixels, its centre of mass in the middle;
 * or filling the square.
 */
function centredOf(pad, paper, { box }) {
  const { width, height } = pad;
  const { data } = pad.getContext('2d').getImageData(0, 0, width, height);
  let mass = 0;
  let sumX = 0;
  let sumY = 0;
  let left = width;
  let right = 0;
  let top = height;
  let bottom = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const weight = Math.abs(data[4 * (y * width + x)] - paper);
      if (weight < 16) continue;
      mass += weight;
      sumX += weight * (x + 0.5);
      sumY += weight * (y + 0.5);
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    }
  if (!mass) return pad;
  const middle = box < 1 ? [sumX / mass, sumY / mass] : [(left + right) / 2, (top + bottom) / 2];
  const scale = (box * Math.min(width, height)) / Math.max(right - left, bottom - top);
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.fillStyle = paper ? '#fff' : '#000';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.setTransform(scale, 0, 0, scale, width / 2 - scale * middle[0], height / 2 - scale * middle[1]);
  context.drawImage(pad, 0, 0);
  return context.canvas;
}

function base64(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
