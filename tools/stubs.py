"""The types of functions whose keywords are settings, for editors and type checkers.

``python -m tools.stubs`` (``make docs``) writes the second part of ``src/treino/__init__.pyi`` from the table
of settings: each name with what Python users write for it, its default and its sentence.
"""

import ast
import inspect
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from treino import api, sklearn
from treino.base.apps import brought, installed
from treino.data import loader
from treino.engine import training_loop
from treino.engine.activations import ACTIVATIONS
from treino.engine.kernels.selection import ENGINES
from treino.engine.nets import POOLS
from treino.engine.optim import HP
from treino.engine.registries import REGISTRIES
from treino.engine.train_config import SIDE_BY_SIDE
from treino.settings import setting_types
from treino.settings.keywords import sentence
from treino.settings.spec import DEVICES, FAULTS, OF_PLACE, Settings
from treino.training.branch import CHANGEABLE

FILE = Path(__file__).parent.parent / "src/treino/__init__.pyi"
MARK = "# ---- written by tools/stubs.py from the table of settings: make docs\n"

# ---- what Python users write for a setting


def literal(values: Iterable[Any]) -> str:
    """The type of these values, and of no others."""
    return f"Literal[{', '.join(map(repr, values))}]"


def one_or_several(types: str) -> tuple[str, str]:
    """The types of one value, and of a list of them."""
    return types, f"Sequence[{types}]"


PATH = ("str", "PathLike[str]")
ROWS = ("tuple[Any, ...]", "_Rows")
FORMS: Mapping[object, tuple[str, ...]] = {
    setting_types.image_size: ("int", "str"),
    setting_types.joined: ("Sequence[str]", "Mapping[str, float]"),
    setting_types.name: ("int", "Sequence[str]"),
    setting_types.own: ("str", "Callable[..., Any]"),
    setting_types.pairs: ("str", "Mapping[str, str]"),
    setting_types.path: PATH,
    setting_types.same_path: PATH,
    setting_types.seconds: ("str",),
    setting_types.share: PATH,
    setting_types.size: ("int",),
    setting_types.yes: ("bool",),
}
"""What a validator of the table takes besides the type that it returns."""
NAMES: Mapping[str, tuple[str, ...]] = {
    **{name: (literal(registry),) for name, registry in REGISTRIES.items()},
    "activation": (literal(ACTIVATIONS), "str"),
    "device": (literal(DEVICES), "str", "torch.device"),
    "engine": (literal(ENGINES),),
    "fault": one_or_several(literal(FAULTS)),
    "pool": one_or_several(literal(POOLS)),
    "threshold": (literal(["auto"]), "str"),
}
"""Settings whose texts are names: the types in place of ``str``. What else a registry takes, such as a
function, stands here after the names."""
MORE: Mapping[str, tuple[str, ...]] = {
    "hidden": (literal(["none"]),),
    "net": ("Net", "Callable[..., nn.Module]"),
}
"""What a setting may be in Python beyond what the table says."""


def types_of(hint: Any, name: str = "") -> list[str]:
    """The types that the hint of a setting stands for, as a user writes them."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        types = types_of(parts[0], name)
        validators = [getattr(mark, "func", None) for mark in parts[1:]]
        types += [each for validator in validators for each in FORMS.get(validator, ())]
        if setting_types.items in validators:  # a single item is a list of one
            types += [each for each in ("int", "str") if types[0] == f"Sequence[{each}]"]
        return types
    if origin in (Union, UnionType):
        return [each for part in parts for each in types_of(part, name)]
    if name in NAMES and (hint is str or origin is tuple):
        return [*NAMES[name]]
    if origin is tuple:
        items = dict.fromkeys(each for part in parts if part is not ... for each in types_of(part))
        return [f"Sequence[{' | '.join(items)}]"]
    if origin is Literal:
        return [literal(parts)]
    return ["None" if hint is type(None) else hint.__name__]


class Keyword(NamedTuple):
    """A keyword of a function: what it may be, its default, its sentence."""

    name: str
    types: tuple[str, ...]
    default: Any
    about: str

    def also(self, *types: str) -> "Keyword":
        return self._replace(types=(*self.types, *types))

    def without(self, type_: str) -> "Keyword":
        return self._replace(types=tuple(each for each in self.types if each != type_), default=...)

    @property
    def type(self) -> str:
        each = dict.fromkeys((*self.types, "None") if self.default is None else self.types)
        return " | ".join(sorted(each, key=lambda one: one == "None"))

    @property
    def parameter(self) -> str:
        return f"{self.name}: {self.type} = {'...' if self.default is ... else repr(self.default)}"


HINTS = get_type_hints(Settings, include_extras=True)
KEYWORDS = {
    name: Keyword(
        name,
        (*types_of(HINTS[name], name), *MORE.get(name, ())),
        field.default,
        sentence(name),
    )
    for name, field in Settings.model_fields.items()
}
COURSE = (
    Keyword("num_epochs", ("int",), None, "the same as epochs"),
    Keyword("num_workers", ("int",), 0, "processes that read the items of your own Dataset"),
    Keyword("num_classes", ("int",), None, "how many classes the data must have"),
)
STATE = Keyword(
    "random_state", ("int", "np.random.RandomState", "None"), 0, "the seed; None: a new one at each fit"
)
SEARCHED = KEYWORDS["lr"].also(literal(["auto"]))
HELD_BACK = {name: KEYWORDS[name].also(*ROWS) for name in ("validation", "test")}
WATCH = "watch: bool | Callable[[Any], None] = False"


def settings_of(function: Callable[..., Any], **others: Keyword) -> list[Keyword]:
    """The settings in a function's signature; others: those that are more there than in the table."""
    shown, known = inspect.signature(function).parameters, KEYWORDS | others
    return [known[name]._replace(default=shown[name].default) for name in shown if name in known]


# ---- functions and classes


def definition(
    source: Callable[..., Any],
    settings: Iterable[Keyword],
    *,
    instead: Sequence[str] = (),
    rest: str = "",
    returns: str | None = None,
) -> str:
    """A function's definition with settings in the place of ``**settings``.

    source: the function itself, from which its own parameters and its text come. instead: parameters in the
    place of its own ones of the same names. rest: a last parameter. returns: in place of the type that it
    returns.
    """
    node = ast.parse(textwrap.dedent(inspect.getsource(source))).body[0]
    assert isinstance(node, ast.FunctionDef)
    places = {text.partition(":")[0]: text for text in instead}
    first = [arg for arg in node.args.args if arg.arg != "self"]
    usual = [None] * (len(first) - len(node.args.defaults)) + node.args.defaults
    own = {arg.arg: _parameter(arg, default) for arg, default in zip(first, usual, strict=True)}
    by_name = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    named = {arg.arg: _parameter(arg, default) for arg, default in by_name} | places
    listed = [keyword for keyword in settings if keyword.name not in (own | named)]
    head = ["self"] if node.args.args[0].arg == "self" else []
    each = [*head, *own.values(), "*", *named.values(), *(keyword.parameter for keyword in listed), rest]
    text = [ast.get_docstring(node) or "", "", "The settings:"]
    text += [f"    {keyword.name}: {keyword.about}" for keyword in listed]
    returned = returns or ast.unparse(node.returns or ast.Constant(None))
    lines = [f"def {node.name}({', '.join(filter(None, each))}) -> {returned}:", *documented(text)]
    return "\n".join(lines)


def _parameter(arg: ast.arg, default: ast.expr | None) -> str:
    annotation = ast.unparse(arg.annotation or ast.Name("Any"))
    return f"{arg.arg}: {annotation}" + ("" if default is None else f" = {ast.unparse(default)}")


def documented(lines: Sequence[str]) -> list[str]:
    """The lines as a docstring of a function or of an attribute."""
    text = "\n".join(lines).strip()
    opened = 'r"""' if "\\" in text else '"""'
    return textwrap.indent(f'{opened}{text}\n"""' if "\n" in text else f'{opened}{text}"""', "    ").split(
        "\n"
    )


def fit_stubs() -> list[str]:
    """``fit`` as it returns a Run, and with seeds or folds a Sweep."""
    settings = [*settings_of(api.fit, lr=SEARCHED, **HELD_BACK), *COURSE]
    kinds = (
        ("Run", "seeds: None = None", "folds: None = None"),
        ("Sweep", "seeds: int", "folds: int | None = None"),
        ("Sweep", "seeds: None = None", "folds: int"),
    )
    rest = "**misspelt: Never"  # without it pyright doesn't say which name no overload has
    return [
        "@overload\n" + definition(api.fit, settings, instead=(WATCH, *several), rest=rest, returns=returns)
        for returns, *several in kinds
    ]


def train_stub() -> str:
    """``train``, whose members may have values of their own."""
    own = {name: KEYWORDS[name] for name in SIDE_BY_SIDE if name != "seed"}
    lists = {name: keyword.also(f"Sequence[{keyword.type}]") for name, keyword in own.items()}
    return definition(training_loop.train, settings_of(training_loop.train, **lists))


def estimator_stub(name: str) -> str:
    """An estimator with its parameters."""
    estimator = getattr(sklearn, name)
    net = KEYWORDS["net"].also("nn.Module", "Callable[[], nn.Module]")
    settings = settings_of(estimator.__init__, lr=SEARCHED, net=net, random_state=STATE)
    made = definition(estimator.__init__, settings)
    text = documented([inspect.getdoc(estimator) or ""])
    return "\n".join([f"class {name}(_{name}):", *text, textwrap.indent(made, "    ")])


def changes_stubs() -> list[str]:
    """What ``Run.rewind`` may change, and ``RunSnapshot.branch`` with it and the new run's folder."""
    names = [name for name in Settings.model_fields if name in (*HP, "betas", *CHANGEABLE)]
    left_out = "None"  # only ``clip`` may be it: other settings stay as they are if they are left out
    changes = [KEYWORDS[n] if n == "clip" else KEYWORDS[n].without(left_out) for n in names]
    stubs = []
    for name, base, keywords in (
        ("_Changes", "TypedDict", changes),
        ("_ChangesOfBranch", "_Changes", [KEYWORDS[n].without(left_out) for n in OF_PLACE]),
    ):
        lines = [f"class {name}({base}, total=False):"]
        for keyword in keywords:
            lines += [f"    {keyword.name}: {keyword.type}", *documented([keyword.about])]
        stubs.append("\n".join(lines))
    return stubs


ROWS_STUB = '''class _Rows(Protocol):
    """Rows in memory with axes: an array, or a DataFrame of pandas or polars."""

    @property
    def shape(self) -> tuple[int, ...]: ...'''


def of_apps() -> list[str]:
    """``rows``, where the app that brings it is installed."""
    found = [brought("treino.names", "rows")] if installed("rows") else []
    return [definition(rows, settings_of(rows, **HELD_BACK)) for rows in found]


def stubs() -> str:
    """The text of ``__init__.pyi``: its hand-written names, and what is made here, as ruff formats it."""
    several = {n: KEYWORDS[n].also(f"Sequence[{KEYWORDS[n].type}]") for n in ("optimizer", "shuffle")}
    parts = [
        ROWS_STUB,
        *fit_stubs(),
        definition(api.sweep, settings_of(api.sweep), instead=[WATCH]),
        definition(api.study, settings_of(api.study, **several)),
        train_stub(),
        definition(loader.load, settings_of(loader.load, **HELD_BACK)),
        *of_apps(),
        *map(estimator_stub, ("Classifier", "Regressor")),
        *changes_stubs(),
    ]
    head = FILE.read_text(encoding="utf-8").partition(MARK)[0].rstrip()
    text = "\n\n".join([head, MARK, *parts]) + "\n"
    ruff = [Path(sys.executable).parent / "ruff", "format", "--stdin-filename", FILE, "-"]
    return subprocess.run(
        ruff, input=text, capture_output=True, text=True, check=True, encoding="utf-8"
    ).stdout


if __name__ == "__main__":
    FILE.write_text(stubs(), encoding="utf-8")
