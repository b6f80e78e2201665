"""Overhead of the notebook's live figure: trainings in a real notebook kernel with it and without."""

import json
import time
from statistics import median
from typing import Any

from benchmarks.mnist_files import digits
from benchmarks.result import Result, Table
from benchmarks.timing import budget

LIMIT = 2.0  # per cent
CASES = {
    "wine, two columns, with the boundary": (
        "'wine', features=['alcohol', 'color_intensity'], batch_size='full', steps={wine}, validation=0, "
        "test=0"
    ),
    "784-128-128-10, batch 100": "images, hidden=[128, 128], batch_size=100, steps={images}",
}
STEPS = {"wine": 30_000, "images": 1_500}
QUICK = {"wine": 200, "images": 20}

SETUP = """
import tempfile, time, json, os
import treino as tr
from treino.settings.spec import read_settings
os.environ["TREINO_OFFLINE"] = "1"
from benchmarks.mnist_files import digits
images, _what = digits({quick})
folder = tempfile.TemporaryDirectory()

def spent(make, watch):
    # the training alone: what is done once before and after it is the same
    begin = wall = None
    told = 0.0
    def tell(event):
        nonlocal begin, wall, told
        kind = type(event).__name__
        if kind == "JobStart" and begin is None:
            begin = time.perf_counter(), time.process_time()
        own = time.thread_time()
        if inner is not None:
            inner(event)
        told += time.thread_time() - own
        if kind == "JobEnd":
            wall = time.perf_counter() - begin[0], time.process_time() - begin[1], told
    from treino.notebook import RunFigure
    inner = RunFigure().tell if watch else None
    make(tell)
    return wall
"""


def run(quick: bool) -> Result:
    rounds = 1 if quick else 9
    what = digits(quick)[1]
    steps = QUICK if quick else STEPS
    rows, figures, drawings = [], dict[str, Any](), 0
    with Kernel() as kernel:
        kernel.ask(SETUP.format(quick=quick))
        for name, asked in CASES.items():
            call = (
                f"lambda tell: tr.fit({asked.format(**steps)}, parent=folder.name, lean=True, keep='last', "
            )
            call += "watch=tell)"
            found: dict[bool, list[list[float]]] = {False: [], True: []}
            kernel.ask(f"spent({call}, True)")  # warms up
            for i in range(rounds):
                for watch in (False, True) if i % 2 else (True, False):
                    said, drawn = kernel.ask(f"print(json.dumps(spent({call}, {watch})))")
                    found[watch].append(json.loads(said))
                    drawings += drawn
            least = {w: [min(s[k] for s in found[w]) for k in (0, 1)] for w in found}  # least disturbed
            wall, processor = (least[True][k] / least[False][k] for k in (0, 1))
            share = median(told / (spent - told) for _wall, spent, told in found[True])
            figures[name] = round(share, 4)
            figures[f"{name}, wall"] = round(wall, 3)
            figures[f"{name}, processor"] = round(processor, 3)
            times = (f"{least[w][0]:.2f}" for w in (False, True))
            ratios = (f"{wall:.3f}", f"{processor:.3f}", f"{100 * share:.2f} %")
            rows.append((name, *times, *ratios, *budget(round(100 * share, 2), LIMIT, at_most=True)))
    figures["drawings"] = drawings
    columns = (
        "training", "not watched, s", "watched, s", "watched / not", "processor time", "the figure's own",
        "budget, %", "kept",
    )  # fmt: skip
    return Result(
        (Table("A training in a notebook, watched and not", columns, tuple(rows)),),
        f"784 inputs: {what}. The least of {rounds} rounds of each, the two taking turns in one IPython "
        "kernel whose messages are read as a notebook reads them. From the event that the training "
        "begins to the event that it has ended, its measuring and sealing and the last drawing included. The "
        "figure's own: processor time that its drawings and messages take, as a share of the training's. "
        f"{drawings} messages with a drawing came in all.",
        ("The browser's own work.", "Validation, which both would have."),
        figures=figures,
    )


class Kernel:
    """An IPython kernel of its own; ``ask`` runs a cell and returns what it printed and how often it drew."""

    def __enter__(self) -> "Kernel":
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel()
        return self

    def __exit__(self, *_error: object) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def ask(self, code: str) -> tuple[str, int]:
        sent, said, drawn = self.client.execute(code), "", 0
        begin = time.monotonic()
        while time.monotonic() - begin < 600:
            message = self.client.get_iopub_msg(timeout=600)
            if message["parent_header"].get("msg_id") != sent:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream" and content["name"] == "stdout":
                said += content["text"]
            elif kind in ("display_data", "update_display_data"):
                drawn += 1
            elif kind == "error":
                raise RuntimeError("\n".join(content["traceback"]))
            elif kind == "status" and content["execution_state"] == "idle":
                return said, drawn
        raise TimeoutError(code)
