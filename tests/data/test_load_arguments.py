"""The settings of data are declared once: ``load`` takes each, checks it, and a folder keeps it."""

import inspect
import json
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest

import treino as tr
from tests.conftest import Treino, refusal_of
from treino.data.documents import LoadArguments
from treino.data.load_request import load_request
from treino.settings.data_settings import DataSettings, LoadSettings
from treino.settings.keywords import sentence
from treino.settings.spec import FLAGS

OTHER: dict[str, Any] = {
    "target": "y", "features": ["a", "b"], "task": "regression", "normalise": False,
    "kinds": {"a": "s=1<s=2"}, "impute": "mean", "inputs": "bins", "bins": 4, "clip_inputs": 5.0,
    "target_means": True, "trees": 3, "log_target": True, "validation": 0.25, "test": 0.0,
    "split_group": "g", "split_time": "t", "split_column": "c", "fold": "2/5", "duplicates": "apart",
    "row_weights": "w", "image_size": [3, 4], "fit": "pad", "skip_bad": 2, "labels": "labels.csv",
    "class_pattern": r"(\w+)-",
}  # fmt: skip
"""A value of each setting that a folder keeps, other than its default, in its JSON form."""


@pytest.mark.parametrize("name", LoadSettings.model_fields)
def test_what_decides_the_rows_is_taken_kept_and_taken_again(name: str) -> None:
    asked = load_request("t.csv", {name: OTHER[name]}).arguments
    usual = load_request("t.csv", {}).arguments
    kept = json.loads(json.dumps(asked.to_json()))
    assert kept == usual.to_json() | {name: OTHER[name]} != usual.to_json()
    assert LoadArguments.model_validate(kept) == asked
    assert load_request("t.csv", kept).arguments == asked


@pytest.mark.parametrize("name", DataSettings.model_fields)
def test_each_setting_of_data_is_a_keyword_of_load_and_a_flag_and_is_checked_alike(name: str) -> None:
    parameter, field = inspect.signature(tr.load).parameters[name], DataSettings.model_fields[name]
    assert (parameter.kind, parameter.default) == (parameter.KEYWORD_ONLY, field.default)
    assert f"{name}: {sentence(name)}" in str(tr.load.__doc__)
    assert name in FLAGS
    refusal = refusal_of(load_request, "t.csv", {name: object()} if name not in SPLITS else {name: 1.5})
    assert refusal.rule.startswith(f"{name}_")


SPLITS = "validation", "test"


def test_load_takes_no_other_names() -> None:
    assert refusal_of(tr.load, "wine", bin=3).hint == "Did you mean 'bins'?"
    assert refusal_of(tr.load, "wine", lr=0.1).rule == "unknown_setting"


def test_the_format_of_a_file_is_given_by_name_or_as_one_value(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a;y\n" + "".join(f"{i},5;{i % 2}\n" for i in range(40)))
    how = {"delimiter": ";", "decimal": "comma"}
    by_name, as_one = tr.load(path, target="y", **how), tr.load(path, target="y", reading=how)
    assert by_name.arguments == as_one.arguments
    assert by_name.train.x.equal(as_one.train.x)
    assert by_name.arguments.to_json()["reading"] == {"delimiter": ";", "decimal": ","}


@pytest.mark.slow
def test_a_run_and_one_like_it_load_as_they_were_told(tmp_path: Path, treino: Treino) -> None:
    rows = [(i % 7, "abc"[i % 3], i // 10, i % 5 + i % 3) for i in range(80)]
    pd.DataFrame(rows, columns=["a", "b", "g", "y"]).to_csv(tmp_path / "t.csv", index=False)
    told = "--target y --task regression --kinds a=category --impute mean --split-group g --trees 2"
    how = "--no-normalise --recipe plain --delimiter comma --epochs 1 --name first"
    assert treino("train", "t.csv", *told.split(), *how.split()).status == 0
    assert treino("train", "--like", "first", "--name", "second").status == 0
    first, second = cast(
        list[tr.Run], [tr.open(name, parent=tmp_path / "runs") for name in ("first", "second")]
    )
    assert first.data.arguments == second.data.arguments
    assert first.data.arguments.to_json() == {
        "target": "y", "features": None, "task": "regression", "normalise": False,
        "kinds": {"a": "category"}, "impute": "mean", "trees": 2, "validation": 0.15, "test": 0.15,
        "split_group": "g", "data_seed": 0, "reading": {"delimiter": ","},
    }  # fmt: skip
