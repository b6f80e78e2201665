"""The catalogues of translations: ``make words`` finds the sentences, merges them in and compiles.

A sentence is what stands in ``_()``, ``N_()`` or ``Refusal()``, the help of a flag (``Parameter`` and the
settings of ``spec.py``), what a ``Rule`` of the doctor says, the docstring of a verb, what a script of a kata
or an exercise says, and each text of a ``words.json``. Each package has catalogues of its own:
``treino_doctor``, ``treino``, which looks in the doctor's, too, and each app. Each floor has its own
``locale/LANGUAGE/FLOOR.po``, so that several people can translate side by side; all of a package are compiled
into one ``.mo``. A new sentence comes with an empty translation, a translation whose sentence is gone goes
with it, and nothing is guessed from a sentence that is like it. A new language: make its folder in both
``locale/`` and run this.
"""

import ast
import inspect
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "treino"
DOCTOR = ROOT / "doctor" / "src" / "treino_doctor"
BASES = ["treino_doctor", "treino"]  # the packages on which each app is based
APPS = sorted((ROOT / "apps").glob("*/src/treino_*"))
FOLDERS = {"treino_doctor": DOCTOR, "treino": SOURCE, **{app.name: app for app in APPS}}
"""Where each package's sentences are; packages on which others are based come first."""
LOCALES = {package: folder / "locale" for package, folder in FOLDERS.items()}
LOOKUPS = {"_": 1, "N_": 1, "Refusal": 2}  # how many of their arguments are sentences
FIELD = re.compile(r"\{\w+\}")  # a text that holds a whole sentence of its own
ARGUMENTS = {"Parameter": ("help",), "Rule": ("message", "why", "fix")}  # arguments that are sentences
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # so that a merge that changes nothing changes no file


def sentences(path: Path) -> Iterator[str]:
    """The sentences of one file, in its order.

    Raises:
        ValueError: an f-string or a sum where a sentence should stand, which no catalogue can hold.
    """
    if path.suffix == ".json":
        yield from (text for part in json.loads(path.read_text("utf-8")).values() for text in part.values())
        return
    nodes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, (ast.Call, ast.FunctionDef))]
    for node in sorted(nodes, key=lambda n: (n.lineno, n.col_offset)):
        if isinstance(node, ast.Call):
            yield from _called(node, path)
        elif _is_verb(node):
            yield inspect.cleandoc(ast.get_docstring(node) or "")
    if path.parent.name == "scripts":
        from treino_lessons.tasks import KINDS

        kind = next(kind for kind in KINDS.values() if path.is_relative_to(kind.scripts))
        yield from kind.read(path).sentences()
    if path == SOURCE / "settings" / "spec.py":
        from treino.settings.spec import Settings

        yield from (field.description or "" for field in Settings.model_fields.values())
    if path == SOURCE / "settings" / "options.py":
        from treino.settings import options

        for table in (options.SweepOptions, options.StudyOptions, options.ClusterOptions):
            yield from (field.description or "" for field in table.model_fields.values())


def _called(node: ast.Call, path: Path) -> Iterator[str]:
    name = getattr(node.func, "id", "")
    for text in node.args[: LOOKUPS.get(name, 0)]:
        if isinstance(text, (ast.JoinedStr, ast.BinOp)):
            raise ValueError(
                f"{path}:{node.lineno}: a sentence in {name}() is one string without values in it"
            )
        yield from (sentence for sentence in _text(text) if not FIELD.fullmatch(sentence))
    for keyword in node.keywords if name in ARGUMENTS else ():
        if keyword.arg in ARGUMENTS[name]:
            yield from (" ".join(text.split()) for text in _text(keyword.value))


def _text(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value


def _is_verb(node: ast.FunctionDef) -> bool:
    arguments = [*node.args.args, *node.args.kwonlyargs]
    return not node.name.startswith("_") and any(
        isinstance(a.annotation, ast.Name) and a.annotation.id == "ScreenFlag" for a in arguments
    )


@cache
def by_floor(package: str) -> dict[str, dict[str, list[str]]]:
    """{floor: {sentence: the files where it stands}}; a sentence of several floors is listed at the first.

    What the catalogue of an earlier package has is not listed again.
    """
    found: dict[str, dict[str, list[str]]] = {}
    home: dict[str, str] = {}
    earlier = BASES[: BASES.index(package)] if package in BASES else BASES
    known = {sentence for other in earlier for floor in by_floor(other).values() for sentence in floor}
    for path in sorted([*FOLDERS[package].rglob("*.py"), *FOLDERS[package].rglob("page/words.json")]):
        place = path.relative_to(FOLDERS[package])
        floor = place.parts[0] if len(place.parts) > 1 else package
        for sentence in sentences(path):
            if sentence not in known:
                files = found.setdefault(home.setdefault(sentence, floor), {}).setdefault(sentence, [])
                if str(place) not in files:
                    files.append(str(place))
    return found


def entry_sentences() -> dict[str, str]:
    """{sentence: whose}: what the entries of the registries and the doctor's rules say to a reader.

    They get into the catalogues where they are marked with ``N_``, and nothing else marks them.
    """
    from treino.base.formula import Symbol
    from treino.data import BUILTINS
    from treino.engine import HP, LOSSES, METRICS, OPTIMIZERS
    from treino.engine.optim import UpdateInputs
    from treino_doctor.rules import rules

    said: dict[str, list[str]] = {name: [entry.about] for name, entry in BUILTINS.items()}
    for name, loss in LOSSES.items():
        terms = loss.terms
        said[name] = [loss.about, *((terms.about, terms.slope_about) if terms else ())]
    said |= {name: [metric.label] for name, metric in METRICS.items()}
    for name, optimizer in OPTIMIZERS.items():
        hp = HP | {"momentum": 0.9}
        state, w, g = dict.fromkeys(optimizer.states, 1.0), Symbol("w", 1.0), Symbol("g", 1.0)
        lines = optimizer.lines(UpdateInputs(w, g, state, hp, 1, True))
        said[name] = [optimizer.about, *(line.about for line in lines)]
    said |= {name: [rule.message, rule.why, rule.fix] for name, rule in rules().items()}
    return {sentence: name for name, of in said.items() for sentence in of if sentence}


def translations(folder: Path) -> dict[str, str]:
    """{sentence: translation} of all floors of a language; an empty text if there is none yet."""
    read = (_read(path) for path in sorted(folder.glob("*.po")))
    return {str(m.id): str(m.string) for catalogue in read for m in catalogue if m.id}


def compiled(package: str, language: str) -> dict[str, str]:
    """{sentence: translation} of a language as the program reads it."""
    with (LOCALES[package] / language / "LC_MESSAGES" / f"{package}.mo").open("rb") as file:
        return {str(m.id): str(m.string) for m in read_mo(file) if m.id}


def merge(package: str, language: str, known: dict[str, str]) -> dict[str, str]:
    """Rewrite the floors' files of a package with the known translations; return all translations."""
    folder = LOCALES[package] / language
    remark, floors = _remark(folder), by_floor(package)
    for path in folder.glob("*.po"):
        if path.stem not in floors:
            path.unlink()
    for floor, found in floors.items():
        catalogue = _catalogue(package, language, remark)
        for sentence, files in found.items():
            catalogue.add(sentence, known.get(sentence, ""), [(file, 0) for file in files])
        out = BytesIO()
        write_po(out, catalogue, width=100, include_lineno=False)
        (folder / f"{floor}.po").write_bytes(out.getvalue())
    return translations(folder)


def compile_into(package: str, language: str, known: dict[str, str]) -> None:
    """Write the package's ``.mo`` of what is translated."""
    catalogue = _catalogue(package, language, "")
    for sentence, translation in sorted(known.items()):
        if translation:
            catalogue.add(sentence, translation)
    out = BytesIO()
    write_mo(out, catalogue)
    target = LOCALES[package] / language / "LC_MESSAGES" / f"{package}.mo"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(out.getvalue())


def _read(path: Path) -> Catalog:
    """Raises PoFileError for a file that is no catalogue: what can't be read must not be written over."""
    return read_po(BytesIO(path.read_bytes()), charset="utf-8", abort_invalid=True)


def _catalogue(package: str, language: str, remark: str) -> Catalog:
    return Catalog(
        locale=language, project=package, header_comment=remark, fuzzy=False,
        creation_date=NO_DATE, revision_date=NO_DATE,
    )  # fmt: skip


def _remark(folder: Path) -> str:
    """The comment at the head of the floors' files: that of the first file, which all files get."""
    for path in sorted(folder.glob("*.po")):
        return _read(path).header_comment
    return f"# {folder.name}: treino's sentences, a file for each floor.\n#"


def main() -> int:
    """Merge and compile every language; return 1 if sentences are still to be translated."""
    missing = 0
    for language in sorted(path.name for path in LOCALES["treino"].iterdir() if path.is_dir()):
        before = {k: v for at in LOCALES.values() for k, v in translations(at / language).items() if v}
        known: dict[str, str] = {}
        for package in FOLDERS:
            merged = merge(package, language, before)
            compile_into(package, language, merged)
            known |= merged
        left = [sentence for sentence, translation in known.items() if not translation]
        print(f"{language}: {len(known)} sentences, {len(left)} to translate")
        unmarked = {sentence: name for sentence, name in entry_sentences().items() if sentence not in known}
        for sentence, name in unmarked.items():
            print(f"{language}: of the entry {name}, not marked with N_: {sentence}")
        missing += len(left) + len(unmarked)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
