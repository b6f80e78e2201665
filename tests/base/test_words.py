"""Translation: the choice of the language, complete catalogues, and no English left in Portuguese output."""

import ast
import os
import re
import shlex
import tempfile
import warnings
from collections.abc import Iterator
from html import unescape
from importlib import import_module
from itertools import pairwise, product
from pathlib import Path
from string import Formatter

import matplotlib.text
import pytest
from babel.messages.pofile import PoFileError
from hypothesis import given
from hypothesis import strategies as st
from tools import words as catalogues

from tests.conftest import Treino
from treino import fit
from treino.base import words
from treino.base.errors import TreinoError
from treino_doctor.base import words as base
from treino_doctor.base.screen import language_of

LANGUAGES = sorted(p.name for p in words.LOCALE.iterdir() if p.is_dir())
LETTERS = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "АВСДЕҒГНІЈКЛМИОРҚЯЅТЦѴШХУЗавсдеғгнійклмиорқяѕтцѵшхуз",
)


@pytest.fixture(autouse=True)
def _back_to_english() -> Iterator[None]:
    with words.speaking("en"):
        yield


# ---- how it is chosen


def test_a_language_has_many_names() -> None:
    for names, meant in (
        (("pt", "pt-BR", "pt_br", " PT_BR.UTF-8", "pt_BR@euro", "pt_PT"), "pt_BR"),
        (("en", "en_GB.UTF-8", "C", "POSIX", "C.UTF-8"), "en"),
        (("", "xx", "p", "portuguese", "english", "../pt_BR", "_BR", ".UTF-8"), None),
    ):
        assert {words.named(name) for name in names} == {meant}


def test_the_variable_comes_before_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (words.VARIABLE, *words.LOCALES):
        monkeypatch.delenv(name, raising=False)
    assert base._of_the_machine() == "en"
    steps = "LANG=pt_BR.UTF-8>pt_BR LC_MESSAGES=en_US.UTF-8>en LC_ALL=pt_BR>pt_BR LC_ALL=de_DE.UTF-8>en"
    more = "LC_ALL=>en LC_MESSAGES=>pt_BR TREINO_LANG=en>en TREINO_LANG=>pt_BR TREINO_LANG=pt>pt_BR"
    for step in f"{steps} {more}".split():
        name, value, expected = re.split("[=>]", step)
        monkeypatch.setenv(name, value)
        assert base._of_the_machine() == expected, (name, value)
    monkeypatch.setenv("TREINO_LANG", "xx")
    with pytest.warns(UserWarning, match="en, pt_BR"):
        assert base._of_the_machine() == "en"


def test_the_flag_stands_anywhere_before_the_dashes() -> None:
    for tokens in (["--lang", "pt", "runs"], ["runs", "--lang=pt"], ["runs", "--lang", "pt"]):
        assert language_of(tokens) == (["runs"], "pt")
    assert language_of(["runs"]) == (["runs"], "en"), "from the variable that the tests set"
    for tokens, rule in (
        (["runs", "--lang"], "lang_empty"),
        (["--lang", "xx"], "lang_choice"),
        (["--lang=pt", "--lang", "en"], "usage"),
    ):
        with pytest.raises(TreinoError) as caught:
            language_of(tokens)
        assert caught.value.rule == rule


# ---- settings, as the reader types them


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("keyword", ["batch_size", "patience=5", "betas=(0.9, 0.999)", "task='regression'", "nesterov=True"]),
        ("flag", ["--batch-size", "--patience 5", "--betas 0.9,0.999", "--task regression", "--nesterov"]),
        ("plain", ["batch_size", "patience 5", "betas 0.9,0.999", "task regression", "nesterov True"]),
    ],
)
def test_a_setting_is_written_as_its_reader_types_it(kind: words.Interface, written: list[str]) -> None:
    with words.interface(kind):
        assert written == [
            words.setting("batch_size"),
            words.setting("patience", 5),
            words.setting("betas", (0.9, 0.999)),
            words.setting("task", "regression"),
            words.setting("nesterov", True),
        ]
    assert words.setting("patience", 5) == "patience=5"


def test_what_the_command_line_writes_of_a_setting_is_typed_as_it_stands(treino: Treino) -> None:
    values = {"kinds": ("month=category", "size=a<b"), "hidden": (), "nesterov": False, "out": "my runs/one"}
    with words.interface("flag"):
        typed = " ".join(words.setting(name, value) for name, value in values.items())
    kinds, place = "month=category,size=a<b", "my runs/one"
    assert shlex.split(typed) == ["--kinds", kinds, "--hidden", "none", "--no-nesterov", "--out", place]
    shown = treino("train", "wine", "--epochs", 3, "--steps", 5)
    assert "--epochs and --steps" in shown.err
    with pytest.raises(TreinoError, match="epochs and steps"):
        fit("wine", epochs=3, steps=5)


# ---- numbers


def test_a_number_is_written_as_the_language_writes_it() -> None:
    import numpy as np

    thin = "\u202f"
    values = [(2080, ","), (np.int64(1234567), ","), (0.92591, ""), (42232.4, ""), (-0.5, ".2f"), (1e-7, "")]
    english = [f"2{thin}080", f"1{thin}234{thin}567", "0.9259", f"42{thin}232", "-0.50", "1e-7"]
    assert [words.numeral(*v) for v in values] == english
    words.use("pt")
    assert [words.numeral(*v) for v in values] == [text.replace(".", ",") for text in english]
    said = words.Sentence("{n:,} rows, {share:.1%} of {name:>4}: --lr {lr}, {lr!s}, {step}")
    filled = said.format(n=10000, share=0.5, name="a", lr=0.003, step=5)
    assert filled == f"10{thin}000 rows, 50,0 % of    a: --lr 0.003, 0.003, 5"


@given(st.floats(allow_nan=False), st.sampled_from(["", ",", ".3f", ".4g", ",.1f", ".2%", ".1e"]))
def test_a_number_is_the_same_in_both_languages(value: float, spec: str) -> None:
    english = words.numeral(value, spec)
    with words.speaking("pt_BR"):
        portuguese = words.numeral(value, spec)
    assert portuguese.replace(",", ".") == english
    if spec == "" and value and abs(value) < 1e300:
        assert float(english.replace("\u202f", "").replace("−", "-")) == pytest.approx(value, rel=6e-3)


# what is typed, values of settings, versions, papers
TYPED = re.compile(
    r"--\S+ \S+|\w+=[\w.,:|]+|\b(lr|dropout|validation|test) [\d.e-]+|\d+\.\d+\.\S+|arXiv\S+"
    r"|(?s:<tr>(?:(?!</tr>).)*>--[a-z](?:(?!</tr>).)*</tr>|<(script|style|math|pre|code).*?</\2>)"
)
POINT = re.compile(r".*\d\.\d.*")


@pytest.mark.slow
def test_figures_in_portuguese_have_a_decimal_comma(
    treino: Treino, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, thorough: bool
) -> None:
    """In a thorough run of a sweep, of a report and of every picture, too."""
    drawn, found = set[str](), {}
    draw = matplotlib.text.Text.draw
    monkeypatch.setattr("matplotlib.text.Text.draw", lambda t, *a: (drawn.add(t.get_text()), draw(t, *a))[1])
    for command in (PORTUGUESE + MORE_PORTUGUESE * thorough).strip().split("\n"):
        said = treino("--lang", "pt", *command.split())
        assert said.status == 0, said.err
        if left := POINT.findall(TYPED.sub("", said.out + "\n".join(drawn))):
            found[command] = left
        drawn.clear()
    for page in tmp_path.rglob("*.html"):
        text = re.sub(r"<[^>]*>", "\n", TYPED.sub("", unescape(page.read_text())))
        if left := POINT.findall(text):
            found[page.name] = left
    assert found == {}
    exact = treino("--lang", "pt", "explain", "adam", "a", "--step", "2", "--json").document
    assert any("0.001" in step["numbers"] for step in exact["steps"])
    assert not any(re.search(r"\d,\d", step["numbers"] + step["symbols"]) for step in exact["steps"])


PORTUGUESE = """
train wine --name a --epochs 4 --features alcohol,hue
data wine --to data.html
plot a --what curves,confusion
explain adam a --step 2
explain adam a --step 2 --to adam.html
"""
MORE_PORTUGUESE = """\
plot a --what boundary,dynamics,path,walker,importance,dependence
report a
sweep wine --space lr=1e-3..1e-1:log --members 8 --epochs 3 --name e
plot e
"""

# ---- the catalogues


@pytest.mark.proof
def test_every_sentence_is_translated_and_none_is_stale_or_looked_up_early() -> None:
    files = [
        path for top in catalogues.FOLDERS.values() for path in top.rglob("*.py") if "tests" not in path.parts
    ]
    early = {path: list(at_import(ast.parse(path.read_text()))) for path in files}
    assert [path for path, lines in early.items() if lines] == [], "mark it with N_"
    for package, language in product(catalogues.FOLDERS, LANGUAGES):
        wanted = {sentence for found in catalogues.by_floor(package).values() for sentence in found}
        known = catalogues.translations(catalogues.LOCALES[package] / language)
        assert sorted(wanted - known.keys()) == [], "run: make words"
        assert sorted(known.keys() - wanted) == [], "run: make words"
        assert sorted(s for s, translation in known.items() if not translation.strip()) == []
        assert catalogues.compiled(package, language) == known, "run: make words"


def translations(language: str) -> dict[str, str]:
    """Those of both packages."""
    folders = (locale / language for locale in catalogues.LOCALES.values())
    return {s: t for folder in folders for s, t in catalogues.translations(folder).items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_registries_entries_say_is_translated(language: str) -> None:
    assert set(catalogues.entry_sentences()) <= translations(language).keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_values_go_into_both(language: str) -> None:
    for sentence, translation in ((s, t) for s, t in translations(language).items() if t):
        assert fields(translation) == fields(sentence), sentence
        for end in (slice(1), slice(-1, None)):
            assert translation[end].isspace() == sentence[end].isspace() or sentence == " next: ", sentence


LABELS = " and ", " or ", " next: ", "error: ", "Usage: "  # between names, or before what a line is about


@pytest.mark.proof
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_a_piece_of_another(language: str) -> None:
    """What is put together of pieces has one order of words, and its translation stumbles. Lines may be
    indented, and whole sentences follow each other."""
    assert [piece(s) for s in ("row {n}", "  row", "; row", " row", "row: ")] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert [s for s in translations(language) if piece(s) and s not in LABELS] == []
    glued = "_('a').format(n=1) + _('b')", "a + (_('b') if c else _(d)) + _('e')", "f'{_(a)}{_(b)}'"
    assert [*map(side_by_side, map(ast.parse, glued))] == [True] * 3
    assert not side_by_side(ast.parse("_('a') + ' ' + _('b') + c, f'{_(a)}: {_(b)}'"))
    files = (path for top in catalogues.FOLDERS.values() for path in top.rglob("*.py"))
    assert [path for path in files if side_by_side(ast.parse(path.read_text()))] == []


def piece(sentence: str) -> bool:
    return (sentence != sentence.strip() and not sentence.startswith("  ")) or sentence.startswith(
        (",", ";", ":")
    )


def side_by_side(tree: ast.AST) -> bool:
    """Whether two translations are joined with nothing between them."""
    said = ([looked_up(part) for part in parts(node)] for node in ast.walk(tree))
    return any(one and next_one for each in said for one, next_one in pairwise(each))


def parts(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*parts(node.left), *parts(node.right)]
    return [*node.values] if isinstance(node, ast.JoinedStr) else [node]


def looked_up(node: ast.AST) -> bool:
    """Whether it is ``_()`` or ``_().format()``, perhaps one of two of them."""
    if isinstance(node, ast.IfExp):
        return looked_up(node.body) or looked_up(node.orelse)
    call = node.value if isinstance(node, ast.FormattedValue) else node
    while isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "format":
        call = call.func.value
    return isinstance(call, ast.Call) and getattr(call.func, "id", "") == "_"


def test_no_translation_is_two_of_them() -> None:
    """A hasty merge keeps both sides of a conflict, and gettext reads the two as one sentence."""
    assert said_again("one two three four five six", "um dois três quatro cinco.um dois três quatro cinco")
    both = translations("pt_BR").items()
    assert [t for s, t in both if said_again(s, t) or len(t) > 1.6 * len(s) + 25] == []


def said_again(sentence: str, translation: str) -> bool:
    """Whether five words in a row come again in the translation, but not in its sentence."""

    again = re.compile(r"\b(\w+(?:\W+\w+){4})\b.*\b\1\b", re.DOTALL | re.IGNORECASE)
    return bool(again.search(translation)) and not again.search(sentence)


def fields(sentence: str) -> set[tuple[str | None, str | None, str | None]] | None:
    """The values that are filled in, with their formats, but not words for a number, ``{n:row|rows}``; None
    where braces mean something else."""
    try:
        values = Formatter().parse(sentence)
        return {(name, spec, how) for _, name, spec, how in values if name is not None and "|" not in spec}
    except ValueError:
        return None


def at_import(node: ast.AST) -> Iterator[int]:
    """The lines that call ``_`` outside of functions' bodies."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for part in (*child.decorator_list, child.args):
                yield from at_import(ast.Expression(part))
        elif not isinstance(child, ast.Lambda):
            if isinstance(child, ast.Call) and getattr(child.func, "id", "") == "_":
                yield child.lineno
            yield from at_import(child)


def test_a_sentence_with_values_in_it_is_refused(tmp_path: Path) -> None:
    assert list(at_import(ast.parse("A = _('a')\ndef f(x=_('b')):\n    return _('c')"))) == [1, 2]
    path = tmp_path / "a.py"
    path.write_text("print(_('one'), N_('two' ' three'), _(x))\nflag: Annotated[int, Parameter(help='four')]")
    assert list(catalogues.sentences(path)) == ["one", "two three", "four"]
    path.write_text("A = Refusal('five', '{hint}', rule='a')\nB = Refusal('six', 'seven')")
    assert list(catalogues.sentences(path)) == ["five", "six", "seven"]
    path.write_text("_(f'{n} rows')")
    with pytest.raises(ValueError, match=r"a\.py:1"):
        list(catalogues.sentences(path))


def test_a_merge_loses_nothing_and_guesses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def merged(known: dict[str, str], **floors: dict[str, list[str]]) -> dict[str, str]:
        monkeypatch.setattr(catalogues, "by_floor", lambda _package: floors)
        return catalogues.merge("treino", "es", known)

    monkeypatch.setitem(catalogues.LOCALES, "treino", tmp_path)
    (folder := tmp_path / "es").mkdir()
    assert merged({}, a={"{n} rows": ["a/x.py"]}) == {"{n} rows": ""}
    a = folder / "a.po"
    a.write_text(a.read_text().replace("# es:", "# Hola,"))
    moved = merged({"{n} rows": "{n} filas"}, b={"{n} rows": ["b/y.py"], "{n} row": ["b/y.py"]})
    assert moved == {"{n} rows": "{n} filas", "{n} row": ""}
    assert not a.exists()
    assert (folder / "b.po").read_text().startswith("# Hola,")
    (folder / "b.po").write_text('msgid "half\n')
    with pytest.raises(PoFileError):
        catalogues.translations(folder)


@pytest.mark.slow
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1).filter(str.strip),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])),
        max_size=5,
    )
)
def test_what_is_translated_is_what_is_read(known: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as top, pytest.MonkeyPatch.context() as patch:
        patch.setitem(catalogues.LOCALES, "treino", Path(top))
        catalogues.compile_into("treino", "pt_BR", known)
        assert catalogues.compiled("treino", "pt_BR") == {s: t for s, t in known.items() if t}


# ---- no English is left over


@pytest.fixture(scope="module")
def every_letter_turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language in which every sentence of the catalogue has Cyrillic letters: what is Latin was not looked
    up.
    """
    folder = tmp_path_factory.mktemp("locale")
    for app in APPS:
        import_module(app)  # whose import adds its catalogue
    of_all = words.known_sentences()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(catalogues.LOCALES, "treino", folder)
        catalogues.compile_into("treino", "xx", {sentence: turn(sentence) for sentence in of_all if sentence})
    return folder


def turn(sentence: str) -> str:
    return "".join(
        part if part.startswith("{") else part.translate(LETTERS)
        for part in re.split(r"(\{[^{}|]*\}|\{\w+:)", sentence)
    )


APPS = (
    "treino_agents",
    "treino_film",
    "treino_judge",
    "treino_landscape",
    "treino_lessons",
    "treino_microscope",
    "treino_service",
    "treino_studio",
)
COMMANDS = """
train wine --name a --epochs 4
train houses.csv --target price --name b --epochs 3
train moons --name c --epochs 2 --lr 1e6 --optimizer sgd
train wine --seeds 3 --epochs 3 --until accuracy=0.1 --name d
sweep wine --space lr=1e-3..1e-1:log --members 8 --epochs 3 --name e
data
data wine
data houses.csv
data houses.csv --to page.html
runs
show a
show e
show a b
predict a wine
predict a wine --to out.csv
plot a
export a --format script
doctor
doctor a
doctor c
doctor script.py --fix mend.patch
study wine --batch-sizes 20,5 --epochs 2 --until accuracy=0.5 --as-taught --name f
report a
train wine --name g --epochs 4 --hidden 8
report a g --to both.html
explain
explain adam
explain cross-entropy --to softmax.html
explain adam a --step 2 --to adam.html
plot a --film --every 8
plot a --what dynamics,landscape,path,walker,network,confusion,mistakes,importance,dependence
plot a b --what curves --smooth 0.5
plot b --what mistakes,dependence
plot e
plot f
plot wine --untrained 4
--help
train --help
sweep --help
doctor --help
"""
REFUSED = """
report a b
resume a
plot a --what bundary
train
train houses.csv
train wine --lr 1-3
train wine --lr -1
train wine --optimiser adam
train wine --task foo
train wine --epochs 3 --steps 3
train nowhere.csv
train empty.csv --target x
trian
show nobody
train houses.csv --target price --loss bce
train wine --kinds hue=date
predict a houses.csv
explain nothing
train wine --hidden 0
sweep wine --space lr=a..b
study wine --batch-sizes 20 --epochs 2 --until 9:9
"""
OURS = """
treino data doctor explain export plot predict report resume runs show study sweep train DATA SCRIPT RUN TOPIC
compare judge kata lessons mcp playground rows schema serve studio verify agent patch plain table row crop
INT STR FLOAT LIST last script certain likely optimisers
wine moons iris digits circles spirals xor gauss plane mnist diabetes number category boolean date identifier
text
adam adamw sgd backprop bce huber relu accuracy auc loss rmse mae mse macro classification regression constant
default median mean usual each apart best halving sobol lanes batched module cpu cuda parameters Linear ReLU
Dropout softmax sigmoid
nan intensity color batch seconds
python torch numpy pandas pyarrow scikit learn safetensors pydantic cyclopts rich matplotlib optuna ray onnx
starlette filelock markupsafe platformdirs psutil threadpoolctl
Pillow anyio anywidget ipython onnxruntime openpyxl scipy tensorboard trackio traitlets uvicorn wandb
websockets https houses rooms size price nobody trian alcohol ash flavanoids hue magnesium proanthocyanins
proline Accuracy Loss
Adam Kingma Method for Stochastic Optimization algorithm import range tanh update
"""
# What is typed and what programs read; columns and names of these commands; a paper, and code as it was run.


@pytest.mark.release
def test_no_english_is_left_over(
    treino: Treino, every_letter_turned: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(base._catalogues, "treino", every_letter_turned)
    rows = "\n".join(f"{i % 5},{i},{3 * i + i % 5}.5" for i in range(40))
    (tmp_path / "houses.csv").write_text(f"rooms,size,price\n{rows}\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "script.py").write_text(SCRIPT)
    found, drawn = {}, set[str]()
    draw = matplotlib.text.Text.draw
    monkeypatch.setattr("matplotlib.text.Text.draw", lambda t, *a: (drawn.add(t.get_text()), draw(t, *a))[1])
    for command in (COMMANDS + REFUSED).strip().replace("\n\n", "\n").split("\n"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = treino("--lang", "xx", *command.split())
        wanted = 2 if command in REFUSED.split("\n") else 4 if "--lr 1e6" in command else 0
        assert said.status == wanted, (command, said.err)
        if left := latin(said.out + said.err + "\n".join(drawn)):
            found[command] = left
        drawn.clear()
    for page in [*tmp_path.rglob("*.html"), *tmp_path.rglob("*.svg")]:
        if left := latin(
            re.sub(r"(?s)<(script|style|math).*?</\1>|<[^>]*>", " ", unescape(page.read_text()))
        ):
            found[page.name] = left
    assert found == {}


SCRIPT = """\
import torch
from torch import nn
net, x, y = nn.Linear(4, 3), torch.randn(64, 4), torch.randint(0, 3, (64,))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(30):
    loss = nn.functional.cross_entropy(net(x).softmax(1), y)
    loss.backward()
    optimizer.step()
"""


def latin(text: str) -> list[str]:
    """Words in Latin letters that no path, flag, identifier or value holds."""
    from treino.engine.activations import ACTIVATIONS
    from treino.engine.init import INITS
    from treino.engine.losses import LOSSES
    from treino.engine.optim import OPTIMIZERS
    from treino.engine.schedules import SCHEDULES
    from treino.settings.spec import Settings

    choices = {name for entries in (ACTIVATIONS, INITS, LOSSES, OPTIMIZERS, SCHEDULES) for name in entries}
    plain = set(re.findall(r"(?<![\w./=_'-])[A-Za-z][a-z]{2,}(?![\w/=_'-]|\.\w)", text))
    return sorted(plain - set(OURS.split()) - choices - set(Settings.model_fields))


# ---- as a program


@pytest.mark.parametrize(
    ("line", "variable", "shown"),
    [
        ("runs", "pt", "Nenhuma execução"),
        ("--lang=en runs", "pt", "No runs yet"),
        ("runs --lang xx", "pt", "erro: --lang não pode ser 'xx'"),
        ("runs", "xx", "error: TREINO_LANG can't be 'xx'."),
    ],
)
def test_the_flag_comes_before_the_variable(
    line: str, variable: str, shown: str, treino: Treino, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(words.VARIABLE, variable)
    if variable == "pt":
        words.use(variable)
    said = treino(*line.split())
    assert shown in said.out + said.err
    assert os.environ[words.VARIABLE] in (variable, "pt_BR")


@pytest.mark.parametrize(
    ("way", "written"),
    [
        ("flag", "Leave --patience out, or use --lr 0.1, --no-normalise, --trust, --net FILE.py:NAME."),
        ("keyword", "Leave patience out, or use lr=0.1, normalise=False, trust=True, net='FILE.py:NAME'."),
        ("plain", "Leave patience out, or use lr 0.1, normalise False, trust True, net FILE.py:NAME."),
    ],
)
def test_settings_in_a_sentence_are_written_as_the_reader_types_them(
    way: words.Interface, written: str
) -> None:
    used = "[[lr={lr}]], [[normalise=False]], [[trust=True]], [[net=FILE.py:NAME]]"
    sentence = f"Leave [[patience]] out, or use {used}."
    with words.interface(way):
        assert words._(sentence).format(lr="0.1") == written
        assert words._("treino train wine [[lr=0.1]]") == "treino train wine --lr 0.1"


@pytest.mark.parametrize("name", ["plain", "Sepal Length", "it's", "a;b & $c", "ç 'x' \"y\"", "back\\slash"])
def test_what_is_filled_into_a_setting_can_be_pasted(name: str) -> None:
    with words.interface("flag"):
        said = words._("Leave it out: [[kinds={name}=out]]").format(name=name)
        assert shlex.split(said.partition(": ")[2]) == ["--kinds", f"{name}=out"]
        assert shlex.split(words._("[[kinds=NAME=small<large]]")) == ["--kinds", "NAME=small<large"]
    with words.interface("keyword"):
        said = words._("Leave it out: [[kinds={name}=out]]").format(name=name)
        assert ast.literal_eval(said.partition("kinds=")[2]) == f"{name}=out"
