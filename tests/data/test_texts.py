"""Free text as inputs: counted and weighted as scikit-learn does, in any script, by training rows alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from treino.data import Data, load, rows_for_prediction
from treino.data.documents import TextEncoder
from treino.data.preparation.column_kinds import reads_as_prose
from treino.data.preparation.texts import count_terms, fit_texts, text_inputs

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


def encoder_of(data: Data, column: str = "review") -> TextEncoder:
    (encoder,) = [e for e in data.preparation.encoders if e.column == column]
    assert isinstance(encoder, TextEncoder)
    return encoder


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
    sums = np.random.default_rng(0).normal(size=(n, 2))
    inputs = text_inputs(TEXTS, LETTERS, terms, own.idf_.tolist(), 3, sums.ravel().tolist(), 4.0)
    expected = own.transform(TEXTS).toarray()
    np.testing.assert_allclose(inputs[:, 1:4], 4 * expected[:, :3], atol=1e-12)
    np.testing.assert_allclose(inputs[:, 4:], expected @ sums, atol=1e-12)


def test_what_tells_the_classes_comes_first_in_any_script() -> None:
    data = load(reviews(), target="y")
    encoder, inputs = encoder_of(data), data.preparation.inputs
    assert inputs[0] == "price" or inputs[1] == "review (length)"
    told = [term.strip() for term in encoder.terms[: encoder.shown]]
    assert {"não", "péssimo", "👍", "demais", "muito"} <= set(told[:100])
    assert any(term in "这个电影很好看" for term in told[:100])
    assert len({*encoder.terms} & {" muito ", " muito bom ", "muito"}) == 1  # all in the same texts
    assert any("Free text, by words and pieces of words" in note and "review" in note for note in data.notes)
    assert any("Empty texts, and an input says where: review" in note for note in data.notes)
    assert data.train.x.isfinite().all()


def test_held_back_rows_have_no_part_in_it() -> None:
    frame = reviews()
    data = load(frame, target="y", validation=0.2, test=0.2)
    held = np.concatenate([data.validation.index, data.test.index])
    other = frame.copy()
    other.loc[held, "review"] = [f"{'outras palavras ' * 5}{row}" for row in held]
    again = load(other, target="y", validation=0.2, test=0.2)
    assert again.train.index.equal(data.train.index)
    assert encoder_of(again) == encoder_of(data)


def test_a_text_of_numbers_alone_or_of_nothing_known_still_trains() -> None:
    for texts in ([f"{'?!' * (i % 7 + 1)} -" for i in range(60)], [chr(0x4E00 + i) * 9 for i in range(60)]):
        frame = pd.DataFrame({"t": texts, "y": np.arange(60) % 2})
        data = load(frame, target="y", kinds={"t": "text"}, duplicates="ignore")
        assert data.train.x.isfinite().all()
        assert encoder_of(data, "t").width == len(data.preparation.inputs)


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
    assert any("or in a long text: 1" in note or "or in a long text: 2" in note for note in data.notes)


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
    fields = fit_texts(texts, target_TK)
    encoder = TextEncoder(column="t", **fields)
    assert encoder == TextEncoder.model_validate(encoder.to_json())
    how = (encoder.letters, encoder.terms, encoder.weights, encoder.shown, encoder.sums, 4.0)
    together = text_inputs(texts, *how)
    assert together.shape == (len(texts), encoder.own_width)
    assert np.isfinite(together).all()
    for row in range(0, len(texts), 5):
        np.testing.assert_allclose(text_inputs([texts[row]], *how)[0], together[row], atol=1e-9)
    other = [text.swapcase().swapcase() for text in texts]
    same = [a == b for a, b in zip(texts, other, strict=True)]
    np.testing.assert_allclose(text_inputs(other, *how)[same], together[same], atol=1e-9)


def test_predicted_rows_get_the_inputs_of_training(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    reviews().to_csv(path, index=False)
    data = load(path, target="y")
    rows = rows_for_prediction(path, data.preparation)
    for part in data.splits.values():
        assert rows.x[part.index].equal(part.x)
    new = rows_for_prediction(
        pd.DataFrame({"price": [0.0, 0.0], "review": ["", "Палабра 未知 zzz"]}), data.preparation
    )
    assert new.missing == {"review": 1}
    assert new.x.isfinite().all()
