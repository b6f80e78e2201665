/**
 * Thousands of small pictures on one canvas: by WebGL, which does the colours, or by a 2D context where there is none.
 *
 * A tile's picture is [cells cells 2] bytes, the lowest row first: the winning class and the root of its lead, or, of
 * one output, 0 and its value; a first byte of 255 is no number. Pictures lie in slots, of which COLUMN stand above
 * each other in the atlas, so that neighbouring slots go there in one go.
 */

export const COLUMN = 32;
const EACH = 6; // numbers of an instance: x, y, size (CSS pixels), slot, lost (1: diverged), fade (1: not at all)
const STRENGTH = 0.72; // of a class's colour where its lead is full

/** cells of a tile's side that are enough for so many networks. */
export const cellsFor = (count) => (count <= 64 ? 48 : count <= 256 ? 32 : count <= 1024 ? 24 : 16);

/**
 * slots: how many. regression: values instead of classes. gl: 'any' takes a software renderer, too,
 * which is slower than the 2D context; false: only the 2D context.
 * → {kind, canvas, resize(width, height), colours({palette, paper, ground, alarm}), put(slots, bytes), draw(tiles,
 * clear), close}
 *
 * @param {HTMLElement} host
 * @param {{ cells: number, slots: number, regression?: boolean, gl?: boolean | 'any' }} how
 */
export function makeTiles(host, { cells, slots, regression = false, gl = true }) {
  const columns = Math.ceil(slots / COLUMN);
  const atlas = {
    cells,
    columns,
    width: columns * cells,
    height: COLUMN * cells,
    pixels: new Uint8Array(2 * columns * COLUMN * cells * cells),
  };
  let colours = null;
  let size = [1, 1];
  let painter = null;
  const tiles = { kind: '2d', canvas: null };

  function open(painterOf) {
    const canvas = document.createElement('canvas');
    painter = painterOf(canvas, atlas, regression);
    if (!painter) return false;
    tiles.canvas?.remove();
    tiles.canvas = canvas;
    tiles.kind = painter.kind;
    canvas.setAttribute('aria-hidden', 'true');
    host.prepend(canvas);
    tiles.resize(...size);
    if (colours) tiles.colours(colours);
    for (let slot = 0; slot < slots; slot++)
      painter.put(slot, 1, atlas.pixels.subarray(2 * slot * cells * cells, 2 * (slot + 1) * cells * cells));
    return true;
  }
  tiles.resize = (width, height) => {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    size = [width, height];
    tiles.canvas.width = Math.max(1, Math.round(width * ratio));
    tiles.canvas.height = Math.max(1, Math.round(height * ratio));
    painter.resize(width, height, ratio);
  };
  tiles.colours = (next) => {
    colours = next;
    painter.colours(next);
  };
  /** The pictures of these slots, one after the other. */
  tiles.put = (list, buffer) => {
    const bytes = new Uint8Array(buffer);
    const each = 2 * cells * cells;
    for (let first = 0; first < list.length; ) {
      let count = 1;
      while (list[first + count] === list[first] + count && (list[first] + count) % COLUMN) count++;
      const some = bytes.subarray(first * each, (first + count) * each);
      atlas.pixels.set(some, list[first] * each); // a context that is lost is filled again from here
      painter.put(list[first], count, some);
      first += count;
    }
  };
  /** tiles: [{x, y, size, slot, lost, fade}]. clear: everything else goes. */
  tiles.draw = (list, clear) => painter.draw(list, clear);
  tiles.close = () => {
    painter.close();
    tiles.canvas.remove();
  };
  /** A graphics card that goes away takes its context along: from then on the 2D context draws. */
  function lost(event) {
    event.preventDefault();
    open(flatPainter);
    tiles.changed?.();
  }
  if (!gl || !open((canvas, ...rest) => glPainter(canvas, ...rest, lost, gl === 'any'))) open(flatPainter);
  return tiles;
}

// ---- WebGL

const VERTEX = `#version 300 es
in vec2 corner; in vec3 box; in vec3 state;
uniform vec2 screen;
out vec2 at; flat out vec3 how; flat out float side;
void main() {
  vec2 place = (box.xy + corner * box.z) / screen;
  gl_Position = vec4(2.0 * place.x - 1.0, 1.0 - 2.0 * place.y, 0, 1);
  at = vec2(corner.x, 1.0 - corner.y), how = state, side = box.z;
}`;
// Between four cells, the lead of each class is what the cells that it wins give it: lines between classes stay sharp.
const FRAGMENT = `#version 300 es
precision highp float; precision highp int;
in vec2 at; flat in vec3 how; flat in float side;
uniform sampler2D atlas, palette; uniform int cells; uniform bool values;
uniform vec3 paper, ground, alarm; uniform float strength;
out vec4 colour;
void main() {
  int slot = int(how.x + 0.5);
  ivec2 first = ivec2(slot / ${COLUMN}, slot % ${COLUMN}) * cells;
  vec2 place = at * float(cells) - 0.5, low = floor(place), part = place - low;
  vec2 cell[4]; float weight[4];
  for (int k = 0; k < 4; k++) {
    ivec2 step = ivec2(k & 1, k >> 1);
    cell[k] = texelFetch(atlas, first + clamp(ivec2(low) + step, ivec2(0), ivec2(cells - 1)), 0).rg * 255.0;
    vec2 w = mix(1.0 - part, part, vec2(step));
    weight[k] = w.x * w.y;
  }
  vec3 c;
  bool none = how.y > 0.5 || cell[0].r > 254.5;
  if (values) {
    float value = 0.0;
    for (int k = 0; k < 4; k++) value += weight[k] * cell[k].g;
    c = mix(paper, texelFetch(palette, ivec2(int(value + 0.5), 0), 0).rgb, 0.88);
  } else {
    float top = -1.0, second = 0.0; int winner = 0;
    for (int k = 0; k < 4; k++) {
      float sum = 0.0; bool seen = false;
      for (int j = 0; j < 4; j++) if (cell[j].r == cell[k].r) {
        float root = cell[j].g / 255.0;
        sum += weight[j] * root * root;
        if (j < k) seen = true;
      }
      if (seen) continue;
      if (sum > top) second = max(second, top), top = sum, winner = int(cell[k].r + 0.5);
      else second = max(second, sum);
    }
    float lead = 0.1 + 0.9 * min(1.0, 1.15 * (top - second));
    c = mix(paper, texelFetch(palette, ivec2(winner, 0), 0).rgb, strength * lead);
  }
  if (none) {
    float cross = min(abs(at.x - at.y), abs(at.x + at.y - 1.0)), inner = max(abs(at.x - 0.5), abs(at.y - 0.5));
    c = mix(paper, alarm, cross * side < max(1.0, side * 0.05) && inner < 0.34 ? 0.9 : 0.08);
  }
  vec2 corner = abs(at - 0.5) * side - (0.5 * side - min(4.0, 0.12 * side));
  float out_ = length(max(corner, 0.0)) - min(4.0, 0.12 * side);
  float alpha = clamp(0.5 - out_, 0.0, 1.0);
  colour = vec4(mix(ground, c, how.z) * alpha, alpha);
}`;

/** Some browsers don't count their own software renderer as a caveat. */
function isSoftware(gl) {
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(
    gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER),
  );
}

function glPainter(canvas, atlas, regression, lost, any) {
  const gl = canvas.getContext('webgl2', {
    preserveDrawingBuffer: true,
    antialias: false,
    depth: false,
    failIfMajorPerformanceCaveat: !any,
  });
  if (!gl || (!any && isSoftware(gl)) || gl.getParameter(gl.MAX_TEXTURE_SIZE) < Math.max(atlas.width, atlas.height))
    return null;
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  canvas.addEventListener('webglcontextlost', lost);
  const uniform = (name) => gl.getUniformLocation(program, name);
  const texture = (unit, name, format, internal, width, height, data) => {
    gl.activeTexture(gl.TEXTURE0 + unit);
    const made = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, made);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
    gl.texImage2D(gl.TEXTURE_2D, 0, internal, width, height, 0, format, gl.UNSIGNED_BYTE, data);
    gl.uniform1i(uniform(name), unit);
  };
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  texture(0, 'atlas', gl.RG, gl.RG8, atlas.width, atlas.height, null);
  texture(1, 'palette', gl.RGBA, gl.RGBA8, 256, 1, null);
  gl.uniform1i(uniform('cells'), atlas.cells);
  gl.uniform1i(uniform('values'), +regression);
  gl.uniform1f(uniform('strength'), STRENGTH);
  const attribute = (name, length, data, stride, offset, divisor, buffer = gl.createBuffer()) => {
    const at = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    if (data) gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, length, gl.FLOAT, false, stride, offset);
    gl.vertexAttribDivisor(at, divisor);
    return buffer;
  };
  attribute('corner', 2, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), 0, 0, 0);
  const instances = attribute('box', 3, null, 4 * EACH, 0, 1);
  attribute('state', 3, null, 4 * EACH, 12, 1, instances);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  gl.clearColor(0, 0, 0, 0);
  let numbers = new Float32Array(EACH * 64);
  return {
    kind: 'webgl',
    resize(width, height) {
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.uniform2f(uniform('screen'), width, height);
    },
    colours({ palette, paper, ground, alarm }) {
      const table = new Uint8Array(1024).fill(255);
      palette.slice(0, 256).forEach((rgb, k) => table.set(rgb, 4 * k));
      gl.activeTexture(gl.TEXTURE1);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, 256, 1, gl.RGBA, gl.UNSIGNED_BYTE, table);
      for (const [name, rgb] of Object.entries({ paper, ground, alarm }))
        gl.uniform3fv(
          uniform(name),
          rgb.map((v) => v / 255),
        );
    },
    put(slot, count, bytes) {
      gl.activeTexture(gl.TEXTURE0);
      gl.texSubImage2D(
        gl.TEXTURE_2D,
        0,
        Math.floor(slot / COLUMN) * atlas.cells,
        (slot % COLUMN) * atlas.cells,
        atlas.cells,
        count * atlas.cells,
        gl.RG,
        gl.UNSIGNED_BYTE,
        bytes,
      );
    },
    draw(list, clear) {
      if (clear) gl.clear(gl.COLOR_BUFFER_BIT);
      if (!list.length) return;
      if (numbers.length < EACH * list.length) numbers = new Float32Array(EACH * list.length);
      list.forEach((tile, i) => {
        const at = EACH * i;
        numbers[at] = tile.x;
        numbers[at + 1] = tile.y;
        numbers[at + 2] = tile.size;
        numbers[at + 3] = tile.slot;
        numbers[at + 4] = +tile.lost;
        numbers[at + 5] = tile.fade;
      });
      gl.bindBuffer(gl.ARRAY_BUFFER, instances);
      gl.bufferData(gl.ARRAY_BUFFER, numbers.subarray(0, EACH * list.length), gl.STREAM_DRAW);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, list.length);
    },
    close() {
      canvas.removeEventListener('webglcontextlost', lost);
      gl.getExtension('WEBGL_lose_context')?.loseContext();
    },
  };
}

// ---- 2D

function flatPainter(canvas, atlas, regression) {
  const { cells } = atlas;
  const context = canvas.getContext('2d');
  const sheet = new OffscreenCanvas(atlas.width, atlas.height);
  const ink = sheet.getContext('2d');
  const table = new Uint32Array(65536); // the colour of each pair of bytes
  let look = null;
  let ratio = 1;
  const sharp = (value) => Math.round(value * ratio) / ratio; // whole pixels: else edges shine through
  const paint = (slot, count, bytes) => {
    const image = new ImageData(cells, count * cells);
    const pixels = new Uint32Array(image.data.buffer);
    for (let tile = 0, i = 0; tile < count; tile++)
      for (let y = 0; y < cells; y++) {
        // a canvas has its highest row first
        let at = (tile * cells + cells - 1 - y) * cells;
        for (let x = 0; x < cells; x++, i += 2) pixels[at++] = table[bytes[i] | (bytes[i + 1] << 8)];
      }
    ink.putImageData(image, Math.floor(slot / COLUMN) * cells, (slot % COLUMN) * cells);
  };
  return {
    kind: '2d',
    resize(_width, _height, itsRatio) {
      ratio = itsRatio;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
    },
    colours({ palette, paper, ground, alarm }) {
      const mix = (rgb, share) =>
        rgb.reduce((word, v, k) => word | (Math.round(paper[k] + (v - paper[k]) * share) << (8 * k)), 0xff000000) >>> 0;
      for (let second = 0; second < 256; second++)
        for (let winner = 0; winner < 256; winner++)
          table[winner | (second << 8)] =
            winner === 255
              ? mix(paper, 1)
              : regression
                ? mix(palette[second], 0.88)
                : mix(palette[winner] ?? palette[0], STRENGTH * (0.1 + 0.9 * Math.min(1, 1.15 * (second / 255) ** 2)));
      look = { ground: `rgb(${ground})`, alarm: `rgb(${alarm})`, paper: `rgb(${paper})` };
      const each = 2 * cells * cells;
      for (let slot = 0; slot < atlas.columns * COLUMN; slot++)
        paint(slot, 1, atlas.pixels.subarray(slot * each, (slot + 1) * each));
    },
    put: (slot, count, bytes) => {
      if (look) paint(slot, count, bytes);
    },
    draw(list, clear) {
      if (clear) context.clearRect(0, 0, canvas.width, canvas.height);
      context.imageSmoothingEnabled = true;
      for (const { x: left, y: top, size: side, slot, lost, fade } of list) {
        const x = sharp(left);
        const y = sharp(top);
        const size = sharp(left + side) - x;
        if (lost) cross(x, y, size);
        else
          context.drawImage(
            sheet,
            Math.floor(slot / COLUMN) * cells,
            (slot % COLUMN) * cells,
            cells,
            cells,
            x,
            y,
            size,
            size,
          );
        if (fade === 1) continue;
        context.globalAlpha = 1 - fade;
        context.fillStyle = look.ground;
        context.fillRect(x, y, size, size);
        context.globalAlpha = 1;
      }
    },
    close() {},
  };
  function cross(x, y, size) {
    context.fillStyle = look.paper;
    context.fillRect(x, y, size, size);
    context.globalAlpha = 0.08;
    context.fillStyle = context.strokeStyle = look.alarm;
    context.fillRect(x, y, size, size);
    context.globalAlpha = 0.9;
    context.lineWidth = Math.max(1, size * 0.07);
    context.beginPath();
    for (const [from, to] of [
      [0.2, 0.8],
      [0.8, 0.2],
    ]) {
      context.moveTo(x + 0.2 * size, y + from * size);
      context.lineTo(x + 0.8 * size, y + to * size);
    }
    context.stroke();
    context.globalAlpha = 1;
  }
}
