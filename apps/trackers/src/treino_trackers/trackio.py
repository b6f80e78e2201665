"""Trackio: a run in the local project named after its data; ``trackio show`` opens its page.

https://huggingface.co/docs/trackio
"""

import contextlib
import io
from collections.abc import Mapping

import trackio

from treino_trackers.tracker import TrackedEnd, TrackedRun, plain_settings


class Trackio:
    """A run of Trackio; a resumed run is recognised by its name."""

    def begin(self, run: TrackedRun) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            named = {"project": run.project, "name": run.name, "config": plain_settings(run.settings)}
            trackio.init(**named, resume="allow", embed=False)

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        trackio.log(dict(figures), step=step)

    def finish(self, end: TrackedEnd) -> None:
        trackio.log(dict(end.figures) | {"status": ", ".join((end.status, *end.tags))})
        for path in end.pictures:
            trackio.log({path.stem: trackio.Image(str(path))})
        if end.table is not None:
            import pandas as pd

            members = pd.DataFrame(end.table.rows, columns=end.table.columns)
            trackio.log({"members": trackio.Table(dataframe=members)})
        if end.folder is not None:
            trackio.save(f"{end.folder}/**/*")
        with contextlib.redirect_stdout(io.StringIO()):
            trackio.finish()
