"""A table with free text: trained, predicted, exported, explained, in parts and in folds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

import treino as tr
from tests.data.test_texts import program_of, reviews
from treino.data import describe, load
from treino.data.column_program import ColumnProgram
from treino.data.preparation.column_cells import inputs_of
from treino.data.summaries.measures import WordCounts
from treino.inspection.feature_importance import _terms, importances

ODD = [
    "", "NA", "  não gostei, péssimo ", "这个电影很好看 👍", "<b>MUITO</b> bom\nmuito  bom;MUITO BOM",
    "zzz ??? Ж", "veio quebrado, 'e' caro; não gostei", "👎👎👎", "\u00c9ra \u0301 ótimo PRODUTO",
]  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "reviews.csv"
    reviews(400).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def run(table: Path) -> tr.Run:
    folder = table.parent / "runs"
    trained = tr.fit(table, target="y", recipe="plain", target_means=True, epochs=12, parent=folder)
    assert isinstance(trained, tr.Run)
    return trained


def shares(run: tr.Run, frame: pd.DataFrame) -> np.ndarray:
    answers = run.predict(frame)
    return np.asarray(answers.filter(like="probability"))


def odd_rows() -> pd.DataFrame:
    return pd.DataFrame({"price": np.linspace(-1, 1, len(ODD)), "review": ODD})


def test_it_is_better_than_a_linear_model_and_predicts_what_it_was_judged_by(
    run: tr.Run, table: Path
) -> None:
    frame = pd.read_csv(table, keep_default_na=False)
    train, test = (frame.iloc[rows.index.numpy()] for rows in (run.data.train, run.data.test))
    words = TfidfVectorizer().fit(train["review"])
    linear = LogisticRegression().fit(words.transform(train["review"]), train["y"])
    judged = run.metrics["test"]
    assert judged is not None
    assert judged["accuracy"] >= linear.score(words.transform(test["review"]), test["y"]) - 0.05
    right = (run.predict(test.drop(columns="y"))["prediction"].to_numpy() == test["y"].to_numpy()).mean()
    assert right == pytest.approx(judged["accuracy"])


def test_rows_are_the_same_again_and_in_parts(run: tr.Run, table: Path) -> None:
    again = tr.Run.of(tr.open(run.path)).data  # type: ignore[arg-type]
    parts = load(table, **run.spec.data.load.to_json(), max_memory="64KB")
    for name, rows in run.data.splits.items():
        assert again.splits[name].x.equal(rows.x)
        assert parts.splits[name].x[: len(rows)].equal(rows.x)
    assert any("Larger than the memory" in note for note in parts.notes)


def test_importance_counts_a_term_with_its_part_in_the_sums(run: tr.Run) -> None:
    found = importances(run.module, run.data, run.loss_function)
    assert found.names[0] == "review"
    terms = [name for name in found.names if name.startswith("review: ")]
    assert len(terms) == 20
    assert len(found.loss.mean_K) == len(found.names)
    scale_D = run.preparation.mean_and_scale[1]
    name, changed, grows_K = next(_terms(run.data))
    assert name in found.names
    place = run.preparation.inputs.index(name)
    x_2D = run.data.train.x[:1].repeat(2, 1)
    x_2D[1, list(changed)] += grows_K / float(scale_D[place])
    raw_2D = run.preparation.inverse(x_2D)
    assert raw_2D[1, place] - raw_2D[0, place] == pytest.approx(1, abs=1e-5)
    grown = np.array(program_of(run.data).slopes_of(0))
    own = list(run.preparation.groups[run.preparation.features.index("review")])
    np.testing.assert_allclose((raw_2D[1] - raw_2D[0])[own], grown, atol=1e-4)
    stored = program_of(run.data).to_json()
    terms = next(step["terms"] for step in stored["steps"] if step["do"] == "terms")
    steps = [step | {"count": len(terms)} if step["do"] == "select" else step for step in stored["steps"]]
    program = ColumnProgram.model_validate(stored | {"steps": steps})
    inputs = inputs_of(program, np.array(ODD, object))
    grows = np.array([program.slopes_of(term) for term in range(len(terms))])
    shown = inputs[:, 1 : 1 + len(terms)]
    np.testing.assert_allclose((shown @ grows)[:, 1:-1], inputs[:, 1:-1], atol=1e-9)


def test_data_says_its_length_and_commonest_words(table: Path) -> None:
    described = describe(table, "y")
    (note,) = [note for note in described.notes if "is free text" in note]
    assert "pedido" in note
    (column,) = [column for column in described.columns if column.name == "review"]
    assert (column.kind, column.way) == ("text", "text")
    assert isinstance(column.shape, WordCounts)
    assert column.shape.values[0] in ("pedido", "de", "a", "na")


def test_estimators_folds_and_a_table_of_text_alone(tmp_path: Path) -> None:
    frame = reviews(200)
    model = tr.Classifier(recipe="plain", epochs=8).fit(frame[["review"]], frame["y"])
    assert model.score(frame[["review"]], frame["y"]) > 0.8
    with_folds = tr.fit(frame, target="y", recipe="plain", epochs=3, folds=2, lean=True, parent=tmp_path)
    assert with_folds.figures
