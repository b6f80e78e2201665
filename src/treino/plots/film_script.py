"""JavaScript and CSS of the film's player."""

STYLE = """
.film { max-width: 46rem; margin: 0 0 1.5rem; }
.film:focus { outline: none; } .film:focus-visible { outline: 2px solid var(--bar); outline-offset: 6px; }
.film canvas { display: block; width: 100%; height: auto; }
.film .said { min-height: 4.4em; margin: .2rem 0 2rem; font-size: .95rem; }
.film .said p { margin: 0; font-variant-numeric: tabular-nums; }
.film .said .absent { color: var(--alarm); }
.film .bar { display: flex; align-items: center; gap: .4rem; }
.film button { font: inherit; width: 2.2rem; height: 2.2rem; padding: 0; display: grid; place-items: center;
  color: var(--ink); background: transparent; border: 1px solid var(--faint); border-radius: .4rem; cursor: pointer; }
.film button:hover { border-color: var(--soft); } .film button svg { width: 1rem; height: 1rem; fill: currentColor; }
.film select { font: inherit; height: 2.2rem; color: var(--ink); background: var(--paper);
  border: 1px solid var(--faint); border-radius: .4rem; }
.film .track { flex: 1; position: relative; min-width: 6rem; }
.film .track svg { position: absolute; left: 8px; right: 8px; width: calc(100% - 16px); bottom: 100%; height: 1.7rem;
  overflow: visible; pointer-events: none; }
.film .track svg path { fill: none; stroke: var(--soft); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.film .track svg line { stroke: var(--bar); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.film .track input { width: 100%; margin: 0; accent-color: var(--bar); }
.film .keys { color: var(--soft); font-size: .85rem; margin: .4rem 0 0; }
.film .legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .3rem 0; padding: 0; list-style: none;
  font-size: .9rem; }
.film .legend span { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin-right: .35rem;
  vertical-align: -.05rem; border: 2px solid transparent; box-sizing: border-box; }
.film .legend .nowhere span { background: transparent !important; }
"""  # noqa: E501

SCRIPT = r"""
(function (root) {
  "use strict";
  const film = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  const canvas = root.querySelector("canvas"), pen = canvas.getContext("2d");
  const slider = root.querySelector("input"), play = root.querySelector(".play");
  const speed = root.querySelector("select"), said = root.querySelectorAll(".said p");
  const keys = root.querySelectorAll(".legend [data-class]"), cursor = root.querySelector(".track line");
  const R = film.grid, C = film.classes, frames = film.frames, last = frames.length - 1;
  const rows = film.rows.reduce((n, r) => n + r.x.length, 0);
  const planes = film.kind === "plane" ? C : film.kind === "winner" ? 3 : 0;
  const numbers = film.kind === "fit" ? rows : planes ? 0 : R * Math.max(1, C);
  const size = planes * R * R + 2 * numbers + (C ? rows : 0);
  let bytes = null, at = 0, timer = 0, soft = null;

  function colours() {
    const style = getComputedStyle(root), pick = name => style.getPropertyValue(name).trim();
    return { ink: pick("--ink"), soft: pick("--soft"), faint: pick("--faint"), paper: pick("--paper") };
  }
  function rgb(text) {
    const n = parseInt(text.slice(1), 16);
    return [n >> 16 & 255, n >> 8 & 255, n & 255];
  }
  const inks = film.inks.map(rgb);

  function plane(frame, width, height, look) {
    const from = frame * size, raw = new Uint8Array(planes * R * R);
    for (let i = 0; i < raw.length; i += R) {
      let sum = 0;
      for (let j = 0; j < R; j++) { sum = sum + bytes[from + i + j] & 255; raw[i + j] = sum; }
    }
    const image = new ImageData(width, height), out = image.data, winner = new Int16Array(width * height);
    const sure = new Float32Array(width * height), step = frames[frame].scale / 254;
    const paper = rgb(look.paper), ink = rgb(look.ink), grey = rgb(look.faint);
    for (let y = 0; y < height; y++) {
      const gy = (height - 1 - y) / (height - 1) * (R - 1), y0 = Math.min(R - 2, Math.floor(gy)), fy = gy - y0;
      for (let x = 0; x < width; x++) {
        const gx = x / (width - 1) * (R - 1), x0 = Math.min(R - 2, Math.floor(gx)), fx = gx - x0;
        const p = y0 * R + x0, place = y * width + x;
        if (film.kind === "winner") {
          const near = (fy < .5 ? y0 : y0 + 1) * R + (fx < .5 ? x0 : x0 + 1);
          const number = raw[near] + 256 * raw[R * R + near];
          winner[place] = number === 65535 ? -1 : number;
          sure[place] = raw[2 * R * R + near] / 255;
          continue;
        }
        let best = Infinity, who = -1, total = 0, whole = true;
        for (let c = 0; c < C; c++) {
          const q = c * R * R + p, a = raw[q], b = raw[q + 1], d = raw[q + R], e = raw[q + R + 1];
          if (a === 255 || b === 255 || d === 255 || e === 255) { whole = false; break; }
          const v = ((a * (1 - fx) + b * fx) * (1 - fy) + (d * (1 - fx) + e * fx) * fy) * step;
          if (v < best) { best = v; who = c; }
          total += Math.exp(-v);
        }
        winner[place] = whole ? who : -1;
        sure[place] = C > 1 ? Math.max(0, (Math.exp(-best) / total - 1 / C) / (1 - 1 / C)) : 1;
      }
    }
    for (let i = 0; i < winner.length; i++) {
      const w = winner[i], tint = w < 0 ? grey : inks[w % inks.length], s = w < 0 ? 1 : .10 + .46 * sure[i];
      const edge = i % width < width - 1 && winner[i + 1] !== w || winner[i + width] !== undefined && winner[i + width] !== w;
      for (let k = 0; k < 3; k++) {
        const shade = paper[k] * (1 - s) + tint[k] * s;
        out[4 * i + k] = edge ? shade * .3 + ink[k] * .7 : shade;
      }
      out[4 * i + 3] = 255;
    }
    return image;
  }

  function number(frame, i) {
    const p = frame * size + planes * R * R + 2 * i, n = bytes[p] + 256 * bytes[p + 1];
    return n === 65535 ? NaN : n / 65534 * film.widest + film.lowest;
  }

  function written(v) {
    const [whole, rest] = Number(v.toPrecision(6)).toString().replace("-", "\u2212").split(".");
    const grouped = Math.abs(v) < 1e4 || whole.includes("e") ? whole : whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
    return rest ? grouped + film.point + rest : grouped;
  }

  function ticks(low, high, most) {
    const rough = (high - low) / most, ten = Math.pow(10, Math.floor(Math.log10(rough)));
    const step = [1, 2, 5, 10].map(m => m * ten).find(s => s >= rough), found = [];
    for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step)
      found.push([v, written(v)]);
    return found;
  }

  function draw() {
    if (!bytes) return;
    const look = colours(), ratio = Math.max(1, window.devicePixelRatio || 1);
    const css = root.clientWidth || 640, tall = Math.round(css * .68);
    canvas.width = Math.round(css * ratio); canvas.height = Math.round(tall * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, css, tall);
    const top = 8, high = tall - top - 44;
    pen.font = "12px system-ui, sans-serif";
    const beside = ticks(film.y[0], film.y[1], Math.max(2, high / 50));
    const left = 36 + Math.max(...beside.map(([_v, text]) => pen.measureText(text).width)), wide = css - left - 10;
    if (planes) {
      const fine = C > 4 ? 1 : Math.min(ratio, 2);
      const image = plane(at, Math.round(wide * fine), Math.round(high * fine), look);
      soft = soft || document.createElement("canvas");
      soft.width = image.width; soft.height = image.height;
      soft.getContext("2d").putImageData(image, 0, 0);
      pen.drawImage(soft, left, top, wide, high);
    }
    pen.font = "12px system-ui, sans-serif"; pen.lineWidth = 1;
    pen.strokeStyle = look.faint; pen.fillStyle = look.soft; pen.textAlign = "center"; pen.textBaseline = "top";
    for (const [v, text] of ticks(film.x[0], film.x[1], Math.max(2, wide / 80))) {
      const x = left + (v - film.x[0]) / (film.x[1] - film.x[0]) * wide;
      if (!planes) { pen.beginPath(); pen.moveTo(x, top); pen.lineTo(x, top + high); pen.stroke(); }
      pen.fillText(text, x, top + high + 6);
    }
    pen.textAlign = "right"; pen.textBaseline = "middle";
    for (const [v, text] of beside) {
      const y = top + high - (v - film.y[0]) / (film.y[1] - film.y[0]) * high;
      if (!planes) { pen.beginPath(); pen.moveTo(left, y); pen.lineTo(left + wide, y); pen.stroke(); }
      pen.fillText(text, left - 7, y);
    }
    pen.strokeStyle = look.soft;
    pen.beginPath(); pen.moveTo(left, top); pen.lineTo(left, top + high); pen.lineTo(left + wide, top + high); pen.stroke();
    pen.fillStyle = look.ink; pen.font = "13px system-ui, sans-serif"; pen.textAlign = "center"; pen.textBaseline = "bottom";
    pen.fillText(film.names[0], left + wide / 2, tall - 2, wide);
    pen.save(); pen.translate(12, top + high / 2); pen.rotate(-Math.PI / 2); pen.textBaseline = "middle";
    pen.fillText(film.names[1], 0, 0, high); pen.restore();
    pen.save(); pen.beginPath(); pen.rect(left, top, wide, high); pen.clip();
    marks(look, left, top, wide, high);
    pen.restore();
  }

  function marks(look, left, top, wide, high) {
    const up = v => top + high - v * high, crowd = Math.max(.55, Math.min(1, 500 / Math.max(1, rows)));
    if (film.kind === "fit") {
      pen.setLineDash([5, 4]); pen.strokeStyle = look.soft;
      pen.beginPath(); pen.moveTo(left, top + high); pen.lineTo(left + wide, top); pen.stroke(); pen.setLineDash([]);
    }
    if (film.kind === "lines") curves();
    let i = 0;
    for (const split of film.rows) {
      for (let k = 0; k < split.x.length; k++, i++) {
        const x = left + split.x[k] * wide;
        const y = up(film.kind === "fit" ? Math.max(0, Math.min(1, number(at, i))) : split.y[k]);
        const r = (split.split === "train" ? 3 : 4) * crowd;
        pen.fillStyle = C ? film.inks[split.true[k] % film.inks.length] : film.splits[split.split];
        pen.strokeStyle = "#ffffffd0"; pen.lineWidth = 1;
        pen.beginPath();
        if (split.split === "validation") {
          pen.moveTo(x, y - r * 1.2); pen.lineTo(x + r * 1.2, y); pen.lineTo(x, y + r * 1.2); pen.lineTo(x - r * 1.2, y);
          pen.closePath();
        } else pen.arc(x, y, r, 0, 7);
        pen.fill(); pen.stroke();
        if (C && bytes[at * size + planes * R * R + 2 * numbers + i]) {
          pen.strokeStyle = look.ink; pen.lineWidth = 1.3;
          pen.beginPath(); pen.arc(x, y, r + 3, 0, 7); pen.stroke();
        }
      }
    }
    if (film.kind === "curve") curves();
    function curves() {
      for (let c = 0; c < Math.max(1, C); c++) {
        pen.strokeStyle = C ? film.inks[c % film.inks.length] : look.ink; pen.lineWidth = 2.2;
        pen.beginPath();
        let down = false;
        for (let j = 0; j < R; j++) {
          const v = number(at, c * R + j);
          if (!(v === v)) { down = false; continue; }
          const x = left + j / (R - 1) * wide, y = up(v);
          if (down) pen.lineTo(x, y); else pen.moveTo(x, y);
          down = true;
        }
        pen.stroke();
      }
    }
  }

  function show(frame) {
    at = Math.max(0, Math.min(last, frame));
    slider.value = at;
    const now = frames[at];
    said.forEach((p, i) => { p.textContent = now.said[i]; });
    slider.setAttribute("aria-valuetext", now.said[0]);
    canvas.setAttribute("aria-label", now.said.join(" "));
    keys.forEach((key, c) => key.classList.toggle("nowhere", now.absent.includes(c)));
    if (cursor) { const x = last ? at / last * 100 : 0; cursor.setAttribute("x1", x); cursor.setAttribute("x2", x); }
    draw();
  }
  function stop() { clearInterval(timer); timer = 0; root.classList.remove("playing"); play.setAttribute("aria-pressed", "false"); }
  function start() {
    clearInterval(timer);
    if (at === last) show(0);
    root.classList.add("playing"); play.setAttribute("aria-pressed", "true");
    timer = setInterval(() => { if (at >= last) stop(); else show(at + 1); }, 160 / Number(speed.value));
  }
  play.addEventListener("click", () => timer ? stop() : start());
  root.querySelector(".back").addEventListener("click", () => { stop(); show(at - 1); });
  root.querySelector(".on").addEventListener("click", () => { stop(); show(at + 1); });
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  speed.addEventListener("change", () => { if (timer) start(); });
  root.addEventListener("keydown", event => {
    const act = { " ": () => timer ? stop() : start(), ArrowLeft: () => { stop(); show(at - 1); },
      ArrowRight: () => { stop(); show(at + 1); }, Home: () => { stop(); show(0); }, End: () => { stop(); show(last); } }[event.key];
    if (!act || event.target === speed || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && event.target.tagName === "BUTTON") return;
    event.preventDefault(); act();
  });
  window.addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  const packed = Uint8Array.from(atob(film.bytes), c => c.charCodeAt(0));
  new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer()
    .then(found => { bytes = new Uint8Array(found); root.dataset.ready = "yes"; show(Number(slider.value)); })
    .catch(() => { said[0].textContent = film.sorry; });
})(document.getElementById("%ID%"));
"""  # noqa: E501
