"""``treino schema``: what treino writes and prints is valid by its schemas, and what was changed is not."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq
import pytest

import treino as tr
from tests.conftest import Treino
from treino.cli.app import VERBS
from treino.folders.documents.schemas import names, outputs, schema_of
from treino.folders.store import RunFolder

TRAINED = {
    "run": "train iris --epochs 2 --name run",
    "sweep": "sweep iris --space lr=1e-3..1e-1:log --members 4 --epochs 2 --fresh 1 --name sweep",
    "seeds": "train iris --epochs 2 --seeds 2 --name seeds",
    "study": "study iris --batch-sizes 50,30 --epochs 2 --name study",
}


KEYS = (  # one of each kind of document at least
    *("status", "runs", "a", "toml", "like", "builtins", "columns", "findings", "topics", "checks", "paths"),
    *("predictions", "replaced", "suspects", "schemas", "title"),
)
SCRIPT = """
import torch

net = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _step in range(5):
    net(torch.randn(8, 2)).pow(2).mean().backward()
    optimizer.step()
"""


def refused(name: str, document: Any) -> bool:
    return not jsonschema.Draft202012Validator(schema_of(name)).is_valid(document)


def check_outputs(printed: dict[str, list[Any]]) -> None:
    assert printed.keys() >= {*outputs()} >= {*VERBS}, "a verb without a schema"
    for verb in outputs():
        for document in printed[verb]:
            assert not refused(verb, document), (verb, document)
            assert refused(verb, document | dict.fromkeys(KEYS, 7)), verb
    run = printed["train"][0]
    required = set(schema_of("train")["$defs"]["RunOutput"]["required"])
    assert {"metrics", "loss", "path", "changes"} <= required
    assert all(refused("train", {k: v for k, v in run.items() if k != key}) for key in required)
    assert all(refused("train", run | {key: [{}]}) for key in ("steps", "metrics", "loss", "rows"))


def check_files(home: Path) -> None:
    """Each JSON file in each folder: as it is, and with each of its keys taken away or with a wrong value."""
    seen = set()
    for place in [manifest.parent for manifest in home.rglob("manifest.json")]:
        folder = RunFolder.open(place)
        for path in [*place.rglob("*.json"), *place.rglob("*.parquet")]:
            file = path.relative_to(place).as_posix().replace("figures/0", "figures/N")
            if file.startswith("best/") or file == "manifest.json":  # the winner is a folder of its own
                continue
            name = file if file in names() else f"{folder.kind}/{file}"
            table = path.suffix == ".parquet"
            value = pq.read_table(path).to_pylist() if table else json.loads(path.read_text())
            assert not refused(name, value), name
            content = value[0] if table else value
            wrong = [content | {key: [{"odd": 7}]} for key in content]
            wrong += [{k: v for k, v in content.items() if k != key} for key in content]
            assert any(refused(name, [each] if table else each) for each in wrong), name
            seen.add(name)
    assert set(names()) - seen == {*outputs(), "data.json"}


@pytest.mark.release
def test_what_is_written_and_printed_is_valid_and_a_changed_one_is_not(
    treino: Treino, tmp_path: Path
) -> None:
    def printed(command: str) -> Any:
        return json.loads(treino(*command.split(), "--json").out)

    def stop(event: Any) -> None:
        if hasattr(event, "tick"):
            os.kill(os.getpid(), signal.SIGINT)

    Path("script.py").write_text(SCRIPT)
    printed("train diabetes --epochs 2 --name number")
    trained = {name: printed(command) for name, command in TRAINED.items()}
    with pytest.raises(KeyboardInterrupt):
        tr.fit("wine", epochs=100_000, name="begun", watch=stop)
    check_outputs(
        {
            "train": [trained["run"], trained["seeds"]],
            "sweep": [trained["sweep"]],
            "study": [trained["study"]],
            "resume": [printed("resume sweep --more 2")],
            "compare": [printed("compare run seeds --on iris")],
            "data --like": [printed("data iris --like run")],
            "data": [printed("data"), printed("data iris"), printed("data wine --to page.html")],
            "doctor": [printed("doctor"), printed("doctor run"), printed("doctor script.py")],
            "explain": [
                *map(printed, ("explain", "explain run", "explain adam", "explain adam run --to a.html"))
            ],
            "export": [printed("export run"), printed("export run --format pt2")],
            "plot": [
                printed("plot run"),
                printed("plot run --what curves,weights,occlusion --to pictures"),
            ],
            "predict": [printed("predict run iris"), printed("predict number diabetes --to answers.csv")],
            "report": [printed("report run")],
            "rows": [printed("rows iris --networks 16"), printed("rows run --networks 16 --of 3")],
            "schema": [printed("schema"), printed("schema run/result.json")],
            "verify": [printed("verify run --keep")],
            "runs": [printed("runs")],
            "show": [
                *(printed(f"show {name}") for name in (*TRAINED, "begun")),
                *map(printed, ("show run run", "show run begun", "show run --as toml")),
            ],
        }
    )
    check_files(tmp_path)


@pytest.mark.slow
def test_names_are_listed_and_the_nearest_is_named(treino: Treino) -> None:
    listed = json.loads(treino("schema", "--json").out)["schemas"]
    assert {each["name"]: each["about"] for each in listed} == names()
    assert "Did you mean 'run/result.json'?" in treino("schema", "run/result").err
    for name in names():
        assert json.loads(treino("schema", name).out) == schema_of(name)
        jsonschema.Draft202012Validator.check_schema(schema_of(name))
