"""What a training on other rows takes from a run (``--like RUN`` beside DATA), and what is said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.preparation.preparation import Preparation
from treino.folders.network_source import NetworkSource
from treino.settings.network_call import in_place_of
from treino.settings.setting_types import as_item

LIKE_COLUMN = Refusal("{why} {run} learnt from it.", "{hint} Or say what to learn from: [[features=a,b]].")
LIKE_TARGET = Refusal("{why} {run} predicts it.", "{hint} Or say what to predict: [[target=NAME]].")


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

    def column_refusal(self, error: TreinoError) -> TreinoError:
        """The error for a column that the other rows lack, with the run that learnt from it."""
        learnt = LIKE_TARGET if error.rule == "target_unknown" else LIKE_COLUMN
        return learnt.named(error.rule)(why=error.message, run=self.run, hint=error.hint)

    def notes(self, data: Data) -> list[str]:
        """Sentences on the training: like which run, and the columns that are something else here."""
        notes = [_("Trained on other rows with the settings of {run}.").format(run=self.run)]
        kinds = {e.column: e.encoder for e in self.preparation.encoders}
        other = [e for e in data.preparation.encoders if kinds.get(e.column, e.encoder) != e.encoder]
        if other:
            each = [f"{e.column} ({_(kinds[e.column])} → {_(e.encoder)})" for e in other]
            text = _("Columns that become other inputs than in {run}: {names}. As there: [[kinds={kinds}]].")
            same = ",".join(f"{as_item(e.column)}={_ASKABLE[kinds[e.column]]}" for e in other)
            notes.append(text.format(run=self.run, names=", ".join(each), kinds=same))
        return notes


_ASKABLE = {"rank": "category", "time": "date"} | {
    name: name for name in ("number", "one-hot", "hashed", "date", "text")
}
