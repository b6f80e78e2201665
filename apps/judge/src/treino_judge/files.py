"""Recognises another tool's file or folder by its content, and reads its trials. Nothing is executed."""

import errno
import os
import sqlite3
import stat
from pathlib import Path

from treino.base import files
from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino.data import unreadable
from treino.folders.store import manifest, sqlite
from treino_judge.exported_tables import read_table
from treino_judge.mlflow_store import TABLES as OF_MLFLOW
from treino_judge.mlflow_store import is_mlruns, mlflow_trials
from treino_judge.optuna_study import TABLES as OF_OPTUNA
from treino_judge.optuna_study import optuna_trials
from treino_judge.ray_folder import is_experiment, ray_trials
from treino_judge.table import TRIALS_NONE, TrialFile

TRIALS_MISSING = Refusal(
    "There is no file or folder '{path}'.",
    "Give a study's SQLite file, a folder of Ray Tune or MLflow, or a table of trials in CSV or JSON.",
)
TRIALS_PICKLE = Refusal(
    "'{path}' is a pickle: reading it could run any program, so it is not read.",
    'Write the results as CSV: pandas.DataFrame(search.cv_results_).to_csv("trials.csv")',
)
TRIALS_OWN = Refusal(
    "{path} is a run, sweep or study of treino's own, which has its judgement already.",
    "See it: treino show {path}",
)
TRIALS_LOCKED = Refusal(
    "{message}", "Wait until the program that writes it lets it go, or judge a copy.", status=1
)
TRIALS_DAMAGED = Refusal("{message}", "Restore it from a copy; sqlite3's .recover may save what is readable.")
FOLDER_UNKNOWN = Refusal(
    "'{path}' is neither an experiment of Ray Tune nor a folder mlruns of MLflow.",
    "{hint}",
    rule="trials_unknown",
)
DATABASE_UNKNOWN = Refusal(
    "'{path}' is a SQLite file, but neither of Optuna nor of MLflow.",
    "Write the trials as CSV.",
    rule="trials_unknown",
)
STUDY_UNKNOWN = Refusal(
    "'{path}' is no store of several studies, so [[study]] says nothing.", "Leave [[study]] out."
)
_SQLITE = b"SQLite format 3\0"
_LIKELY = ".db", ".sqlite", ".sqlite3", ".csv", ".json"
_PICKLES = ".pkl", ".pickle", ".joblib", ".dill"


def read_trials(source: str, study: str | None = None) -> TrialFile:
    """Read the trials in a file or folder. study: which study or experiment, if there are several.

    A search in progress is read as it is at one moment. Neither the file nor anything beside it is changed.

    Raises:
        TreinoError: there is nothing, or nothing that holds trials; the file is locked, damaged, too large,
            or a pickle; there are several studies.
    """
    try:
        path = Path(source).resolve()
        mode = path.stat().st_mode
        head = b"" if not stat.S_ISREG(mode) else _head(path)
    except RuntimeError:  # raised by older Pythons for a link that leads back to itself
        raise unreadable(Path(source), OSError(errno.ELOOP, os.strerror(errno.ELOOP))) from None
    except (OSError, ValueError) as error:
        raise _unreadable(source, error) from None
    if stat.S_ISDIR(mode):
        found = _in_folder(path, source, study)
    elif head[:16] == _SQLITE:
        return _in_database(path, study)
    elif path.suffix.lower() in _PICKLES or head[:1] == b"\x80":
        raise TRIALS_PICKLE(path=source)
    elif not head and stat.S_ISREG(mode):
        raise TRIALS_NONE()
    else:
        found = read_table(path)
    if study is not None and found.source not in ("mlflow",):
        raise STUDY_UNKNOWN(path=source)
    return found


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def _unreadable(source: str, error: Exception) -> TreinoError:
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return unreadable(Path(source), error)
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError | NotADirectoryError):
        return files.problem(Path(source), error.errno or 0, error.strerror or str(error))
    return TRIALS_MISSING(path=source)


def _in_folder(folder: Path, source: str, study: str | None) -> TrialFile:
    own = folder / manifest.NAME
    if own.is_file() and b'"kind"' in own.read_bytes():
        raise TRIALS_OWN(path=source)
    if is_experiment(folder):
        return ray_trials(folder)
    if is_mlruns(folder):
        return mlflow_trials(folder, study)
    inside = [os.path.join(source, p.name) for p in sorted(folder.iterdir()) if p.name == "mlruns"]
    inside += [os.path.join(source, p.name) for p in sorted(folder.iterdir()) if p.suffix in _LIKELY]
    hint = _("Give the folder that holds the trials' folders, or a file.")
    if inside:
        hint = _("Perhaps: {names}").format(names=", ".join(inside[:5]))
    raise FOLDER_UNKNOWN(path=source, hint=hint)


def _in_database(path: Path, study: str | None) -> TrialFile:
    """Read the trials in a SQLite file as they are at one moment. The file isn't changed. It is locked
    against writing only while its rows are read, or not at all in write-ahead-log mode.
    """

    def ask(connection: sqlite3.Connection) -> TrialFile | None:
        connection.execute("BEGIN")
        tables = {str(row[1]) for row in sqlite.objects(connection) if row[0] == "table"}
        if tables >= OF_OPTUNA:
            return optuna_trials(connection, tables, study)
        if tables >= OF_MLFLOW:
            return None
        raise DATABASE_UNKNOWN(path=path)

    try:
        with sqlite.trouble(path):
            found = sqlite.of_file(path, ask, copied=sqlite.has_log(path))
        return mlflow_trials(path, study) if found is None else found
    except TreinoError as error:
        if error.rule == files.RUN_DAMAGED.rule:
            raise TRIALS_DAMAGED(message=error.message) from None
        if error.rule == sqlite.DATABASE_BUSY.rule:
            raise TRIALS_LOCKED(message=error.message) from None
        raise
