"""Downloads of a run's page: weights, script, report, GIF, and the commands that make the run again; for a
sweep's page, how much each setting mattered.

``python -m treino_studio.take RUN FORM KEY NUMBER`` writes messages for the studio's server, one a line:
notices to page KEY on what it is making, then the reply NUMBER; after it the file's bytes. It is a process of
its own because drawing and measuring take seconds.
"""

import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from treino.base.apps import brought
from treino.base.encoding import compact_json
from treino.base.errors import TreinoError
from treino.folders import OutputFile, RunFolder
from treino.plots import importance_sentences
from treino.reports import importance_of
from treino.reports.export.formats import exported
from treino.reports.report import report
from treino.reports.run_report import Tell, silent, writing
from treino.training import StoredSweep, open_run
from treino_studio.messages import ErrorMessage, Message, PageMessage, Reply, notice
from treino_studio.run_state import commands


def take(path: Path, form: str, tell: Tell = silent) -> tuple[str, bytes]:
    """Make a file from a run; return (name, content). form: weights, script, report, gif or command; for a
    sweep, importance. tell: gets each part of a report or film before it is made.

    Raises:
        TreinoError: the run lacks what the file needs.
    """
    if form == "importance":
        return f"{path.name}.json", compact_json(_importance(StoredSweep(RunFolder.open(path, verify=False))))
    run = open_run(path, verify=False)
    name = run.name
    if form == "command":
        return f"{name}.txt", f"{commands(run)}\n".encode()
    if form == "gif":
        return f"{name}.gif", brought("treino.functions", "moving_picture")(run, tell)
    if form == "report":
        with TemporaryDirectory() as folder:
            to = OutputFile(Path(folder) / "report.html", (".html",))
            return f"{name}.html", report([run], to, tell=tell).read_bytes()
    written = exported(run, "safetensors" if form == "weights" else "script").paths[0]
    if form == "weights":
        return f"{name}.safetensors", written.read_bytes()
    zipped = BytesIO()
    with ZipFile(zipped, "w") as packed:  # the script needs the files in its folder
        for each in sorted(written.parent.iterdir()):
            if each.is_file():
                packed.write(each, f"{name}/{each.name}")
    return f"{name}-script.zip", zipped.getvalue()


def _importance(sweep: StoredSweep) -> dict[str, Any]:
    """How much each setting mattered: the mean and the deviation over shuffles, and how sure that is."""
    found = importance_of(sweep)
    about, warning = importance_sentences(found)
    mean_K, std_K = found.drop_KR.mean(1).tolist(), found.drop_KR.std(1).tolist()
    settings = [
        {"name": name, "drop": mean, "std": std}
        for name, mean, std in zip(found.names, mean_K, std_K, strict=True)
    ]
    return {"settings": settings, "explained": found.explained, "about": about, "warning": warning}


def main() -> None:
    """Write to stdout the file that the arguments (RUN FORM KEY NUMBER) ask for."""
    path, form, key, number = sys.argv[1:]
    content = b""

    def say(message: Message) -> None:
        sys.stdout.buffer.write(compact_json(message.model_dump()) + b"\n")
        sys.stdout.buffer.flush()

    def tell(what: str, number: int, of: int) -> None:
        say(PageMessage(key=key, send=notice(writing(what, number, of), "busy")))

    try:
        name, content = take(Path(path), form, tell)
        say(Reply(reply=int(number), file=name))
    except TreinoError as error:
        say(Reply(reply=int(number), error=ErrorMessage.of(error)))
    sys.stdout.buffer.write(content)


if __name__ == "__main__":
    main()
