"""What may stand in a folder's documents: all that treino writes passes, what it never writes is refused."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treino as tr
from tests.cli.forged_folders import put
from tests.conftest import refusal_of
from tests.forging import forge
from treino.base.errors import TreinoError
from treino.folders.documents.reading import check, read_document
from treino.folders.documents.run_spec import ResolvedSettings, initial_document
from treino.folders.store import RunFolder
from treino.settings.spec import Settings
from treino.training.sweeps.bracket import check_states

ROOT = Path(__file__).parents[2] / "src/treino"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("runs")
    return tr.fit("wine", features=["alcohol", "hue"], epochs=2, parent=parent, name="w").path


FORGED: list[tuple[str, str, Any]] = [
    ("spec.json", "resolved.seed", "0; print(1)"),
    ("spec.json", "resolved.seed", -1),
    ("spec.json", "resolved.seed", 2**63),
    ("spec.json", "resolved.threads", 10**6),
    ("spec.json", "resolved.threads", True),
    ("spec.json", "resolved.device", 'cpu" if evil() else "cpu'),
    ("spec.json", "resolved.device", "cuda:0\n"),
    ("spec.json", "resolved.optimizer", "adam\nimport os"),
    ("spec.json", "resolved.hidden.0", 10**12),
    ("spec.json", "resolved.hidden", [1] * 2000),
    ("spec.json", "resolved.lr", "0.1"),
    ("spec.json", "resolved.fault", ["everything"]),
    ("spec.json", "resolved.steps", 5),
    ("spec.json", "resolved.net", "../../evil.py:Net"),
    ("spec.json", "asked.net", "net.py:Net"),
    ("spec.json", "asked.out", "/somewhere/else"),
    ("spec.json", "asked.lr", "fast"),
    ("spec.json", "data.sha256", "00"),
    ("spec.json", "data.load.cache", "/somewhere/else"),
    ("spec.json", "inputs", 10**12),
    ("spec.json", "classes", "abc"),
    ("spec.json", "classes.1", {"name": "b"}),
    ("spec.json", "steps_per_epoch", 0),
    ("spec.json", "command", "treino train wine; rm -rf ."),
    ("spec.json", "command", "rm -rf ."),
    ("spec.json", "facts.rows.train", 1.5),
    ("result.json", "loss.train", [0.1]),
    ("result.json", "epochs", 10**12),
    ("result.json", "metrics.test.accuracy", "1.0"),
    ("result.json", "baseline.magic", {}),
    ("result.json", "findings", [{"rule": "r"}]),
    ("preparation.json", "programs.0.steps.0.do", "pickle"),
    ("preparation.json", "mean.0", None),
    ("preparation.json", "scale.0", -1.0),
    ("preparation.json", "divisor", 0.0),
]


@pytest.mark.parametrize(("name", "place", "value"), FORGED)
def test_a_value_that_treino_never_writes_is_refused(run: Path, name: str, place: str, value: Any) -> None:
    document = json.loads((run / name).read_bytes())
    check("run", name, document, run)
    refused = refusal_of(check, "run", name, put(document, place, value), run)
    assert refused.rule == "document_invalid"
    assert place.split(".")[0] in refused.message
    assert len(refused.message) < 300 + len(str(run))


def test_the_error_names_file_key_and_value(run: Path) -> None:
    document = json.loads((run / "spec.json").read_bytes())
    with pytest.raises(
        TreinoError, match=r'spec\.json is not .*: resolved\.threads is "many" \(.*integer\)\.'
    ):
        check("run", "spec.json", put(document, "resolved.threads", "many"), run)
    del document["resolved"]["threads"]
    assert "resolved.threads is missing." in str(refusal_of(check, "run", "spec.json", document, run))


def test_what_a_newer_version_added_is_let_through(run: Path) -> None:
    document = json.loads((run / "spec.json").read_bytes())
    check("run", "spec.json", put(document, "resolved.later", {"a": [1]}), run)
    with pytest.raises(TreinoError, match="too deep"):
        check("run", "spec.json", put(document, "later", json.loads("[" * 500 + "]" * 500)), run)


def test_what_is_read_is_what_was_written(run: Path) -> None:
    """The border checks and changes nothing: an integer stays one where a float may stand, too."""
    for name in ("spec.json", "result.json", "preparation.json"):
        written = json.loads((run / name).read_bytes())
        written.pop("sentences", None)  # the sources of its sentences, which were told again in English
        assert read_document(RunFolder.open(run), name) == written


def test_spec_json_holds_each_fact_once(run: Path) -> None:
    """What is known before the first step stands in one place of it, and all of it comes back in the result.
    The setting ``features`` is None of what is no table, so that their names are a fact of their own."""
    spec, result = (json.loads((run / name).read_bytes()) for name in ("spec.json", "result.json"))
    assert not spec["facts"].keys() & (spec.keys() | spec["resolved"].keys() - {"features"})
    known = initial_document(spec, spec["resolved"])
    assert {"task", "classes", "steps_per_epoch", "settings", "rows"} <= known.keys()
    later = {"notes", "findings"}
    assert {name: result[name] for name in known.keys() - later} == {
        n: known[n] for n in known.keys() - later
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def places(run: Path) -> list[tuple[str, str]]:
    """Every value of the run's documents, by file and key."""
    return [
        (name, place)
        for name in ("spec.json", "result.json", "preparation.json")
        for place in _places(json.loads((run / name).read_bytes()))
    ]


def _places(value: Any) -> list[str]:
    items: Any = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, inner in items:
        found.append(str(key))
        if isinstance(inner, dict | list):
            found += [f"{key}.{below}" for below in _places(inner)]
    return found


@pytest.mark.slow
@settings(max_examples=200)
@given(st.data())
def test_whatever_stands_anywhere_is_let_through_or_refused(
    run: Path, places: list[tuple[str, str]], data: st.DataObject
) -> None:
    name, place = data.draw(st.sampled_from(places))
    document = put(json.loads((run / name).read_bytes()), place, data.draw(JSON))
    try:
        assert check("run", name, document, run) is document
    except TreinoError as error:
        assert error.rule in ("document_invalid", "run_damaged")  # noqa: PT017


def test_settings_stand_in_the_order_of_their_table() -> None:
    """Reports list them as the model does."""
    kept = list(ResolvedSettings.model_fields)
    assert kept == [name for name in Settings.model_fields if name in kept]


def test_documents_are_read_through_here_alone() -> None:
    """Who reads them from the folder itself goes around every check."""
    around = re.compile(r"\.(read_json|read_tensors|last_checkpoint)\(")
    for path in ROOT.rglob("*.py"):
        if path.relative_to(ROOT).parts[:2] not in (("folders", "documents"), ("folders", "store")):
            assert around.search(path.read_text()) is None, path


def test_outputs_that_the_loss_has_no_use_for_are_refused(
    run: Path, treino: Callable[..., Any], tmp_path: Path
) -> None:
    shutil.copytree(run, tmp_path / "runs/w")
    forge(tmp_path / "runs/w", "spec.json", lambda spec: spec | {"outputs": 1})
    assert treino("predict", "w", "wine", "--json").document["error"]["rule"] == "outputs_loss"


def test_a_checkpoint_of_other_networks_is_refused(tmp_path: Path) -> None:
    states = [{"members": [0, 1]}, {"members": [2]}]
    check_states(states, [[0, 1], [2]], tmp_path)
    for members in ([[0, 1]], [[0, 1], [3]], [[0, 1], [2], [3]]):
        assert "other networks" in str(refusal_of(check_states, states, members, tmp_path))
