"""Values are followed backwards through names, arguments, attributes, entries and results."""

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treino_doctor.places.back import values
from treino_doctor.places.flow import origins
from treino_doctor.places.source import module, place, refresh
from written import marked, script, spelled

# what the value on the line "here" ends at: the line "made"
WAYS = {
    "a name": ("n", "n = 3  # made\nprint(n)  # here"),
    "the nearest": ("n", "n = 2\nn = 3  # made\nprint(n)  # here"),
    "a tuple": ("b", "a, b = 1, 3  # made\nprint(b)  # here"),
    "a walrus": ("n", "if (n := 3) > 2:  # made\n    print(n)  # here"),
    "an argument": ("n", "def f(n):\n    print(n)  # here\nf(3)  # made"),
    "a keyword": ("n", "def f(m, n=2):\n    print(n)  # here\nf(1, n=3)  # made"),
    "a default": ("n", "def f(m, n=3):  # made\n    print(n)  # here\nf(1)"),
    "a keyword alone": ("n", "def f(*, n):\n    print(n)  # here\nf(n=3)  # made"),
    "partial": ("n", "def f(m, n):\n    print(n)  # here\ng = partial(f, n=3)  # made\ng(1)"),
    "an attribute": (
        "self.n",
        "class A:\n    def __init__(self, n):\n        self.n = n\n    def f(self):\n"
        "        print(self.n)  # here\nA(3)  # made",
    ),
    "a field": ("c.n", "@dataclass\nclass C:\n    n: int = 3  # made\nc = C()\nprint(c.n)  # here"),
    "field(default)": ("c.n", "class C:\n    n: int = field(default=3)  # made\nc = C()\nprint(c.n)  # here"),
    "a namespace": ("c.n", "c = SimpleNamespace(n=3)  # made\nprint(c.n)  # here"),
    "a command line": (
        "a.n",
        "p.add_argument('--n', default=3)  # made\na = p.parse_args()\nprint(a.n)  # here",
    ),
    "an heir": (
        "self.n",
        "class A:\n    def f(self):\n        print(self.n)  # here\nclass B(A):\n"
        "    def __init__(self):\n        self.n = 3  # made",
    ),
    "an entry": ("t['n']", "t = {'m': 2, 'n': 3}  # made\nprint(t['n'])  # here"),
    "a nested entry": ("t['a']['n']", "t = {'n': 2, 'a': {'n': 3}}  # made\nprint(t['a']['n'])  # here"),
    "an entry that is set": ("t['n']", "t = {}\nt['n'] = 3  # made\nprint(t['n'])  # here"),
    "dict()": ("t['n']", "t = dict(n=3)  # made\nprint(t['n'])  # here"),
    "get's default": ("t.get('n', 3)", "t = {'m': 2}\nprint(t.get('n', 3))  # here  # made"),
    "a result": ("n", "def f():\n    return 3  # made\nn = f()\nprint(n)  # here"),
    "a part of a result": ("b", "def f():\n    return 2, 3  # made\na, b = f()\nprint(b)  # here"),
    "a result of its argument": ("n", "def f(m):\n    return m\nf(2)\nn = f(3)  # made\nprint(n)  # here"),
    "a generator": ("n", "def f():\n    yield 3  # made\nfor n in f():\n    print(n)  # here"),
    "zip": ("b", "x = [3]  # made\nfor a, b in zip(y, x):\n    print(b)  # here"),
    "enumerate": ("b", "x = [3]  # made\nfor i, b in enumerate(x):\n    print(b)  # here"),
    "a comprehension": ("n", "x = [3]  # made\ny = [n for n in x]  # here"),
    "a cast": ("n", "n = float('3') if a else int(3)  # made\nprint(n)  # here"),
    "the loop before": ("n", "n = 3  # made\nfor i in x:\n    print(n)  # here\n    n = 3  # made"),
    "the other branch": ("n", "if a:\n    n = 2\nelse:\n    n = 3  # made\n    print(n)  # here"),
}


@pytest.mark.parametrize("name", WAYS)
def test_a_value_is_followed_to_where_it_is_written(name: str, tmp_path: Path) -> None:
    expression, text = WAYS[name]
    path = script(tmp_path, text.replace("# here  # made", "# here"))
    here = marked(path, "here")
    lines = enumerate(Path(path).read_text().splitlines(), 1)
    made = {i for i, line in lines if "3" in line and "# 3" not in line}
    ends = {way[-1].site.line for way in values(here, spelled(here, expression))}
    assert ends == made


def test_a_value_of_two_branches_has_two_ends(tmp_path: Path) -> None:
    path = script(tmp_path, "if a:\n    n = 1\nelse:\n    n = 2\nprint(n)  # here")
    here = marked(path, "here")
    assert sorted(w[-1].site.line for w in values(here, spelled(here, "n"))) == [2, 4]


def test_rows_are_followed_through_what_changes_them(tmp_path: Path) -> None:
    text = """
        x, y = load()
        x = x[order]
        x -= x.mean(0)
        def scaled(a):
            spread = a.std(0)
            return a / spread
        x_train, x_test = x[:80], x[80:]
        other = scaled(x_test)
        rows = scaled(x_train)
        net(rows)  # here
    """
    path = script(tmp_path, text)
    here = marked(path, "here")
    lines = [s.site.line for s in origins(here, spelled(here, "rows"))]
    assert list(dict.fromkeys(lines)) == [10, 9, 6, 7, 5, 3, 2, 1]
    assert 8 not in lines  # the other call of the same function


def test_the_call_that_was_running_is_meant(tmp_path: Path) -> None:
    text = """
        def run(rows):
            net(rows)  # here
        run(a)
        run(b)  # led
    """
    path = script(tmp_path, text)
    here, led = marked(path, "here"), marked(path, "led")
    steps = list(origins(here, spelled(here, "rows"), (here, led)))
    assert [s.site.line for s in steps if s.how == "argument"] == [led.line]


def test_a_setting_in_another_file_of_the_script(tmp_path: Path) -> None:
    other = script(tmp_path, "LR = 3\nclass C:\n    n = 4\n", "settings_of_mine.py")
    text = "from settings_of_mine import LR\nimport settings_of_mine as s\nprint(LR, s.LR)  # here"
    path = script(tmp_path, text)
    here = marked(path, "here")
    for expression in ("LR", "s.LR"):
        end = values(here, spelled(here, expression))[0][-1]
        assert (end.site.file, end.site.line) == (other, 1)


def _all_ways(path: str) -> None:
    for node in list(ast.walk(module(path)))[:400]:
        if isinstance(node, ast.expr):
            site = place(path, node)
            list(origins(site, node))
            values(site, node)


PIECES = (
    *("a = b", "b = a", "a, *b = c", "a += f(a)", "def f(a, *b, c=a, **d): return f(*b, **d)", "f(f, b=f)"),
    *(
        "class A(A): f = f",
        "class B(A):\n    def f(self, a): self.a = self.f(a); return self.a",
        "x = B(a).a.f",
    ),
    *("for a in a: b = a", "while a: a = a", "c = {'a': a, **c}", "a = c['a']['a']", "c['a'] = c"),
    *("a = lambda a: a(a)", "a = 1 ** 2 ** 3 ** 9", "a: int = a", "del a", "async def g(a): await g(a)"),
    *("a = a(a)", "with a as b: a = b", "[a for a in [b for b in a]]", "from x import *", "import a.b as c"),
    *("a = a.a.a", "a = partial(f, a)", "a = getattr(a, 'a', a)", "a = c.get('a', c.get('b'))", "global a"),
    *("def f(): yield f()", "a = yield_", "try: a = b\nexcept E as b: b = a", "if a: b = a\nelse: a = b"),
    "match a:\n    case [b, *c]: a = b",
)


@pytest.mark.slow
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=14))
@settings(max_examples=60)
def test_any_source_has_an_end(tmp_path_factory: pytest.TempPathFactory, pieces: list[str]) -> None:
    path = tmp_path_factory.mktemp("any") / "s.py"
    path.write_text("\n".join(pieces))
    refresh()
    _all_ways(str(path))


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"x{i + 1} = x{i} + x{i}" for i in range(3000)) + "\nprint(x3000)",
        "\n".join(f"def f{i}(a): return f{(i + 1) % 300}(a)" for i in range(300)) + "\nf0(1)",
        "x = " + "+".join(["x"] * 900),
        "x = " + "[" * 80 + "]" * 80,
        "x = 0\n" + "x = f(x)\n" * 2000,
        "t = {" + ",".join(f"'k{i}': t" for i in range(2000)) + "}\nprint(t['k1'])",
        "x = 1\n" + "".join(f"{' ' * i}if x:\n" for i in range(60)) + " " * 60 + "y = x",
    ],
    ids=["chain", "functions", "sum", "lists", "again", "table", "deep"],
)
def test_long_sources_have_an_end(text: str, tmp_path: Path) -> None:
    path = script(tmp_path, text)
    last = list(module(path).body)[-1:]
    for statement in last:
        for node in [n for n in ast.walk(statement) if hasattr(n, "lineno")][:20]:
            assert len(list(origins(place(path, node), node))) <= 301
            assert len(values(place(path, node), node)) <= 30
