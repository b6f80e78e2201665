"""Where NumPy warned first that a result is not finite, also from deep within pandas."""

import warnings
from typing import Any

from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.tables import DataSeen

SAID = ("divide by zero encountered", "invalid value encountered")


class Warned:
    """Listens to the warnings that are shown; what a script silences is not seen."""

    def __init__(self, data: DataSeen, patches: Patches) -> None:
        self.data, self.patches = data, patches

    def install(self) -> None:
        """Put the wrap on."""
        self.patches.before(warnings, "_showwarnmsg", self._shown)

    def _shown(self, args: Any, kwargs: Any) -> None:
        said = str(args[0].message) if args and issubclass(args[0].category, RuntimeWarning) else ""
        if self.data.nan_born is None and said.startswith(SAID):
            self.data.nan_born = here()
