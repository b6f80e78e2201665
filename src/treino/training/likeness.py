"""What a training on other rows takes from a run: settings (``--like RUN`` beside DATA), weights that fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from treino.base.errors import Refusal, TreinoError
from treino.base.text import listed
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.preparation.preparation import Preparation
from treino.data.preparation.ways import way_asked
from treino.folders.network_source import NetworkSource
from treino.settings.network_call import in_place_of
from treino.settings.setting_types import as_item

WEIGHTS_MEANING = Refusal(
    "The weights of {run} are for other {what}: there {theirs}, here {ours}. {apart}",
    "Take rows with the same, or begin anew: leave [[weights]] out.",
    rule="weights_differ",
)
LIKE_COLUMN = Refusal("{why} {run} learnt from it.", "{hint} Or say what to learn from: [[features=a,b]].")
LIKE_TARGET = Refusal("{why} {run} predicts it.", "{hint} Or say what to predict: [[target=NAME]].")
NAMED = 10  # classes or columns that a refusal lists


@dataclass(frozen=True, eq=False)
class Likeness:
    """What a training on other rows takes from a run, or from a network of a sweep.

    settings: those that were typed for it; what its rows or its recipe decided is decided anew. networks: the
    source of the network file that they name. preparation: what its columns were. net: the former network.
    """

    run: str
    settings: Mapping[str, Any]
    networks: NetworkSource
    preparation: Preparation
    net: str | None

    def with_settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The settings with those that are given for this training, and without what these make void: the
        task of another target, a length in other units."""
        own = dict(self.settings)
        if str(given.get("target", own.get("target"))) != str(own.get("target")):
            own.pop("task", None)
            own["features"] = [f for f in own.get("features") or () if f != given["target"]] or None
        for length, other in (("epochs", "steps"), ("steps", "epochs")):
            if length in given:
                own.pop(other, None)
        net = {"net": in_place_of(self.net, given["net"])} if isinstance(given.get("net"), str) else {}
        return {name: value for name, value in own.items() if value is not None} | dict(given) | net

    def notes(self, data: Data) -> list[str]:
        """Sentences on the training: like which run, and the columns that are something else here."""
        notes = [_("Trained on other rows with the settings of {run}.").format(run=self.run)]
        ways = {program.column: program.way for program in self.preparation.programs}
        other = [p for p in data.preparation.programs if ways.get(p.column, p.way) != p.way]
        if other:
            each = [f"{p.column} ({_(ways[p.column])} → {_(p.way)})" for p in other]
            text = _("Columns that become other inputs than in {run}: {names}. As there: [[kinds={kinds}]].")
            same = ",".join(f"{as_item(p.column)}={way_asked(ways[p.column])}" for p in other)
            notes.append(text.format(run=self.run, names=", ".join(each), kinds=same))
        return notes


def column_refusal(run: str, error: TreinoError) -> TreinoError:
    """The error for a column that the rows lack, with the run that learnt from it."""
    learnt = LIKE_TARGET if error.rule == "target_unknown" else LIKE_COLUMN
    return learnt.named(error.rule)(why=error.message, run=run, hint=error.hint)


def in_order_of(known: Preparation, features: Sequence[str] | None) -> list[str] | None:
    """The columns to learn from with the weights of another training: matched by name, in that one's order.

    features: those that were typed, if any; if they are other ones, they stay.
    """
    same = known.programs and (features is None or set(features) == set(known.features))
    return list(known.features if same else features or ()) or None


def check_weights(run: str, known: Preparation, here: Preparation) -> None:
    """Refuse weights for rows whose inputs or outputs mean something else than in the run that learnt them.

    run: its name. known: its preparation.

    Raises:
        TreinoError: names the classes, the columns or a column's values that differ.
    """
    parts = [
        (_("answers of the network"), known.outputs, here.outputs),
        (_("columns"), known.features, here.features),
    ]
    for there, now in zip(known.programs, here.programs, strict=False):
        inputs = _("inputs of the column '{name}'").format(name=now.column)
        parts.append((inputs, there.meanings, now.meanings))
    for what, theirs, ours in parts:
        if theirs != ours:
            named = [
                text.format(names=listed(names, NAMED))
                for text, one, other in (
                    (_("Only there: {names}."), theirs, ours),
                    (_("Only here: {names}."), ours, theirs),
                )
                if (names := [name for name in one if name not in set(other)])
            ]
            apart = " ".join(named or [_("The order differs.")])
            lists = {"theirs": listed(theirs, NAMED), "ours": listed(ours, NAMED)}
            raise WEIGHTS_MEANING(run=run, what=what, apart=apart, **lists)
