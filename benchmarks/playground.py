"""The playground in Chromium: how fast networks train in a page, its frames and opening; torch and a peer.

Times are processor times of the page's own processes, so that other programs hardly change them. The peer is
the code of TensorFlow Playground, which is no part of this repository: name a clone of it in TF_PLAYGROUND
(it is translated by esbuild, through npx), else its row is left out.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import torch
from torch import nn

from benchmarks.result import Result, Table
from treino_studio.playground.page import page

CHROMIUM = "/usr/bin/chromium"
SECONDS, WARM, ROUNDS, OPENINGS = 5.0, 2.0, 3, 7
NETWORKS, LAYERS, BATCH = 1024, "16,8", 32
CALM = f"#view=many&data=spirals&count={NETWORKS}&panels=none&hidden={LAYERS}&batch_size={BATCH}&play=1"
CROWD = CALM + "&speed=full"
ENDLESS = f"hidden={LAYERS}&activation=tanh&batch_size={BATCH}&steps=1000000000&speed=full&play=1"
ONE = "#data=spirals&" + ENDLESS
PEER = "#data=moons&loss=bce&optimizer=sgd&" + ENDLESS
GOALS = {"crowd": 40.0, "one": 100_000.0, "frames": 50.0, "open_ms": 500.0, "peer": 30.0}

METHOD = (
    f"Batches of {BATCH}; medians of {{rounds}} rounds of {{seconds:g}} s after {WARM:g} s. A core-second "
    "is a second of processor time of the page's processes, all threads and workers, unless it says of its "
    "worker; the process that draws, without a graphics card here, is not counted. Frames and the opening "
    "are by the clock. PyTorch's loop and the peer's train nothing else and draw nothing."
)


def run(quick: bool) -> Result:
    seconds, rounds, openings = (1.5, 1, 2) if quick else (SECONDS, ROUNDS, OPENINGS)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "playground.html"
        file.write_text(page())
        address = file.as_uri()
        with chromium() as browser:
            eager = [eager_rate(quick) for _round in range(rounds)]
            crowd = [measured(browser, address + CROWD, seconds, crowd_shown) for _round in range(rounds)]
            calm = [measured(browser, address + CALM, seconds, crowd_shown) for _round in range(rounds)]
            one = [measured(browser, address + ONE, seconds, steps_shown) for _round in range(rounds)]
            opened = [opening(browser, address + "#data=spirals&play=1") for _round in range(openings)]
            peer = peer_rates(browser, address + PEER, seconds, rounds)
    figures: dict[str, Any] = {
        "eager_steps": median(eager),
        "crowd_steps": median(each["steps_page"] for each in crowd),
        "crowd_ratio": median(each["steps_page"] / base for each, base in zip(crowd, eager, strict=True)),
        "frames": median(each["frames_clock"] for each in calm),
        "one_steps": median(each["steps_page"] for each in one),
        "one_steps_of_worker": median(each["steps_workers"] for each in one),
        "open_ms": median(opened),
        "peer": peer,
        "goals": GOALS,
    }
    rows = [
        (
            "1,024 × 2-16-8-3 at full speed, model-steps a core-second, tiles included",
            f"{figures['crowd_steps']:,.0f}",
            "",
        ),
        ("… times eager PyTorch's, natively", f"{figures['crowd_ratio']:.0f} ×", "40 ×"),
        ("frames a second with 1,024 tiles, 8 steps a frame", f"{figures['frames']:.0f}", "50"),
        (
            "one 2-16-8-3 at full speed, steps a core-second of its worker",
            f"{figures['one_steps_of_worker']:,.0f}",
            "100,000",
        ),
        ("… of the whole page, pictures included", f"{figures['one_steps']:,.0f}", ""),
        ("open to the first picture of a trained step", f"{figures['open_ms']:.0f} ms", "500 ms"),
    ]
    if peer is not None:
        rows.append(
            (
                "one 2-16-8-1, its worker against TensorFlow Playground's training code",
                f"{peer['ratio']:.0f} × ({peer['steps']:,.0f} and {peer['peer_steps']:,.0f})",
                "30 ×",
            )
        )
    return Result(
        tables=(Table("The playground in headless Chromium", ("what", "figure", "goal"), tuple(rows)),),
        method=METHOD.format(rounds=rounds, seconds=seconds),
        left_out=() if peer is not None else ("TensorFlow Playground: TF_PLAYGROUND names no clone of it",),
        sources=("TensorFlow Playground: github.com/tensorflow/playground, src/nn.ts",),
        figures=figures,
    )


# ---- the browser


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def page_seconds() -> dict[str, float]:
    """Processor time so far of the processes that show pages: all of it, and that of their workers."""
    spent = {"page": 0.0, "workers": 0.0}
    for process in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" not in process.cmdline():
                continue
            for thread in process.threads():
                name = Path(f"/proc/{process.pid}/task/{thread.id}/comm").read_text()
                seconds = thread.user_time + thread.system_time
                spent["page"] += seconds
                spent["workers"] += seconds if name.startswith("DedicatedWorker") else 0.0
        except (psutil.Error, OSError):  # ended meanwhile
            continue
    return spent


def measured(
    browser: Any, address: str, seconds: float, count: Callable[[Any], dict[str, float]]
) -> dict[str, float]:
    """What ``count`` counts in an open page, for each second of its processor time (``page``), of that of its
    workers (``workers``), and of the clock (``clock``)."""
    shown = browser.new_page(viewport={"width": 1440, "height": 900})
    try:
        shown.goto(address)
        time.sleep(WARM)
        before, spent, begin = count(shown), page_seconds(), time.perf_counter()
        time.sleep(seconds)
        after, used = count(shown), page_seconds()
        passed = {name: used[name] - spent[name] for name in used} | {"clock": time.perf_counter() - begin}
    finally:
        shown.close()
    return {
        f"{name}_{time}": (after[name] - before[name]) / length
        for name in after
        for time, length in passed.items()
    }


def crowd_shown(shown: Any) -> dict[str, float]:
    counters: dict[str, float] = shown.evaluate("({...treinoCrowd.counters})")
    return {"steps": counters["modelSteps"], "frames": counters["frames"]}


def steps_shown(shown: Any) -> dict[str, float]:
    return {"steps": float("".join(filter(str.isdigit, shown.inner_text("#clock-step"))))}


def opening(browser: Any, address: str) -> float:
    """Milliseconds from opening to a picture of a network that has trained."""
    shown = browser.new_page(viewport={"width": 1440, "height": 900})
    try:
        shown.add_init_script(
            "const look = () => { const step = document.querySelector('#clock-step')?.textContent;"
            "  if (Number(step?.replace(/\\D/g, '')) > 0) window.firstPicture = performance.now();"
            "  else requestAnimationFrame(look); }; requestAnimationFrame(look);"
        )
        shown.goto(address)
        while not (milliseconds := shown.evaluate("window.firstPicture ?? 0")):  # its policy forbids more
            time.sleep(0.05)
        return float(milliseconds)
    finally:
        shown.close()


# ---- peers


def eager_rate(quick: bool) -> float:
    """Steps a core-second of the same network as a plain loop in PyTorch."""
    torch.set_num_threads(1)
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizer, criterion = torch.optim.Adam(net.parameters(), lr=0.01), nn.CrossEntropyLoss()
    x, y = torch.randn(704, 2), torch.randint(3, (704,))
    steps = 300 if quick else 2000
    begin = time.process_time()
    for step in range(steps):
        rows = slice(step % 22 * BATCH, (step % 22 + 1) * BATCH)
        optimizer.zero_grad()
        criterion(net(x[rows]), y[rows]).backward()
        optimizer.step()
    return steps / (time.process_time() - begin)


PEER_LOOP = """([seconds, batch]) => {
  const net = nn.buildNetwork([2, 16, 8, 1], nn.Activations.TANH, nn.Activations.TANH, null, ['x', 'y']);
  const rows = Array.from({length: 700}, (_, i) => [Math.cos(i), Math.sin(i), i % 2 ? 1 : -1]);
  const end = performance.now() + 1000 * seconds;
  let steps = 0;
  for (let i = 0; performance.now() < end; i = (i + 1) % rows.length) {
    const [x, y, label] = rows[i];
    nn.forwardProp(net, [x, y]);
    nn.backProp(net, label, nn.Errors.SQUARE);
    if ((i + 1) % batch === 0 || i + 1 === rows.length) { nn.updateWeights(net, 0.03, 0); steps++; }
  }
  return steps;
}"""


def peer_rates(browser: Any, address: str, seconds: float, rounds: int) -> dict[str, float] | None:
    """Ours, and TensorFlow Playground's training loop (no pictures) in the same browser, by turns."""
    clone = os.environ.get("TF_PLAYGROUND")
    if not clone:
        return None
    words = [
        "npx",
        "--yes",
        "esbuild",
        f"{clone}/src/nn.ts",
        "--format=iife",
        "--global-name=nn",
        "--target=es2020",
    ]
    script = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    pairs = []
    for _round in range(rounds):
        ours = measured(browser, address, seconds, steps_shown)["steps_workers"]
        shown = browser.new_page()
        shown.add_script_tag(content=script)
        shown.evaluate(PEER_LOOP, [WARM, BATCH])
        spent = page_seconds()["page"]
        steps = shown.evaluate(PEER_LOOP, [seconds, BATCH])
        pairs.append((ours, steps / (page_seconds()["page"] - spent)))
        shown.close()
    return {
        "steps": median(ours for ours, _peer in pairs),
        "peer_steps": median(peer for _ours, peer in pairs),
        "ratio": median(ours / peer for ours, peer in pairs),
    }
