"""``treino study`` on the command line: output and refusals."""

from pathlib import Path

import pytest

from tests.conftest import Treino

BAD: list[tuple[tuple[str, ...], str, str]] = [
    (("--cell", "batchsize=5"), "cell_unknown", "batch_size"),
    (("--cell", "batch_size"), "cell_form", "--cell batch_size=5"),
    (("--cell", "lr=1,lr=2"), "cell_twice", "once"),
    (("--cell", "as_taught=yes"), "cell_mode", "--as-taught"),
    (("--cell", "seed=3"), "cell_for_all", "batch_size"),
    (("--cell", "batch_size=500"), "batch_size_rows", "full"),
    (("--batch-sizes", "100,x"), "batch_size_type", ""),
    (("--batch-sizes", ","), "batch_sizes_empty", "100,20,5"),
    (("--batch-sizes", "5", "--batch-size", "20"), "batch_size_twice", "one of them"),
    (("--until", "accuracy"), "until_form", "accuracy=0.9"),
    (("--until", "acuracy=0.9"), "until_metric", "accuracy"),
    (("--until", "accuracy=90"), "until_range", "accuracy=0.9"),
    (("--until", "loss=1,loss=2"), "until_twice", "one figure"),
    (("--until", "r2=0.5"), "until_task", "accuracy"),
    (("--compare", "normalize"), "compare_unknown", "normalise"),
    (("--compare", "normalise", "--no-normalise"), "compare_and_given", "one of them"),
    (("--shuffle", "each,never"), "shuffle_choice", "each"),
    (("--seeds", "0"), "seeds_range", "3"),
    (("--steps", "5"), "not_in_a_study", "--epochs"),
    (("--metric", "accuracy"), "metric_without_patience", "--patience"),
    (("--lr", "auto"), "lr_auto_in_a_study", "--cell"),
]


@pytest.mark.slow
def test_bad_studies_are_refused_before_anything_is_written(treino: Treino) -> None:
    for words, rule, hint in BAD:
        said = treino("study", "wine", *words, "--json")
        assert said.status == 2, words
        error = said.document["error"]
        assert error["rule"] == rule, (words, error)
        assert hint in error["hint"], (words, error)
        assert "Traceback" not in said.err
        assert not Path("runs").exists()


@pytest.mark.slow
def test_a_study_says_what_it_found_and_is_shown_drawn_and_no_run(treino: Treino) -> None:
    words = ("--batch-sizes", "100,20,5", "--as-taught", "--epochs", 3, "--until", "1.6,accuracy=0.9")
    said = treino("study", "wine", *words)
    assert said.status == 0, said.err
    for text in ("epochs to accuracy ≥ 0.9", "as taught", "An epoch takes", "updates"):
        assert text in said.out
    listed = treino("runs", "--json").document["runs"]
    assert [(r["kind"], r["status"], r["data"]) for r in listed] == [("study", "finished", "wine")]
    assert treino("runs").out.count("wine-study-1") == 1
    shown = treino("show", "last", "--json").document
    assert shown["study"] == "wine-study-1"
    assert [(r["batch_size"], r["mode"]) for r in shown["rows"]] == [
        (size, mode) for size in (100, 20, 5) for mode in ("corrected", "as_taught")
    ]
    assert "epochs to loss < 1.6" in treino("show", "last").out
    drawn = treino("plot", "last", "--json").document["paths"]
    assert [Path(p).name for p in drawn] == ["curves.png", "tradeoff.png"]
    assert all(Path(p).read_bytes().startswith(b"\x89PNG") for p in drawn)
    refused = treino("plot", "last", "--what", "boundary", "--json")
    assert refused.document["error"]["rule"] == "picture_unknown"
    like = ("train", "--like", "last")
    of_runs = ("predict", "last", "wine"), ("export", "last"), ("show", "last", "last"), ("report", "last")
    for verb in (*of_runs, ("plot", "last", "last"), ("plot", "last", "--smooth", "0.5"), like):
        found = treino(*verb, "--json")
        assert found.status == 2, verb
        assert found.document["error"]["rule"] == "study_is_no_run", verb
    over = treino("resume", "last", "--json")
    assert over.document["error"]["rule"] == "nothing_to_resume"


STUDIES = {
    "one row": "wine --epochs 2 --cell lr=1e-3",
    "seven sizes": "wine --epochs 2 --batch-sizes full,90,80,40,20,10,5 --until 9e-9",
    "regression": "diabetes --epochs 14 --optimizer sgd,adam --shuffle each,off --until r2=0.3",
    "all modes": "wine --epochs 2 --as-taught --fault missing_zero_grad,softmax_before_cross_entropy",
    "diverged": "wine --epochs 2 --optimizer sgd --lr 1e6 --until accuracy=1",
    "networks": "iris --epochs 2 --cell hidden=8 --cell hidden=none --cell dropout=0.5",
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("words", STUDIES.values(), ids=STUDIES)
def test_every_study_has_its_table_and_its_pictures(treino: Treino, words: str) -> None:
    said = treino("study", *words.split())
    assert said.status == (4 if words == STUDIES["diverged"] else 0), said.err
    assert "nan" not in said.out
    drawn = treino("plot", "last", "--to", "here")
    assert drawn.status == 0, drawn.err
    assert sorted(p.name for p in Path("here").iterdir()) == ["curves.png", "tradeoff.png"]
