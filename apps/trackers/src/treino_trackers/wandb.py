"""Weights & Biases: a run in the project named for its data; ``WANDB_MODE=offline`` keeps it on this machine.

https://docs.wandb.ai/ref/python/
"""

from collections.abc import Mapping
from hashlib import sha256

import wandb

from treino_trackers.tracker import TrackedEnd, TrackedRun, plain_settings


class Wandb:
    """A run of Weights & Biases; a resumed run is recognised by its folder's path."""

    def begin(self, run: TrackedRun) -> None:
        number = sha256(str(run.path.resolve()).encode()).hexdigest()[:16]
        quiet = wandb.Settings(silent=True, console="off", disable_git=True, save_code=False)
        self.run = wandb.init(
            project=run.project,
            name=run.name,
            id=number,
            resume="allow",
            config=plain_settings(run.settings),
            settings=quiet,
            reinit="create_new",
        )

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        self.run.log(dict(figures), step=step)

    def finish(self, end: TrackedEnd) -> None:
        run = self.run
        run.summary.update(dict(end.figures) | {"status": end.status})
        run.tags = (*(run.tags or ()), *end.tags)
        images = {path.stem: wandb.Image(str(path)) for path in end.pictures}
        if end.table is not None:
            rows = [list(row) for row in end.table.rows]
            images["members"] = wandb.Table(columns=list(end.table.columns), data=rows)
        if images:
            run.log(images)
        if end.folder is not None:
            artifact = wandb.Artifact(f"treino-{end.folder.name}", type="run")
            artifact.add_dir(str(end.folder))
            run.log_artifact(artifact)
        run.finish(exit_code=0 if end.status == "finished" else 1)
