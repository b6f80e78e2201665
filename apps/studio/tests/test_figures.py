"""Every figure beside the curves is one that was recorded, or says on which rows it was measured."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss
from tests.waiting import until

import treino as tr
from apps.studio.tests.real_studio import RealStudio, real_studio
from treino.training.replay import snapshots

pytestmark = pytest.mark.release
SHOWN = """() => [...document.querySelectorAll('#figures > div')].flatMap(group =>
  [...group.querySelectorAll('dd')].map(dd => [group.querySelector('dt').textContent, dd.className,
    dd.querySelector('b').textContent, dd.querySelector('small')?.textContent.trim() ?? '']))"""
MOVE = """step => { const time = document.querySelector('#time'); time.value = step;
  time.dispatchEvent(new Event('input')); }"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    """A studio with a table that is drawn whole, and one of which a part is drawn."""
    folder = tmp_path_factory.mktemp("figures")
    how: dict[str, Any] = {"parent": folder / "runs", "recipe": "plain", "patience": 0}
    tr.fit("wine", name="small", epochs=8, **how)
    x_ND = np.random.default_rng(0).normal(size=(4000, 3))
    y_N = (x_ND[:, 0] * x_ND[:, 1] + 0.5 * x_ND[:, 2] > 0).astype(int)
    tr.fit((x_ND, y_N), name="large", epochs=4, batch_size=100, **how)
    with real_studio(folder, []) as found:
        yield found
    assert found.said == []


def shown(page: Any, step: int) -> dict[tuple[str, str], tuple[str, str]]:
    """By metric and split, the figure and what it says of itself, at a step."""
    page.evaluate(MOVE, step)
    number = f"{step:,}".replace(",", "\u202f")
    page.locator("#clock-step", has_text=re.compile(f"^{number}$")).wait_for()
    looks: list[Any] = []
    until(lambda: _twice(page, looks), meanwhile=lambda: page.wait_for_timeout(300))
    return {(metric, split): (value, of) for metric, split, value, of in looks[-1]}


def _twice(page: Any, looks: list[Any]) -> bool:
    looks.append(page.evaluate(SHOWN))
    return len(looks) > 2 and looks[-1] == looks[-2] == looks[-3]


@pytest.mark.parametrize("name", ["small", "large"])
def test_a_figure_is_of_the_step_and_the_rows_that_it_names(
    studio: RealStudio, browser: Any, name: str
) -> None:
    page = studio.open(browser, f"run/{name}?lang=en")
    page.wait_for_selector("main[data-frame]")
    run = studio.run(name)
    per_epoch, last = run.spec.steps_per_epoch, run.steps
    drawn = np.random.default_rng(5).integers(1, last, 4).tolist()
    splits = run.data.splits
    seen = set()
    for step in dict.fromkeys([*drawn, 0, 2 * per_epoch, last]):
        for (metric, split), (value, of) in shown(page, step).items():
            at = re.search(r"step (\d+)", of)
            epoch = re.search(r"mean of epoch (\d+)", of)
            part = re.search(r"on (\d+) of (\d+) rows", of.replace("\u202f", ""))
            seen.add((split, metric, bool(at or epoch), bool(part)))
            rows = splits[split]
            if part:
                assert int(part[1]) < int(part[2]) == len(rows)
                continue
            told = int(at[1]) if at else step
            if at:
                right = run.evaluations[split][metric][told // per_epoch - 1]
            elif epoch:
                right = run.document[metric][split][int(epoch[1]) - 1]
            else:
                (snapshot,) = snapshots(run, [told])
                share_NC = snapshot.net(rows.x).detach().double().softmax(1).numpy()
                right = (
                    log_loss(rows.y, share_NC)
                    if metric == "loss"
                    else accuracy_score(rows.y, share_NC.argmax(1))
                )
            assert abs(float(value) - right) <= 0.0006, (step, metric, split, of)
    whole = {
        (split, metric, False, False) for split in ("train", "validation") for metric in ("loss", "accuracy")
    }
    assert seen == whole if name == "small" else ("train", "accuracy", False, True) in seen
