"""One entry is enough: what isn't treino's own is added while the tests run, and every verb knows of it."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tools import words as catalogues
from tools.settings_page import settings_page

from tests import toy_entries as toys
from tests.conftest import Treino
from tests.reports.export_cases import well_written
from treino.cli import help
from treino.data import BUILTINS
from treino.engine import ACTIVATIONS, INITS, LOSSES, METRICS, OPTIMIZERS, SCHEDULES
from treino.reports.pictures.picture_files import PICTURES
from treino.training import findings
from treino_doctor import rules as rules_folder
from treino_doctor.output.rules_page import page as rules_page

ENTRIES = (
    (ACTIVATIONS, "bent", toys.BENT),
    (LOSSES, "log_cosh", toys.LOG_COSH),
    (LOSSES, "focal", toys.FOCAL),
    (LOSSES, "brier", toys.BRIER),
    (OPTIMIZERS, "sign_mean", toys.SIGN_MEAN),
    (SCHEDULES, "linear", toys.LINEAR),
    (INITS, "small", toys.SMALL),
    (METRICS, "medae", toys.MEDAE),
    (METRICS, "lowest_recall", toys.LOWEST_RECALL),
    (BUILTINS, "bowl", toys.BOWL),
    (BUILTINS, "rim", toys.RIM),
    (PICTURES, "ranks", toys.RANKS),
)
NAMES = {"activation": "bent", "init": "small", "optimizer": "sign_mean", "schedule": "linear"}
NUMBERS = NAMES | {"loss": "log_cosh", "metric": "medae"}
CLASSES = NAMES | {"loss": "focal", "metric": "lowest_recall"}
RULE = '''
"""A toy: a learning rate of exactly 0.0123."""

from treino_doctor.record.log import OptimizerMade
from treino_doctor.rules.rule import Evidence, Rule


def decide(log):
    for made in log.of(OptimizerMade):
        if made.groups[0].lr == 0.0123:
            yield Evidence(made.site, {"lr": made.groups[0].lr})


RULE = Rule(
    id="odd_rate",
    group="settings",
    severity="waste",
    certain=True,
    decide=decide,
    message="The rate is {lr}, which is odd.",
    why="Nobody wrote that on purpose.",
    fix="Take another rate than {lr}.",
    safety="Safe.",
    limits="None.",
    wrong="opt = torch.optim.SGD(net.parameters(), lr=0.0123)",
    mend={"lr=0.0123": "lr=0.01"},
)
'''


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """One entry in each registry, and one rule beside the doctor's."""
    for registry, name, entry in ENTRIES:
        monkeypatch.setitem(registry, name, entry)
    folder = tmp_path / "more_rules"
    folder.mkdir()
    (folder / "odd_rate.py").write_text(RULE)
    monkeypatch.setattr(rules_folder, "__path__", [*rules_folder.__path__, str(folder)])
    monkeypatch.setattr(findings, "RULES", (*findings.RULES, "odd_rate"))
    yield
    sys.modules.pop("treino_doctor.rules.odd_rate", None)


def trained(treino: Treino, data: str, names: dict[str, str], *more: object) -> dict[str, object]:
    flags = [word for name, value in names.items() for word in (f"--{name}", value)]
    how = "--hidden 6 --epochs 6 --batch-size 16 --lr 0.0123 --weight-decay 0.01 --engine module --json"
    said = treino("train", data, *flags, *how.split(), "--name", data, *more)
    assert said.status == 0, said.err
    return said.document


@pytest.mark.slow
@pytest.mark.sampled(2)
@pytest.mark.parametrize(("data", "names"), [("bowl", NUMBERS), ("rim", CLASSES)])
def test_a_run_of_nothing_but_new_entries(
    data: str, names: dict[str, str], added: None, treino: Treino, thorough: bool
) -> None:
    document = trained(treino, data, names)
    metric, loss = names["metric"], names["loss"].replace("_", "-")
    spec = json.loads(Path("runs", data, "spec.json").read_text())
    assert spec["resolved"].items() >= names.items()
    measured, interval = document["metrics"]["test"][metric], document["intervals"]["test"][metric]
    assert interval[0] <= measured <= interval[1]
    assert [f["rule"] for f in document["findings"]] == ["odd_rate"]
    shown = treino("show", data)
    label = toys.LOWEST_RECALL.label if metric == "lowest_recall" else metric
    assert [name for name in (label, "is odd") if name not in shown.out] == []
    more = ",curves,boundary,dynamics" * thorough
    pictures = f"ranks{more}" if data == "bowl" else "weights,confusion,network"
    drawn = treino("plot", data, "--what", pictures, "--json")
    assert drawn.status == 0, drawn.err
    assert all(Path(path).stat().st_size > 1 for path in drawn.document["paths"])
    shown = ["ranks.png", "ranks.txt"] if data == "bowl" else ["weights.png"]
    assert [Path(path).name for path in drawn.document["paths"]][: len(shown)] == shown
    assert (
        treino("plot", data, "--what", "rank", "--json").document["error"]["hint"] == "Did you mean 'ranks'?"
    )
    assert treino("report", data, "--to", "page.html").status == 0
    page = Path("page.html").read_text()
    assert all(name in page for name in (*names.values(), label))
    assert (f"{metric} on 9 test rows, with its 95 % interval" in page) is METRICS[metric].charted
    for topic in (loss, "sign-mean", "backprop", "learning-rate", "accumulated-gradient"):
        told = treino("explain", topic, data, "--json")
        assert told.status == 0, (topic, told.err)
        assert all(abs(check["difference"]) < 1e-4 for check in told.document["checks"])
    assert treino("explain", "mse" if data == "bowl" else "adam", data).status == 2
    assert "odd" in treino("doctor", data).out
    if thorough:  # else that of the winner of a sweep, below
        reproduced(treino, data, document)


def reproduced(treino: Treino, name: str, document: dict[str, object]) -> None:
    """The exported script, in a process of its own, arrives at the run's figures and weights."""
    said = treino("export", name)
    assert said.status == 0, said.err
    script = Path("runs", name, "exports", f"{name}.py")
    kept = torch.load(script.with_suffix(".pt"), weights_only=True)
    ended = subprocess.run([sys.executable, "-W", "error", script], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    last = json.loads(ended.stdout.splitlines()[-1])
    assert last["losses"] == document["loss"]["train"]
    assert last["test"].items() <= document["metrics"]["test"].items()
    assert last["test"].keys() >= document["metrics"]["test"].keys() - {"auc", "f1_macro"}
    again = torch.load(script.with_suffix(".pt"), weights_only=True)
    assert all(torch.equal(kept["net"][k], again["net"][k]) for k in kept["net"])
    well_written(script)
    imported = {n.names[0].name for n in ast.walk(ast.parse(script.read_text())) if isinstance(n, ast.Import)}
    assert "treino" not in imported


def with_entries(root: Path) -> None:
    """Write the files of the registries below root, with the toys among their entries: help reads them."""
    places = [*help.REGISTRIES.values(), ("reports/pictures/picture_files.py", "PICTURES")]
    for file, variable in places:
        tree = ast.parse((help.ROOT / file).read_text())
        declared = next(
            n for n in tree.body if isinstance(n, ast.AnnAssign) and ast.unparse(n.target) == variable
        )
        value = declared.value
        entries = value.args[0] if isinstance(value, ast.Call) else value
        assert isinstance(entries, ast.Dict)
        registry = getattr(sys.modules[f"treino.{file.removesuffix('.py').replace('/', '.')}"], variable)
        for name in (n for kept, n, _toy in ENTRIES if kept is registry):
            entries.keys.append(ast.Constant(name))
            entries.values.append(ast.parse(repr([*getattr(registry[name], "reads", ())]), mode="eval").body)
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(ast.unparse(tree))


@pytest.mark.slow
def test_help_docs_lists_and_hints_have_the_new_names(
    added: None, treino: Treino, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_entries(tmp_path / "source")
    monkeypatch.setattr(help, "ROOT", tmp_path / "source")
    for verb in ("train", "sweep", "study"):
        told = treino(verb, "--help").out
        assert all(name in told for name in {*NUMBERS.values(), *CLASSES.values()})
        assert "adam, adamw, sign_mean" in " ".join(told.replace("│", " ").split())
    for name in {*NUMBERS.values(), *CLASSES.values()}:
        assert f"| `{name}` |" in settings_page()
    for flag, name in (*NUMBERS.items(), *CLASSES.items()):
        said = treino("train", "bowl", f"--{flag}", name + "x")
        assert said.status == 2
        assert f"'{name}'" in said.err
    assert "ranks" in treino("plot", "--help").out
    assert "| `bowl` | 60 | 2 | How high a bowl is" in settings_page()
    listed = treino("data").out
    assert all(f"{name} " in listed for name in ("bowl", "rim"))
    assert "How high a bowl is" in listed
    assert treino("data", "bowl", "--json").document["rows"] == 60
    assert "odd_rate" in rules_page()
    assert "log-cosh" in treino("explain").out
    for topic in ("log-cosh", "focal", "brier", "sign-mean"):
        assert treino("explain", topic).status == 0


@pytest.mark.release
def test_sweeps_and_studies_take_the_new_names(added: None, treino: Treino) -> None:
    words = "sweep rim --space optimizer=sign_mean|adam --space activation=bent|relu --members 4 --fresh 0"
    more = "--epochs 2 --hidden 4 --metric lowest_recall --loss brier --engine module --json"
    swept = treino(*words.split(), *more.split())
    assert swept.status == 0, swept.err
    assert any("rows have no scores of lowest_recall" in note for note in swept.document["notes"])
    name = Path(swept.document["path"]).name
    assert "brier" in treino("explain", "brier", name).out
    assert treino("show", f"{name}:1").status == 0
    liked = treino("train", "--like", f"{name}:1", "--name", "again", "--json")
    reproduced(treino, "again", liked.document)
    words = "study rim --compare optimizer --epochs 2 --hidden 4 --until lowest_recall=0.5 --json"
    studied = treino(*words.split())
    assert studied.status == 0, studied.err
    assert [row["optimizer"] for row in studied.document["rows"]] == list(OPTIMIZERS)


def test_a_sentence_of_an_entry_without_a_translation_is_noticed(added: None) -> None:
    folders = [locale / "pt_BR" for locale in catalogues.LOCALES.values()]
    known = {sentence for folder in folders for sentence in catalogues.translations(folder)}
    unmarked = {name for sentence, name in catalogues.entry_sentences().items() if sentence not in known}
    assert unmarked == {"log_cosh", "focal", "brier", "sign_mean", "lowest_recall", "bowl", "rim", "odd_rate"}
