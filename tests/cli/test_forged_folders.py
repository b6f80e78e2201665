"""The table of forged folders: whatever stands in a field, no verb executes it or writes elsewhere."""

import hashlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.forged_folders import MAKERS, Made, forged_values, put, tried
from tests.forging import forge, reseal

FIELDS = {
    "run spec.json": """
        asked.lr asked.hidden.0 asked.features resolved.seed resolved.data_seed resolved.threads
        resolved.device resolved.engine resolved.optimizer resolved.loss resolved.activation resolved.hidden.0
        resolved.hidden resolved.dropout resolved.init resolved.batch_size resolved.epochs resolved.patience
        resolved.metric resolved.keep resolved.shuffle resolved.schedule resolved.warmup resolved.clip
        resolved.fault resolved.class_weights resolved.net resolved.lr resolved.betas.0 facts.rows.train
        facts.parameters facts.reasons data.kind data.name data.source
        data.sha256 data.load data.load.features data.load.validation classes classes.0 inputs outputs
        item_shape.0 target_scale steps_per_epoch net command weights versions.torch""",
    "run result.json": """
        status steps epochs seconds metrics.test.accuracy metrics intervals.test.accuracy baseline.linear
        baseline kept_epoch kept_step loss.train.0 loss.train epoch_seconds.0 findings notes classes.0
        layers.0.kind layers.0.parameters settings.lr features.0 rows.test""",
    "run preparation.json": """
        kind features.0 divisor mean.0 scale.0 scale classes.0 target_scale item_shape.0 labels width
        programs.0.steps.0.do programs.0.column programs.0.steps.1.value programs""",
    "branch spec.json": """
        segments segments.1.number segments.1.origin segments.1.origin.0 segments.1.origin.1
        parent.step parent.run""",
    "grown branch spec.json": """
        segments.0.steps_per_epoch segments.1.steps_per_epoch segments.1.passes_from
        segments.1.optimizer_from segments.1.order_seed segments.1.output_change""",
    "file spec.json": "data.source data.sha256 data.load.target target_mean resolved.target facts.currency",
    "file preparation.json": """
        programs.1.steps.1.values programs.1.steps.1.values.0 programs.1.steps.0.numeric programs.2 target""",
    "arrays data.json": "name kind features.0 classes.0 classes item_shape.0 arguments task official_test",
    "sweep spec.json": """
        base base.epochs base.hidden space space.lr.low space.lr.high space.lr.log metric sweep.members
        sweep.strategy sweep.sampler sweep.until sweep.top sweep.storage data.source classes.0 rows.test""",
    "sweep asked.json": "brackets.0 brackets.0.1 asks.0 configs.0 configs.0.lr notes",
    "sweep result.json": """
        members seconds best best.member best.params.lr best.validation leaderboard leaderboard.0.member
        leaderboard.0.params leaderboard.0.epochs judge judge.sentence judge.certificate judge.metric""",
    "seeds result.json": "figures figures.test.accuracy.mean reached reached.steps reached.median",
    "study spec.json": """
        study.cells.0.own study.cells.0.mode study.until study.seeds.0 facts.rows.0.engine
        facts.rows.0.threads facts.rows.0.own facts.metric facts.varied facts.modes data.name""",
    "study result.json": """
        rows rows.0.loss rows.0.loss.0 rows.0.mode rows.0.own rows.0.status rows.0.seconds_interval
        rows.0.seeds.0.epoch_seconds rows.0.accuracy metric until answers notes""",
    "killed run spec.json": "asked.hidden asked.epochs resolved.seed resolved.threads steps_per_epoch inputs",
    "killed sweep spec.json": "base.hidden space.lr.low sweep.members sweep.storage sweep.eta metric",
    "killed sweep asked.json": "brackets.0.2 configs.0.lr asks.0",
    "killed study spec.json": "study.cells.0.own study.seeds.0 facts.rows.0.threads facts.epochs",
}
CASES = [
    (which.rpartition(" ")[0], which.rpartition(" ")[2], key)
    for which, keys in FIELDS.items()
    for key in keys.split()
]


@pytest.fixture(autouse=True)
def _back() -> Any:
    here = os.getcwd()
    yield
    os.chdir(here)


@pytest.mark.slow
@pytest.mark.sampled(20)
@pytest.mark.parametrize(("base", "name", "key"), CASES, ids=map(" ".join, CASES))
def test_a_forged_value_does_nothing(
    made: Made, tmp_path: Path, base: str, name: str, key: str, thorough: bool
) -> None:
    """Six values for each verb in a thorough run; else two for some verbs, other ones for each key."""
    mark, verbs, chance = tmp_path / "executed", MAKERS[base][1], random.Random(key)
    wrong = []
    for value in chance.sample(forged_values(mark), 6 if thorough else 2):

        def change(run: Path, value: Any = value) -> None:
            forge(run, name, lambda document: put(document, key, value))

        few = verbs if thorough else chance.sample(verbs, 3)
        wrong += [(value, f) for f in tried(made(base), tmp_path / "place", mark, change, few)]
    assert wrong == []


def forge_header(folder: Path, name: str, edit: Callable[[dict[str, Any]], Any]) -> None:
    """Change what a tensor file says in its header; a checkpoint's own digest is made anew."""
    content = (folder / name).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    facts = json.loads(header["__metadata__"]["treino"])
    if "sha256" in facts:
        facts["sha256"] = "0" * 64
    edit(facts)
    header["__metadata__"]["treino"] = json.dumps(facts)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    content = len(text).to_bytes(8, "little") + text + content[8 + length :]
    if "sha256" in facts:
        digest = hashlib.sha256(content).hexdigest()
        content = content.replace(b"0" * 64, digest.encode(), 1)
    (folder / name).write_bytes(content)
    reseal(folder)


def put_step(facts: dict[str, Any]) -> None:
    facts["step"] = 10**12


HEADERS: list[Any] = [
    pytest.param("run", "keyframes/0-10.safetensors", put_step, marks=pytest.mark.slow),  # it makes the run
    ("run", "keyframes/0-10.safetensors", lambda facts: facts["hp"].update(lr="0.1")),
    ("run", "keyframes/0-10.safetensors", lambda facts: facts["hp"].pop("ema")),
    ("run", "keyframes/0-10.safetensors", lambda facts: facts.update(best=[[], None])),
    ("run", "model.safetensors", lambda facts: facts.update(answers=[[10**30]])),
    ("killed run", "checkpoint/a.safetensors", lambda facts: facts["meta"].update(clock=["x"])),
    ("killed run", "checkpoint/a.safetensors", lambda facts: facts["meta"]["engine"].update(step=-1)),
    ("killed run", "checkpoint/a.safetensors", lambda facts: facts["meta"]["engine"].update(pending=[1])),
    ("killed run", "checkpoint/a.safetensors", lambda facts: facts.update(generation="1", losses=[])),
    ("sweep", "models.safetensors", lambda facts: facts.update(order=[99, *facts["order"][1:]])),
    ("sweep", "models.safetensors", lambda facts: facts.update(figures=[])),
    ("sweep", "curves/0-0.safetensors", lambda facts: facts.update(members=["x"])),
    ("killed study", "checkpoint/a.safetensors", lambda facts: facts["meta"].update(tracks=[])),
]


@pytest.mark.sampled(8)
@pytest.mark.parametrize(("base", "name", "edit"), HEADERS)
def test_a_forged_header_of_tensors_does_nothing(
    made: Made, tmp_path: Path, base: str, name: str, edit: Callable[[dict[str, Any]], Any], thorough: bool
) -> None:
    verbs = MAKERS[base][1]
    few = verbs if thorough else random.Random(name).sample(verbs, 3)

    def change(run: Path) -> None:
        forge_header(run, name, edit)

    assert list(tried(made(base), tmp_path / "place", tmp_path / "executed", change, few)) == []
