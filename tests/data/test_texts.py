"""Free text as inputs: counted and weighted as scikit-learn does, in any script, by training rows alone."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import Ridge

from treino.data import Data, load, rows_for_prediction
from treino.data.column_program import ColumnProgram
from treino.data.operations import TERM_SCALE
from treino.data.preparation.column_cells import inputs_of
from treino.data.preparation.column_kinds import reads_as_prose
from treino.data.preparation.fit_columns import text_program
from treino.data.preparation.interpreter import text_length
from treino.data.preparation.target_means import TargetFolds
from treino.data.preparation.texts import PREDICTED, TextTerms, fit_texts, held_out_predictions, terms_in

GOOD = [
    "muito bom",
    "ótimo produto",
    "chegou rápido",
    "gostei DEMAIS",
    "这个电影很好看",
    "👍 perfeito",
    "très bien",
]
BAD = [
    "não gostei",
    "péssimo",
    "veio quebrado",
    "dinheiro jogado fora",
    "不好看太差了",
    "👎 horrível",
    "schlecht",
]
REST = [
    "a entrega foi na terça",
    "a caixa <b>azul</b>",
    "comprei para minha mãe",
    "é o segundo que compro",
    "x y",
]


def reviews(n: int = 300, seed: int = 0) -> pd.DataFrame:
    """Reviews that end in a verdict on one of three scripts, some of them empty, beside a number."""
    rng = np.random.default_rng(seed)
    good_N = rng.random(n) < 0.5
    names = ["".join(rng.choice(list("aeiosrmnlt"), 6)) for _row in range(n)]
    texts = [
        f"pedido de {name}, {', '.join(rng.choice(REST, 2))}. {rng.choice(GOOD if good else BAD)}"
        for name, good in zip(names, good_N, strict=True)
    ]
    texts = ["" if rng.random() < 0.05 else text for text in texts]
    return pd.DataFrame({"price": rng.normal(size=n), "review": texts, "y": np.where(good_N, "good", "bad")})


def program_of(data: Data, column: str = "review") -> ColumnProgram:
    (program,) = [p for p in data.preparation.programs if p.column == column]
    assert program.measure == "length"
    return program


def text_inputs(texts: list[str], known: TextTerms) -> np.ndarray:
    return inputs_of(text_program("t", known), np.array(texts, object))


LETTERS = "abcdeéfghijklmnopqrstuvwxyz0123456789ção"
TEXTS = [
    "Not good, NOT bad",
    "not good at all",
    "a b  c",
    "",
    "Éclair! éclair?",
    "ação naçao",
    "not-good\tnot\ngood",
]


def count_terms(texts: list[str], terms: list[str], letters: str) -> tuple[np.ndarray, np.ndarray]:
    """``[N, V]``: how often each text holds each term; and ``[N]``: how many letters it has."""
    found = terms_in(texts, terms, letters)
    count_NV = np.stack([np.bincount(np.array(places, int), minlength=len(terms)) for places in found])
    length_N = np.expm1(text_length(np.array(texts, object), letters)[:, 0])
    return count_NV, np.round(length_N).astype(int)


def test_words_and_pairs_are_counted_as_scikit_learn_counts_them() -> None:
    own = CountVectorizer(token_pattern=r"[^\W_]+").fit(TEXTS)
    words = list(own.vocabulary_)
    count_NV, letter_N = count_terms(TEXTS, [f" {word} " for word in words], LETTERS)
    by_name = pd.DataFrame(own.transform(TEXTS).toarray(), columns=own.get_feature_names_out())
    np.testing.assert_array_equal(count_NV, by_name[words])
    assert letter_N.tolist() == [sum(map(str.isalnum, text)) for text in TEXTS]
    pairs, _letters = count_terms(TEXTS, [" not good ", " b c "], LETTERS)
    assert pairs.tolist() == [[1, 0], [1, 0], [0, 0], [0, 0], [0, 0], [0, 0], [2, 0]]


def test_pieces_are_counted_as_scikit_learn_counts_them() -> None:
    texts = [" ".join("".join(c if c.isalnum() else " " for c in text).split()) for text in TEXTS]
    own = CountVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit(texts)
    pieces = list(own.vocabulary_)
    count_NV, _letters = count_terms(TEXTS, pieces, LETTERS)
    by_name = pd.DataFrame(own.transform(texts).toarray(), columns=own.get_feature_names_out())
    np.testing.assert_array_equal(count_NV, by_name[pieces])


def test_terms_are_weighted_as_scikit_learn_weighs_them() -> None:
    own = TfidfVectorizer(token_pattern=r"[^\W_]+", sublinear_tf=True).fit(TEXTS)
    terms = [f" {word} " for word in own.get_feature_names_out()]
    n = len(terms)
    sums, slopes = np.random.default_rng(0).normal(size=(2, n, 2))
    weighed = tuple(own.idf_.tolist()), 3, 5, tuple(sums[:5].ravel().tolist()), tuple(slopes.ravel().tolist())
    inputs = text_inputs(TEXTS, TextTerms(LETTERS, tuple(terms), *weighed))
    expected = own.transform(TEXTS).toarray()
    np.testing.assert_allclose(inputs[:, 1:4], 4 * expected[:, :3], atol=1e-12)
    np.testing.assert_allclose(inputs[:, 4:6], expected[:, :5] @ sums[:5], atol=1e-12)
    np.testing.assert_allclose(inputs[:, 6:], expected @ slopes, atol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_linear_predictions_of_training_rows_are_of_models_that_never_saw_them(weighted: bool) -> None:
    frame, rng = reviews(400), np.random.default_rng(1)
    texts, good_T = frame["review"].tolist(), (frame["y"] == "good").to_numpy().astype(float)
    weight_T = rng.uniform(0.5, 2, 400) if weighted else None
    target_TK = np.stack([good_T, rng.normal(size=400)], axis=1)
    target_TK -= target_TK.mean(axis=0)
    folds = TargetFolds(target_TK, np.arange(400) % 10, weight_T)
    known = fit_texts(texts, folds, True)
    held_TK = held_out_predictions(texts, folds, known.letters, known.terms, known.weights, known.slopes)
    unit = known._replace(shown=len(known.terms), sums=(), slopes=())
    value_TV = text_inputs(texts, unit)[:, 1:] / TERM_SCALE
    scaled_TK = PREDICTED * target_TK / np.sqrt((target_TK**2).mean())
    weights = np.ones(400) if weight_T is None else weight_T / weight_T.mean()
    own = Ridge(alpha=1.0, fit_intercept=False, solver="cholesky")
    for part in range(5):
        here = np.arange(400) % 5 == part
        own.fit(value_TV[~here], scaled_TK[~here], weights[~here] / weights[~here].mean())
        np.testing.assert_allclose(held_TK[here], own.predict(value_TV[here]), atol=0.2)
    own.fit(value_TV, scaled_TK, weights)
    new_TK = text_inputs(texts, known)[:, -2:]
    np.testing.assert_allclose(new_TK, own.predict(value_TV), atol=0.2)
    fitted, held = (np.corrcoef(of_TK[:, 1], target_TK[:, 1])[0, 1] for of_TK in (new_TK, held_TK))
    assert fitted > 0.7  # noise is learnt by heart
    assert abs(held) < 0.2
    assert np.corrcoef(held_TK[:, 0], target_TK[:, 0])[0, 1] > 0.8


def test_rows_that_no_model_learns_from_get_the_prediction_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, target_TK = reviews(60)["review"].tolist(), np.where(np.arange(60) % 2, 0.5, -0.5)[:, None]
    folds = TargetFolds(target_TK, np.arange(60) % 10)
    monkeypatch.setattr("treino.data.preparation.texts.MOST_LEARNT", 1000)
    monkeypatch.setattr("treino.data.preparation.texts.AT_ONCE", 7)
    known = fit_texts(texts, folds, True)
    held_TK = held_out_predictions(texts, folds, known.letters, known.terms, known.weights, known.slopes)
    same_T = np.isclose(held_TK, text_inputs(texts, known)[:, -1:], atol=1e-4)[:, 0]
    learnt = np.linspace(0, 59, 60 * 1000 // sum(map(len, texts))).astype(int)
    assert 5 < len(learnt) < 30
    assert same_T[np.setdiff1d(np.arange(60), learnt)].all()
    assert same_T[learnt].mean() < 0.5


def test_training_rows_get_held_out_predictions_and_others_all_of_them() -> None:
    frame = reviews(400).assign(y=np.random.default_rng(2).integers(12, size=400).astype(str))
    data = load(frame, target="y", target_means=True)  # of more than ten classes, which have no target means
    names = [f"review: linear prediction {k}" for k in range(1, 13)]
    places = [data.preparation.inputs.index(name) for name in names]
    assert len(program_of(data).told) == 12
    rows = rows_for_prediction(frame, data.preparation)
    others = [k for k in range(data.inputs) if k not in places]
    for name, part in data.splits.items():
        assert rows.x[part.index][:, others].equal(part.x[:, others])
        same = torch.isclose(rows.x[part.index][:, places], part.x[:, places], atol=1e-5).float().mean()
        assert same < 0.2 if name == "train" else same == 1
    assert not program_of(load(frame, target="y")).told


def test_what_tells_the_classes_comes_first_in_any_script() -> None:
    data = load(reviews(), target="y")
    terms, inputs = program_of(data).step("terms").terms, data.preparation.inputs
    assert inputs[0] == "price" or inputs[1] == "review (length)"
    told = [term.strip() for term in terms[: len(program_of(data).term_inputs)]]
    assert {"não", "péssimo", "👍", "demais", "muito"} <= set(told[:100])
    assert any(term in "这个电影很好看" for term in told[:100])
    assert len({*terms} & {" muito ", " muito bom ", "muito"}) == 1  # all in the same texts
    assert any("Free text, by words and pieces of words" in note and "review" in note for note in data.notes)
    assert any("Empty texts, and an input says where: review" in note for note in data.notes)
    assert data.train.x.isfinite().all()


def test_held_back_rows_have_no_part_in_it() -> None:
    frame = reviews()
    how: dict[str, Any] = {"validation": 0.2, "test": 0.2, "duplicates": "ignore"}
    data = load(frame, target="y", **how)
    held = np.concatenate([data.validation.index, data.test.index])
    other = frame.copy()
    other.loc[held, "review"] = [f"{'outras palavras ' * 5}{row}" for row in held]
    again = load(other, target="y", **how)
    assert again.train.index.equal(data.train.index)
    assert program_of(again) == program_of(data)


def test_a_text_of_numbers_alone_or_of_nothing_known_still_trains() -> None:
    for texts in ([f"{'?!' * (i % 7 + 1)} -" for i in range(60)], [chr(0x4E00 + i) * 9 for i in range(60)]):
        frame = pd.DataFrame({"t": texts, "y": np.arange(60) % 2})
        data = load(frame, target="y", kinds={"t": "text"}, duplicates="ignore")
        assert data.train.x.isfinite().all()
        assert program_of(data, "t").width == len(data.preparation.inputs)


def test_copies_of_a_text_are_on_one_side() -> None:
    frame = reviews(400)
    frame["review"] = np.where(
        frame["review"] == "", "", "uma frase comum a todos, e longa como poucas: " + frame["review"]
    )
    frame.loc[200:399, "review"] = frame["review"][:200].to_numpy()  # with another price
    data = load(frame, target="y", kinds={"review": "text"})
    part = pd.concat(pd.Series(name, rows.index.numpy()) for name, rows in data.splits.items())
    told = frame.assign(part=part)[frame["review"] != ""]
    assert (told.groupby("review")["part"].nunique() == 1).all()
    assert any("or almost in a long text: 1" in n or "or almost in a long text: 2" in n for n in data.notes)


SENTENCES = [
    "The engine was making a loud noise during climb",
    "we bought this for our mother and she loves it",
]


@pytest.mark.parametrize(
    ("cells", "prose"),
    [
        ([f"{SENTENCES[i % 2]}, flight {i}" if i % 3 else SENTENCES[1] for i in range(40)], True),
        (["BIRD STRUCK LEFT WING ON APPROACH AT NIGHT", "PILOT SAW A FLOCK OF GULLS NEAR US"], True),
        (["BIRD STRUCK LEFT WING ON APPROACH AT NIGHT"] * 9 + ["PILOT SAW A FLOCK of GULLS NEAR US"], True),
        (["这个电影真的很好看我们都喜欢", "质量太差了一点也不值得购买"], True),
        (["Braund, Mr. Owen Harris", "Futrelle, Mrs. Jacques Heath (Lily May Peel)"], False),
        (["maria da silva souza", "josé antônio dos santos"], False),
        (["MARIA DA SILVA", "JOSÉ ANTÔNIO DOS SANTOS PEREIRA"], False),
        (["张伟", "欧阳娜娜"], False),
        ([f"Rua das Flores, {i}, Apto 45, Jardim Paulista, São Paulo - SP, 01310" for i in range(9)], False),
        ([f"{i} main street, apt {i}, springfield il {62000 + i}" for i in range(9)], False),
        (["北京市朝阳区建国路88号", "上海市浦东新区世纪大道100号"], False),
        (["chevrolet chevelle malibu", "buick skylark 320"], False),
        (["Toy Story (1995)", "The Good, the Bad and the Ugly (1966)"], False),
        (["ana@example.org", "https://example.org/a/b?c=1"], False),
        (["3f2504e0-4f89-11d3-9a0c-0305e82c3301", "AB-1234/9"], False),
        (["red", "very large"], False),
    ],
)  # fmt: skip
def test_sentences_are_told_from_names_addresses_and_codes(cells: list[str], prose: bool) -> None:
    assert reads_as_prose(cells) == prose


ANY_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"))
    | st.sampled_from("aAéÉçİıßΣςσ नमस्ते你好😀👍🏽<br>&;,\u0301"),
    max_size=40,
)


@given(st.lists(ANY_TEXT, min_size=8, max_size=30))
@settings(max_examples=25, deadline=None)
def test_training_rows_get_the_same_inputs_alone(texts: list[str]) -> None:
    target_TK = np.where(np.arange(len(texts)) % 2, 0.5, -0.5)[:, None]
    folds = TargetFolds(target_TK, np.arange(len(texts)) % 10)
    known = fit_texts(texts, folds, True)
    program = text_program("t", known)
    assert program == ColumnProgram.model_validate(program.to_json())
    together = text_inputs(texts, known)
    assert together.shape == (len(texts), program.width)
    assert np.isfinite(together).all()
    for row in range(0, len(texts), 5):
        np.testing.assert_allclose(text_inputs([texts[row]], known)[0], together[row], atol=1e-9)
    other = [text.swapcase().swapcase() for text in texts]
    same = [a == b for a, b in zip(texts, other, strict=True)]
    np.testing.assert_allclose(text_inputs(other, known)[same], together[same], atol=1e-9)
