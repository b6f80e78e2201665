"""A real training in the studio: the age of frames that arrive, the first paint, and the first control.

Server, trainer, worker and viewers are processes on loopback. A frame's age begins where the training copies
its state and ends where a viewer has the frame. The paints are what Chromium says of pages that it has never
seen.
"""

import asyncio
import json
import math
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from benchmarks import mnist_files
from benchmarks.result import Result, Table
from benchmarks.studio_server import WARM, Viewed, view

SECONDS, OPENED = 20.0, 15
RATE = 10.0
CASES = ((1, 20.0, 100.0), (50, 50.0, 200.0))  # viewers; milliseconds: budget of the median age, of 99 in 100
PAINT_MS = 500.0
CONTROL_S, MOVING_PROCESSOR_S, STARTED = 1.5, 2.5, 5
NOISE_ROWS = 2_000


@dataclass(frozen=True)
class Studio:
    """``treino studio`` in a process of its own. place: of its page."""

    port: int
    cookie: str
    place: str
    process: psutil.Process


@contextmanager
def studio(folder: Path, *words: str) -> Iterator[Studio]:
    """One that trains on what the words say."""
    with subprocess.Popen(command(*words), cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        told = _told(process)
        address = urllib.parse.urlsplit(told["address"])
        (token,) = urllib.parse.parse_qs(address.query)["token"]
        given = _get(told["port"], f"/?token={token}", "", "set-cookie")
        cookie = given.partition("=")[2].partition(";")[0]
        while (place := _get(told["port"], "/", cookie, "location").lstrip("/")).startswith("start"):
            time.sleep(0.05)  # its rows are being read
        try:
            yield Studio(told["port"], cookie, place, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait()


def _told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a studio prints of itself once it listens."""
    assert process.stdout is not None
    text = ""
    while not text.rstrip().endswith("}"):
        text += process.stdout.readline()
    told: dict[str, Any] = json.loads(text)["studio"]
    return told


def command(*words: str) -> list[str]:
    """The command that starts a studio and prints its address."""
    return [sys.executable, "-m", "treino", "studio", *words, "--port", "0", "--no-browser", "--json"]


def _get(port: int, path: str, cookie: str, header: str) -> str:
    """A header of what the studio answers."""
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", path, headers={"Cookie": f"treino_{port}={cookie}"} if cookie else {})
    found = str(connection.getresponse().getheader(header))
    connection.close()
    return found


def frames(shown: Studio, viewers: int, seconds: float) -> tuple[list[Viewed], float]:
    """-> what each viewer got, and the processor time of server, trainer and worker, as a share of a core."""
    first, views = Viewed(), [Viewed() for _ in range(viewers)]

    async def main() -> float:
        looking = view(shown.port, shown.cookie, viewers, first, 0.0, 0.0, shown.place)
        tasks = [asyncio.create_task(looking)]
        while not first.ages:  # its rows are being read
            await asyncio.sleep(0.1)
            if tasks[0].done():
                raise RuntimeError("a viewer was lost") from tasks[0].exception()
        tasks[0].cancel()
        begin = time.time() + WARM + viewers / 50
        tasks += [
            asyncio.create_task(view(shown.port, shown.cookie, number, viewed, begin, 0.0, shown.place))
            for number, viewed in enumerate(views)
        ]
        processes = [shown.process, *shown.process.children(recursive=True)]
        await asyncio.sleep(begin - time.time())
        before, clock = _spent(processes), time.monotonic()
        await asyncio.sleep(seconds)
        share = (_spent(processes) - before) / (time.monotonic() - clock)
        for task in tasks:
            task.cancel()
        for failure in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(failure, asyncio.CancelledError):
                raise RuntimeError("a viewer was lost") from failure
        return share

    return views, asyncio.run(main())


def _spent(processes: list[psutil.Process]) -> float:
    times = [each.cpu_times() for each in processes]
    return float(sum(each.user + each.system for each in times))


def digits(folder: Path) -> list[str]:
    """Words that name 784 inputs and ten classes."""
    if mnist_files.there():
        return ["mnist", "--net", "mlp"]
    random_state = np.random.default_rng(0)
    x_ND, y_N = random_state.integers(0, 255, (NOISE_ROWS, 784)), np.arange(NOISE_ROWS) % 10
    head = ",".join([*(f"p{i}" for i in range(784)), "digit"])
    table = np.column_stack([x_ND, y_N])
    np.savetxt(folder / "noise.csv", table, fmt="%d", delimiter=",", header=head, comments="")
    return ["noise.csv", "--target", "digit", "--task", "classification"]


def paints(shown: Studio, page: str, opened: int) -> list[tuple[float, float]]:
    """Of each new visit: milliseconds to the first content that is painted, and to a run's first frame."""
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for _visit in range(opened + 1):  # the first one starts the browser's own processes
            context = browser.new_context()
            site = f"http://127.0.0.1:{shown.port}"
            context.add_cookies([{"name": f"treino_{shown.port}", "value": shown.cookie, "url": site}])
            visited = context.new_page()
            visited.goto(f"{site}/{page}")
            drawn = math.nan
            if page.startswith("run"):
                visited.wait_for_selector("main[data-frame]")
                drawn = float(visited.evaluate("performance.now()"))
            entry = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
            visited.wait_for_function(f"() => {entry}")  # no text is evaluated on the page
            found.append((float(visited.evaluate(entry)), drawn))
            context.close()
        browser.close()
    return found[1:]


def controls(folder: Path, started: int) -> list[tuple[float, float, float]]:
    """From ``treino studio wine`` in an open browser: seconds to a button that pauses the training; seconds,
    and processor seconds of the studio's processes, to a page that moves."""
    from playwright.sync_api import sync_playwright

    found = []
    moves = "() => Number(document.querySelector('#clock-step')?.textContent) > 0"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        browser.new_page().goto("about:blank")
        for _start in range(started + 1):  # the first one fills the disk's cache
            begin = time.perf_counter()
            with subprocess.Popen(command("wine"), cwd=folder, stdout=subprocess.PIPE, text=True) as process:
                address = _told(process)["address"]
                context = browser.new_context()
                page = context.new_page()
                page.goto(address)
                page.wait_for_selector("#play:enabled")
                control = time.perf_counter() - begin
                page.wait_for_function(moves)
                moving, server = time.perf_counter() - begin, psutil.Process(process.pid)
                spent = _spent([server, *server.children(recursive=True)])
                found.append((control, moving, spent))
                context.close()
                process.terminate()
        browser.close()
    return found[1:]


def run(quick: bool) -> Result:
    seconds, opened, started = (3.0, 2, 1) if quick else (SECONDS, OPENED, STARTED)
    rows, painted, figures = [], [], dict[str, Any]()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        words = digits(folder)
        size = ("--hidden", "128,128", "--batch-size", "100", "--epochs", "100000", "--patience", "0")
        for viewers, median_ms, last_ms in CASES:
            with studio(folder, *words, *size) as shown:
                views, share = frames(shown, viewers, seconds)
            ages = 1000 * np.concatenate([viewed.ages for viewed in views])
            middle, last = np.quantile(ages, [0.5, 0.99])
            got = min(len(viewed.ages) for viewed in views) / seconds
            kept = bool(middle <= median_ms and last <= last_ms)
            name = "one viewer" if viewers == 1 else f"{viewers} viewers"
            figures |= {name: f"{middle:.0f} / {last:.0f} ms", f"{name}, frames": round(got, 1)}
            rows.append(
                (
                    name, f"{got:.1f}", f"{middle:.0f} ms", f"{last:.0f} ms", f"{ages.max():.0f} ms",
                    f"{share:.2f}", f"{median_ms:.0f} / {last_ms:.0f} ms",
                    "yes" if kept else "no",
                )
            )  # fmt: skip
        with studio(folder, "wine", "--features", "alcohol,color_intensity", "--epochs", "100000") as shown:
            for what, page in (("a run that trains", shown.place), ("all runs", "home")):
                visits = paints(shown, page, opened)
                first = [each for each, _drawn in visits]
                kept = median(first) <= PAINT_MS
                figures[f"first paint, {what}"] = round(median(first))
                drawn = median(each for _first, each in visits)
                seen = "" if math.isnan(drawn) else f"{drawn:.0f} ms"
                cells = (what, f"{median(first):.0f} ms", f"{max(first):.0f} ms", seen)
                painted.append((*cells, f"≤ {PAINT_MS:.0f} ms", "yes" if kept else "no"))
        took = controls(folder, started)
    budgets = (
        ("first control", "a button that pauses it", CONTROL_S),
        ("first move", "a page that moves", None),
        ("first move, processor", "the same, processor time of the studio", MOVING_PROCESSOR_S),
    )
    starts = []
    for (name, what, limit), values in zip(budgets, zip(*took, strict=True), strict=True):
        middle = median(values)
        figures[name] = round(middle, 2)
        kept = () if limit is None else (f"≤ {limit:g} s", "yes" if middle <= limit else "no")
        starts.append((what, f"{middle:.2f} s", f"{max(values):.2f} s", *(kept or ("", ""))))
    heads = (
        "", "frames a second", "age", "99 in 100", "oldest", "cores", "budget", "kept",
    )  # fmt: skip
    return Result(
        (
            Table("Frames of a training 784-128-128-10, batch 100", heads, tuple(rows)),
            Table(
                "A page that Chromium opens for the first time",
                ("page", "first paint", "slowest", "drawn", "budget", "kept"),
                tuple(painted),
            ),
            Table(
                "From the command treino studio wine",
                ("to", "median", "slowest", "budget", "kept"),
                tuple(starts),
            ),
        ),
        f"Frames: for {seconds:.0f} seconds, of at most {RATE:.0f} a second; age: from where the training "
        "copies its state to where a viewer has the frame; a second's frames by the viewer that got least. "
        "Cores: processor time of the server, the trainer and the worker over the time. The viewers share "
        f"the machine's cores with them. Paint: first-contentful-paint of {opened} visits without cache, on "
        "loopback while the run trains, the median and the slowest; drawn: the median time to the run's first"
        f" frame. The first control: of {started} starts, in a browser that is open.",
        ("What the browser takes to draw a frame.",),
        figures=figures,
    )
