"""Puts the judgement of a search into sentences and a document, with the papers that it rests on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from treino.base.words import N_, _, joined, numeral
from treino.inspection import FEWEST, VarianceShares
from treino.inspection.variance_shares import variance_shares
from treino_judge.luck import POWER, Basis, Judgement, TrialComparison, judged
from treino_judge.table import UNITS, Cell, Trial, TrialTable, value_text

Verdict = Literal["winner", "tie", "unknown"]

SHOWN_SETTINGS = 5  # maximum number of a trial's settings in a sentence
SOURCES: Mapping[str, str] = {
    "overtuning": "Schneider, Bischl & Feurer: Overtuning in Hyperparameter Optimization, AutoML 2025,"
    " arXiv 2506.19540",
    "bootstrap": "Tsamardinos, Greasidou & Borboudakis: Bootstrapping the out-of-sample predictions for"
    " efficient and accurate cross-validation, Machine Learning 107, 2018",
    "normal": "the mean of the largest of M normal errors (order statistics)",
    "fold": "Nadeau & Bengio: Inference for the generalization error, Machine Learning 52, 2003",
    "second": "Hung & Fithian: Rank verification for exponential families, Annals of Statistics 47, 2019",
    "first": "Dunnett: A multiple comparison procedure for comparing several treatments with a control,"
    " JASA 50, 1955",
    "settings": "Hutter, Hoos & Leyton-Brown: An efficient approach for assessing hyperparameter importance,"
    " ICML 2014",
}
TOOLS = {
    "optuna": "Optuna",
    "ray": "Ray Tune",
    "wandb": "W&B",
    "mlflow": "MLflow",
    "sklearn": "scikit-learn",
    "table": N_("a table"),
}
_FROM: Mapping[Basis, str] = {
    "seed": N_("the spread between seeds"),
    "fold": N_("the spread between folds"),
    "row": N_("the spread between rows"),
    "repeats": N_("trials of equal settings"),
    "settings": N_("what the settings leave unexplained"),
    "spread": N_("the spread of all trials"),
}


@dataclass(frozen=True)
class SettingShares:
    """How much of the scores K settings explain, the most important first. left_out: settings with one value
    alone, or with words that differ in every trial."""

    names: tuple[str, ...]
    shares: VarianceShares | None
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Conclusions:
    """A judged search: the table, the judgement, the settings' shares."""

    table: TrialTable
    judgement: Judgement
    settings: SettingShares

    @property
    def verdict(self) -> Verdict:
        """winner: the best beats the second beyond chance. tie: it doesn't. unknown: the data can't tell."""
        better = self.judgement.comparisons[0].better
        return "unknown" if better is None else "winner" if better else "tie"

    def sentences(self) -> list[str]:
        """The sentences of the judgement: luck, comparisons, what a rerun would take."""
        return [
            self._luck(),
            *map(self._comparison, self.judgement.comparisons),
            *self._ties(),
            self._rerun(),
        ]

    def notes(self) -> list[str]:
        """What a reader must know to judge how far the figures can be trusted."""
        j, notes = self.judgement, list(self.table.notes)
        if j.left_out:
            text = _("{n:,} {n:trial has|trials have} fewer {unit} than others, and {n:is|are} not judged.")
            notes.append(text.format(n=j.left_out, unit=_(UNITS[self.table.unit or "fold"])))
        if j.best_left_out is not None:
            text = _(
                "The best of those left out, trial {name}, has {metric} {score}: better than the best that "
                "is judged."
            )
            out = j.best_left_out
            notes.append(text.format(name=out.name, metric=self.table.metric, score=numeral(out.score)))
        if j.repeated:
            text = _(
                "{n:,} {n:trial repeats|trials repeat} an earlier one's settings: both count as one trial."
            )
            notes.append(text.format(n=j.repeated))
        if j.noise.share:
            text = _("The {n} folds are taken as the parts of one split; their training rows overlap.")
            notes.append(text.format(n=self.table.folds))
        if not j.noise.measured:
            text = _(
                "Only one score of each trial is there, so the noise is known at most by {basis}. To know "
                "it, train some settings again with other seeds, or keep the score of every fold."
            )
            notes.append(text.format(basis=_(_FROM[j.noise.basis])))
        s = self.settings
        if s.left_out:
            text = _("No share is given for {names}: one value alone, or another word in each trial.")
            notes.append(
                text.format(names=", ".join(s.left_out[:8]) + (", …" if len(s.left_out) > 8 else ""))
            )
        if not s.names and not s.left_out:
            notes.append(_("Which settings matter isn't told: say which columns they are, [[settings=a,b]]."))
        elif s.shares is None and s.names:
            text = _("Which settings matter takes at least {n} trials with different scores.")
            notes.append(text.format(n=FEWEST))
        elif s.shares is not None and s.shares.explained_high <= 0:
            notes.append(_("The settings explain nothing of the scores that was not seen before."))
        return notes

    def sources(self) -> list[str]:
        """The papers on which the figures rest."""
        j = self.judgement
        used = ["overtuning"]
        used += [j.luck.method] if j.luck.method in SOURCES else []
        used += ["fold"] if j.noise.share else []
        used += [c.role for c in j.comparisons if c.p is not None]
        used += ["settings"] if self.settings.shares is not None else []
        return [SOURCES[name] for name in used]

    def document(self, path: str) -> dict[str, Any]:
        """The judgement as the JSON document of ``treino judge``."""
        table, j = self.table, self.judgement
        shares = self.settings.shares
        return {
            "path": path,
            "source": table.source,
            "study": table.study,
            "trials": table.counts | {"judged": len(j.trials)},
            "score": {
                "name": table.metric,
                "direction": "maximize" if table.better > 0 else "minimize",
                "unit": table.unit,
                "each": len(j.trials[j.best].scores) or 1,
            },
            "verdict": self.verdict,
            "best": self._entry(j.best),
            "second": self._entry(j.second),
            "first": self._entry(0),
            "luck": {
                **vars(j.luck),
                "noise": j.noise.deviation,
                "noise_from": j.noise.basis,
                "noise_is": "measured" if j.noise.measured else "at most",
            },
            "comparisons": [
                {
                    "with": c.role,
                    "trial": j.trials[c.other].name,
                    "difference": c.difference,
                    "standard_error": c.error,
                    "p": c.p,
                    "better": c.better,
                }
                for c in j.comparisons
            ],
            "ties": j.ties,
            "settings": [
                {
                    "name": name,
                    "share": None if shares is None else float(shares.share_K[k]),
                    "interval": None if shares is None else [float(shares.low_K[k]), float(shares.high_K[k])],
                }
                for k, name in enumerate(self.settings.names)
            ],
            "explained": None if shares is None else shares.explained,
            "rerun": {
                "trials": [j.trials[j.best].name, j.trials[j.second].name],
                "unit": table.unit,
                "each": j.rerun.each,
                "difference": j.rerun.difference,
                "power": POWER,
                "seconds": j.rerun.seconds,
            },
            "sentences": self.sentences(),
            "notes": self.notes(),
            "sources": self.sources(),
        }

    def _entry(self, place: int) -> dict[str, Any]:
        trial = self.judgement.trials[place]
        return {
            "trial": trial.name,
            "score": trial.score,
            "scores": list(trial.scores.values()),
            "settings": {name: _plain(value) for name, value in trial.settings.items()},
            "seconds": trial.seconds,
        }

    # ---- sentences

    def _luck(self) -> str:
        j, luck = self.judgement, self.judgement.luck
        seen = {"metric": self.table.metric, "seen": numeral(j.trials[j.best].score), "n": len(j.trials)}
        if luck.amount is not None and luck.expected is not None and luck.interval is not None:
            low, high = (numeral(end) for end in luck.interval)
            text = _(
                "Of the best {metric}, {seen}, about {luck} is luck of the choice among {n:,}: expect "
                "{expected} [{low}, {high}] of new {unit}."
            )
            seen |= {"luck": numeral(luck.amount, ".2g"), "expected": numeral(luck.expected)}
            return text.format(low=low, high=high, unit=_(UNITS[self.table.unit or "fold"]), **seen)
        if len({trial.score for trial in j.trials}) == 1:
            return _("All {n:,} trials have the same {metric}, {seen}.").format(**seen)
        most = numeral(luck.at_most or 0.0, ".2g")
        if luck.method == "normal":
            text = _(
                "Of the best {metric}, {seen}, at most about {luck} is luck of the choice among {n:,} (a "
                "bound: the largest of {n:,} normal errors, by {basis})."
            )
            return text.format(luck=most, basis=_(_FROM[j.noise.basis]), **seen)
        text = _(
            "How much of the best {metric}, {seen}, is luck can't be told from one score of each trial: "
            "anything up to {luck}, its distance from the median of {n:,} trials."
        )
        return text.format(luck=most, **seen)

    def _comparison(self, c: TrialComparison) -> str:
        j = self.judgement
        other = _("the second, trial {name}") if c.role == "second" else _("the first, trial {name}")
        facts = {
            "best": j.trials[j.best].name,
            "other": other.format(name=j.trials[c.other].name),
            "difference": numeral(abs(c.difference), ".2g"),
        }
        if c.p is None:
            return _(
                "Nothing tells whether trial {best} is better than {other}: it leads by {difference}."
            ).format(**facts)
        facts["p"] = _("p below 0.001") if c.p < 0.001 else _("p {p}").format(p=numeral(c.p, ".2g"))
        if c.better:
            return _("Trial {best} is better than {other}, by {difference} ({p}).").format(**facts)
        return _(
            "Trial {best} is not better beyond chance than {other}: it leads by {difference} ({p})."
        ).format(**facts)

    def _ties(self) -> list[str]:
        j = self.judgement
        if j.ties is None or j.ties < 3:
            return []
        return [
            _("{n:,} of {of:,} trials may be as good as the best, for all that these scores tell.").format(
                n=j.ties, of=len(j.trials)
            )
        ]

    def _rerun(self) -> str:
        j = self.judgement
        facts = {
            "best": j.trials[j.best].name,
            "second": j.trials[j.second].name,
            "difference": numeral(j.rerun.difference, ".2g"),
        }
        if not j.noise.measured:
            return _(
                "To be sure, train trials {best} and {second} five times each with fresh seeds, and judge "
                "these."
            ).format(**facts)
        if j.rerun.difference <= 0:
            return _("Trials {best} and {second} have equal scores: take the cheaper one.").format(**facts)
        unit = _("fresh seeds")
        if self.table.unit not in (None, "seed"):
            unit = _("fresh {unit}").format(unit=_(UNITS[self.table.unit]))
        if j.rerun.each is None and j.noise.share:
            return _(
                "No number of further folds of the same rows would tell trials {best} and {second} apart if "
                "they differ by {difference}, as seen: their training rows overlap, and it takes more rows."
            ).format(**facts)
        if j.rerun.each is None:
            return _(
                "Thousands of {unit} would not tell trials {best} and {second} apart if they differ by "
                "{difference}, as seen: take the cheaper one."
            ).format(unit=unit, **facts)
        text = _(
            "To tell trials {best} and {second} apart, if they differ by {difference} as seen: {n:,} {unit} "
            "of each (found in {power:.0%} of cases)."
        )
        said = [text.format(n=j.rerun.each, unit=unit, power=POWER, **facts)]
        if j.rerun.seconds is not None:
            said.append(_("That takes about {time} in all.").format(time=time_text(j.rerun.seconds)))
        return joined(said, " ")


def conclusions(table: TrialTable) -> Conclusions:
    """Judge a table of at least two trials with scores."""
    judgement = judged(table)
    return Conclusions(table, judgement, _setting_shares(table, judgement.trials))


def _setting_shares(table: TrialTable, trials: Sequence[Trial]) -> SettingShares:
    names = list(dict.fromkeys(name for trial in trials for name in trial.settings))
    told: list[str] = []
    left_out: list[str] = []
    for name in names:
        values = [trial.settings.get(name) for trial in trials]
        different = len(set(map(str, values)))
        words = any(isinstance(value, str) for value in values)
        (left_out if different == 1 or (words and different == len(trials)) else told).append(name)
    y_M = np.array([table.better * trial.score for trial in trials])
    shares = variance_shares([[trial.settings.get(name) for trial in trials] for name in told], y_M)
    if shares is None:
        return SettingShares(tuple(told), None, tuple(left_out))
    order = np.argsort(-shares.share_K, kind="stable")
    by_setting = {name: getattr(shares, name)[order] for name in ("share_K", "low_K", "high_K")}
    ordered = replace(shares, **by_setting)
    return SettingShares(tuple(told[k] for k in order), ordered, tuple(left_out))


def settings_text(settings: Mapping[str, Cell]) -> str:
    """Write a trial's first settings as text."""
    texts = [f"{name}={value_text(value)}" for name, value in settings.items()]
    return joined(texts[:SHOWN_SETTINGS] + (["…"] if len(texts) > SHOWN_SETTINGS else []), ", ")


def _plain(value: Cell) -> Cell:
    """Prepare a value for JSON, where whole numbers have no decimal point."""
    if isinstance(value, float):
        return None if not math.isfinite(value) else int(value) if value == int(value) else value
    return value


def time_text(seconds: float) -> str:
    """Write a time in the unit that needs the fewest digits."""
    for size, text in ((86_400, _("{n} days")), (3_600, _("{n} h")), (60, _("{n} min"))):
        if seconds >= 1.5 * size:
            return text.format(n=numeral(seconds / size, ".2g" if seconds < 10 * size else ",.0f"))
    return _("{n} s").format(n=numeral(seconds, ".2g" if seconds < 10 else ".0f"))
