"""JavaScript and CSS of the page of the walk in fog."""

STYLE = """
.walk { display: grid; grid-template-columns: minmax(16rem, 34rem) minmax(15rem, 1fr); gap: 1.5rem; margin-top: 1rem;
  align-items: start; --fog: #dbe1e7; } @media (prefers-color-scheme: dark) { .walk { --fog: #26323d; } }
@media (max-width: 46rem) { .walk { grid-template-columns: 1fr; } }
.walk canvas { width: 100%; height: auto; border-radius: .5rem; cursor: crosshair; display: block; }
.walk canvas:focus-visible { outline: 2px solid var(--bar); outline-offset: 3px; }
.walk .said { font-size: 1.15rem; font-weight: 600; min-height: 3em; margin: 0; font-variant-numeric: tabular-nums; }
.walk .said.alarm { color: var(--alarm); } .walk .next { min-height: 1.5em; margin: 0 0 1rem; }
.walk label { display: block; margin: .4rem 0; } .walk input[type=range] { width: 100%; accent-color: var(--bar); }
.walk output { font-weight: 600; font-variant-numeric: tabular-nums; }
.walk .row { display: flex; flex-wrap: wrap; gap: .5rem; margin: .8rem 0; }
.walk button { font: inherit; padding: .45rem .8rem; border-radius: .4rem; border: 1px solid var(--soft);
  color: var(--ink); background: transparent; cursor: pointer; }
.walk button.one { background: var(--bar); border-color: var(--bar); color: var(--paper); font-weight: 600; }
.walk button:disabled { opacity: .45; cursor: default; }
.walk .check input { width: 1.1rem; height: 1.1rem; vertical-align: -.15rem; accent-color: var(--bar); }
.walk hr { border: 0; border-top: 1px solid var(--faint); margin: 1rem 0; }
"""  # noqa: E501

SCRIPT = r"""
(function (root) {
  "use strict";
  const map = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  const canvas = root.querySelector("canvas"), pen = canvas.getContext("2d"), size = canvas.width;
  const find = (name) => root.querySelector("." + name);
  const said = find("said"), next = find("next"), rate = find("rate"), lr = find("lr"), lift = find("lift");
  const follow = find("follow"), one = find("one"), ten = find("ten"), N = map.loss.length;
  const wide = map.a[1] - map.a[0], tall = map.b[1] - map.b[0], cell = wide / (N - 1);
  const image = document.createElement("canvas");
  let here, trail, own, out, base;

  image.width = image.height = N;
  const brush = image.getContext("2d"), pixels = brush.createImageData(N, N);
  for (let j = 0; j < N; j++) for (let i = 0; i < N; i++) {
    const up = map.height[j][i], k = 4 * ((N - 1 - j) * N + i);
    const ink = up === null ? [150, 150, 150] : map.colours[Math.round(up * (map.colours.length - 1))];
    pixels.data.set([ink[0], ink[1], ink[2], 255], k);
  }
  brush.putImageData(pixels, 0, 0);

  const x = (a) => (a - map.a[0]) / wide * size, y = (b) => size - (b - map.b[0]) / tall * size;
  const plain = (v) => v !== 0 && (Math.abs(v) < 1e-3 || Math.abs(v) >= 1e5)
    ? v.toExponential(2) : String(Number(v.toPrecision(4)));
  const short = (v) => v === null ? "–" : plain(v).replace(".", map.point);
  const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_all, name) => values[name]);

  function lossAt(a, b) {
    const u = Math.min(Math.max((a - map.a[0]) / cell, 0), N - 1), v = Math.min(Math.max((b - map.b[0]) / cell, 0), N - 1);
    const i = Math.min(Math.floor(u), N - 2), j = Math.min(Math.floor(v), N - 2), p = u - i, q = v - j, L = map.loss;
    const four = [L[j][i], L[j][i + 1], L[j + 1][i], L[j + 1][i + 1]];
    if (four.includes(null)) return null;
    return (1 - q) * ((1 - p) * four[0] + p * four[1]) + q * ((1 - p) * four[2] + p * four[3]);
  }
  function slopeAt(a, b) {
    const clamp = (v, [low, high]) => Math.min(Math.max(v, low), high), found = [];
    for (const axis of [0, 1]) {
      const ends = [-1, 1].map((s) => axis ? [a, clamp(b + s * cell, map.b)] : [clamp(a + s * cell, map.a), b]);
      const [low, high] = ends.map((e) => lossAt(e[0], e[1]));
      if (low === null || high === null) return null;
      found.push((high - low) / (ends[1][axis] - ends[0][axis]));
    }
    return found;
  }
  const length = (v) => Math.hypot(v[0], v[1]);
  const chosen = () => base * 10 ** Number(lr.value);

  function line(points, ink, width) {
    pen.beginPath();
    points.forEach((p, k) => k ? pen.lineTo(x(p[0]), y(p[1])) : pen.moveTo(x(p[0]), y(p[1])));
    pen.strokeStyle = ink; pen.lineWidth = width; pen.lineJoin = "round"; pen.stroke();
  }
  function dot(p, radius, ink, edge, width) {
    pen.beginPath(); pen.arc(x(p[0]), y(p[1]), radius, 0, 7);
    pen.fillStyle = ink; pen.fill(); pen.strokeStyle = edge; pen.lineWidth = width; pen.stroke();
  }
  function star(p) {
    pen.beginPath();
    for (let k = 0; k < 10; k++) {
      const r = k % 2 ? 8 : 19, t = Math.PI * (k / 5 - 0.5);
      pen.lineTo(x(p[0]) + r * Math.cos(t), y(p[1]) + r * Math.sin(t));
    }
    pen.closePath(); pen.fillStyle = "#e69f00"; pen.fill(); pen.strokeStyle = "#1b2733"; pen.lineWidth = 2; pen.stroke();
  }
  function arrow(slope) {
    const steep = length(slope);
    if (!(steep > 0)) return;
    const u = -slope[0] / steep, v = slope[1] / steep, far = 0.1 * size, X = x(here[0]), Y = y(here[1]);
    const tip = [X + u * far, Y + v * far], back = [X + u * far * 0.72, Y + v * far * 0.72], w = far * 0.13;
    for (const [ink, width] of [["#ffffff", 9], ["#1b2733", 4.5]]) {
      pen.strokeStyle = pen.fillStyle = ink; pen.lineWidth = width;
      pen.beginPath(); pen.moveTo(X, Y); pen.lineTo(back[0], back[1]); pen.stroke();
      pen.beginPath(); pen.moveTo(tip[0], tip[1]); pen.lineTo(back[0] - v * w, back[1] + u * w);
      pen.lineTo(back[0] + v * w, back[1] - u * w); pen.closePath(); pen.fill();
      if (ink === "#ffffff") { pen.lineWidth = 4; pen.stroke(); }
    }
  }
  function draw() {
    const fog = getComputedStyle(root).getPropertyValue("--fog").trim(), radius = 0.075 * size;
    pen.imageSmoothingEnabled = true; pen.imageSmoothingQuality = "high";
    pen.drawImage(image, 0.5, 0.5, N - 1, N - 1, 0, 0, size, size);
    if (lift.checked) {
      line(map.way, "#ffffff", 7); line(map.way, map.ink, 4);
      dot(map.way[0], 9, "#ffffff", map.ink, 4); star(map.way[map.way.length - 1]);
    } else {
      const X = x(here[0]), Y = y(here[1]), hole = pen.createRadialGradient(X, Y, 0.55 * radius, X, Y, radius);
      hole.addColorStop(0, fog + "00"); hole.addColorStop(1, fog);
      pen.fillStyle = hole; pen.fillRect(0, 0, size, size);
    }
    if (trail.length > 1) {
      line(trail, "#ffffff", 5); line(trail, "#1b2733", 2.5);
      for (const p of trail.slice(0, -1)) dot(p, 3.5, "#1b2733", "#ffffff", 1);
    }
    const slope = slopeAt(here[0], here[1]), loss = lossAt(here[0], here[1]);
    if (slope) arrow(slope);
    dot(here, 10, "#e69f00", "#1b2733", 2.5);
    rate.textContent = short(chosen());
    const where = own === null
      ? fill(map.words.run, {step: map.steps[follow.value], loss: short(map.losses[follow.value])})
      : fill(map.words.own, {n: own});
    said.classList.toggle("alarm", out || !slope);
    said.textContent = out ? map.words.out : !slope ? map.words.unknown
      : fill(map.words.here, {loss: short(loss), slope: short(length(slope))}) + " (" + where + ")";
    next.textContent = out || !slope ? ""
      : fill(map.words.next, {far: short(chosen() * length(slope)), rate: short(chosen()), slope: short(length(slope))});
    one.disabled = ten.disabled = out || !slope;
  }
  function step() {
    const slope = slopeAt(here[0], here[1]);
    if (!slope || out) return;
    const to = [0, 1].map((k) => here[k] - chosen() * slope[k]);
    if (to[0] < map.a[0] || to[0] > map.a[1] || to[1] < map.b[0] || to[1] > map.b[1]) { out = true; return; }
    if (own === null) { trail = [here]; own = 0; }
    here = to; trail.push(to); own += 1;
  }
  function stand(place, count) { here = place; trail = [place]; own = count; out = false; }
  function begin() {
    follow.value = 0; stand(map.way[0], null);
    const slope = slopeAt(here[0], here[1]), steep = slope ? length(slope) : 0;
    base = steep > 0 ? 0.05 * wide / steep : 1;
  }
  one.addEventListener("click", () => { step(); draw(); });
  ten.addEventListener("click", () => { for (let k = 0; k < 10; k++) step(); draw(); });
  find("again").addEventListener("click", () => { begin(); draw(); });
  lr.addEventListener("input", draw);
  lift.addEventListener("change", draw);
  follow.addEventListener("input", () => {
    const k = Number(follow.value);
    stand(map.way[k], null); trail = map.way.slice(0, k + 1); draw();
  });
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    const u = (event.clientX - box.left) / box.width, v = 1 - (event.clientY - box.top) / box.height;
    stand([map.a[0] + u * wide, map.b[0] + v * tall], 0); draw();
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); step(); draw(); }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  begin(); draw();
})(document.querySelector(".walk"));
"""  # noqa: E501
