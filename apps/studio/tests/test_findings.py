"""What the doctor finds while a run trains and somebody watches, by a trainer and a worker as they are."""

from typing import Any

import pytest

from apps.studio.tests.test_trainer import Studio, children, studio
from treino.training.replay import snapshots
from treino.training.stored_results import open_run

__all__ = ["children", "studio"]


def found(made: Studio, rule: str) -> dict[str, Any] | None:
    return next((each for each in made.state["findings"] if each["rule"] == rule), None)


@pytest.mark.release
def test_a_fault_that_is_switched_on_is_found_from_its_step_on(studio: Studio) -> None:
    path = studio.train()
    studio.do("step", count=100)
    studio.at(100)
    assert studio.state["findings"] == []
    studio.do("segment", changes={"fault": "missing_zero_grad", "optimizer": "sgd", "lr": "0.3"})
    studio.until(lambda: found(studio, "missing_zero_grad") is not None)
    studio.do("step", count=40)
    studio.at(140)
    studio.until(lambda: "39 of 40" in (found(studio, "missing_zero_grad") or {"message": ""})["message"])
    assert (found(studio, "missing_zero_grad") or {})["step"] == 100
    studio.watch(2, "pt_BR")
    studio.until(lambda: "39 de 40" in (found(studio, "missing_zero_grad") or {"message": ""})["message"])
    studio.quit()
    (again,) = snapshots(open_run(path), [140])  # looking has changed nothing
    assert again.loss == studio.frames[-1]["loss"]
