"""A JavaScript module with the same meaning in fewer letters.

It is without comments and needless spaces, and has short names for what only the module itself knows.

A name is changed in the whole module or not at all. It stays where it could be anything but a variable of the
module: a property, a key, a name that an object or a pattern is made of, or one that the browser has.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*(?s:.*?)\*/)
    |(?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    |(?P<number>(?:0[xXbBoO][\da-fA-F_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)n?)
    |(?P<word>\#?[^\W\d][\w$]*|\#?\$[\w$]*)
    |(?P<sign>>>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?!\d)|\+\+|--
      |[-+*/%&|^]=|<<|>>|\*\*|[-+*/%&|^=<>!~?:;,.(){}\[\]])""",
    re.X,
)
PATTERN = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
CHUNK = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(`|\$\{)", re.S)
BEFORE_PATTERN = set(
    re.findall(r"\w+", "await case delete do else in instanceof new of return throw typeof void yield")
)
KEYWORDS = BEFORE_PATTERN | set(
    re.findall(
        r"\w+",
        "Infinity NaN arguments async break catch class const continue default enum eval extends false "
        "finally for from function get if import let null set static super switch this true try undefined "
        "var while with",
    )
)
# what modules could mean by a name that one of them has itself, too
BROWSERS = set(
    re.findall(
        r"\w+",
        "addEventListener alert blur close closed confirm console crypto document event fetch find focus "
        "frames history innerHeight innerWidth length location matchMedia moveTo name navigator onerror "
        "onmessage open opener origin parent performance postMessage print prompt screen scroll self "
        "status stop top window",
    )
)
OPENING, CLOSING = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}
JOINING = {"{", ";", ",", "(", "[", "=", ":", "?", "&&", "||", "??", "=>", "+", "*", "<", ">", "===", "!=="}
JOINED = {"}", ")", "]", ".", "?.", "?", ":", "&&", "||", "??", ",", ";", "*", "=", "===", "!=="}


@dataclass
class Token:
    """kind: string, number, word, sign, pattern, or a template's chunk. line: whether it begins one."""

    kind: str
    text: str
    line: bool = False
    space: bool = False


def shortened(text: str) -> str:
    """The module in fewer letters.

    Raises:
        ValueError: it can't be read as JavaScript, or imports or exports.
    """
    tokens = list(_tokens(text))
    for i, token in enumerate(tokens):
        if token.text in ("import", "export") and token.kind == "word" and tokens[i - 1].text != ".":
            form = " ".join(each.text for each in tokens[i : i + 6])
            raise ValueError(f"this form can't be joined: {form}")
    names = _names(tokens)
    for token in tokens:
        if token.kind == "word":
            token.text = names.get(token.text, token.text)
    return _written(tokens)


def _tokens(text: str) -> Iterator[Token]:
    at, line, space, before = 0, False, False, Token("sign", ";")
    templates: list[int] = []  # of each template that is open: how many braces are open in it
    while at < len(text):
        closing = bool(templates) and templates[-1] == 0 and text[at] == "}"
        if text[at] == "`" or closing:
            match = CHUNK.match(text, at + 1)
            if match is None:
                raise ValueError(f"a template has no end: {text[at : at + 40]!r}")
            if closing:
                templates.pop()
            if match[1] == "${":
                templates.append(0)
            token = Token("chunk", text[at : match.end()], line, space)
        else:
            divides = before.kind in ("string", "number", "pattern") or before.text in CLOSING
            divides |= before.kind == "chunk" and before.text.endswith("`")
            divides |= before.kind == "word" and before.text not in BEFORE_PATTERN
            match = (
                PATTERN.match(text, at)
                if text[at] == "/" and text[at + 1 : at + 2] not in ("/", "*") and not divides
                else TOKEN.match(text, at)
            )
            if match is None:
                raise ValueError(f"it can't be read: {text[at : at + 40]!r}")
            kind = match.lastgroup or "pattern"
            if kind == "space":
                line, space, at = line or "\n" in match[0], True, match.end()
                continue
            token = Token(kind, match[0], line, space)
            if templates and token.text in "{}" and token.kind == "sign":
                templates[-1] += 1 if token.text == "{" else -1
        yield token
        at, line, space, before = match.end(), False, False, token


def _brackets(tokens: list[Token]) -> list[str]:
    """What each token stands in: "(", "[", "{" (a block), "object", "class", or "" (nothing)."""
    found, stack = [], [""]
    for i, token in enumerate(tokens):
        if (token.kind, token.text[0]) == ("chunk", "}") or (token.kind == "sign" and token.text in CLOSING):
            stack.pop()
        found.append(stack[-1])
        if token.kind == "chunk" and token.text.endswith("${"):
            stack.append("(")
        elif token.kind == "sign" and token.text in OPENING:
            stack.append(_kind_of_brace(tokens, i) if token.text == "{" else token.text)
    return found


def _kind_of_brace(tokens: list[Token], i: int) -> str:
    before = [token.text for token in tokens[max(0, i - 4) : i]]
    if "class" in before or "extends" in before:
        return "class"
    last = before[-1] if before else ";"
    return "{" if last in (")", "=>", ";", "{", "}", "else", "try", "finally", "do") else "object"


def _names(tokens: list[Token]) -> dict[str, str]:
    """The short name of each name that may be changed."""
    inside, words = _brackets(tokens), [token.text for token in tokens if token.kind == "word"]
    declared, other = _declared(tokens, inside), BROWSERS | KEYWORDS
    padded = [Token("sign", ";"), *tokens, Token("sign", ";")]
    for i, token in enumerate(tokens):
        if token.kind != "word":
            continue
        before, after = padded[i].text, padded[i + 2].text
        key = inside[i] in ("object", "class") and (
            before in ("{", ",", "}", ";", "async", "get", "set", "static", "*") or padded[i].kind == "chunk"
        )
        method = inside[i] == "class" and after == "("
        if before in (".", "?.") or key or method or token.text.startswith("#"):
            other.add(token.text)
    taken, frequency = set(words) | other, Counter(words)
    letters = _letters(taken)
    wanted = [name for name, _n in frequency.most_common() if name in declared - other and len(name) > 2]
    return {name: next(letters) for name in wanted}


def _declared(tokens: list[Token], inside: list[str]) -> set[str]:
    """Names that a module gives to variables, functions, classes and parameters, as far as it is plain."""
    found: set[str] = set()
    for i, token in enumerate(tokens):
        before = tokens[i - 1].text if i else ""
        after = tokens[i + 1].text if i + 1 < len(tokens) else ""
        if token.text == "=>" and before == ")":
            found |= _parameters(tokens, i - 1)
        elif token.text == "{" and before == ")":
            found |= _parameters(tokens, i - 1) if _is_function(tokens, i - 1) else set()
        if token.kind != "word":
            continue
        follows = before == "," and after in ("=", ",", ";") and inside[i] in ("{", "")
        generator = before == "*" and tokens[i - 2].text == "function"
        if (
            before in ("const", "let", "var", "function", "class")
            or after == "=>"
            or generator
            or (follows and token.text not in BROWSERS)
        ):
            found.add(token.text)
    return found


def _opening(tokens: list[Token], i: int) -> int:
    """The place of the bracket that the one at i closes."""
    depth = 0
    while True:
        depth += (tokens[i].text in CLOSING) - (tokens[i].text in OPENING) if tokens[i].kind == "sign" else 0
        if depth == 0:
            return i
        i -= 1


def _is_function(tokens: list[Token], i: int) -> bool:
    """Whether the bracket at i closes the parameters of a function or method, and not a condition."""
    start = _opening(tokens, i)
    before = tokens[start - 1].text if start else ""
    return before not in ("if", "for", "while", "switch", "with", "await")


def _parameters(tokens: list[Token], i: int) -> set[str]:
    """The names between the bracket at i and the one that opens it, outside of objects and of defaults."""
    found, start, depth = set(), _opening(tokens, i), 0
    for place in range(start + 1, i):
        token = tokens[place]
        if token.kind == "sign" and token.text in ("(", "{"):
            depth += 1
        elif token.kind == "sign" and token.text in (")", "}"):
            depth -= 1
        elif token.kind == "word" and depth == 0 and tokens[place - 1].text in ("(", ",", "...", "["):
            found.add(token.text)
    return found


def _letters(taken: set[str]) -> Iterator[str]:
    """a, b, …, Z, aa, ab, …, but for those that are taken."""
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for size in count(1):
        for n in range(52**size):
            name = "".join(alphabet[n // 52**k % 52] for k in range(size))
            if name not in taken:
                yield name


def _written(tokens: list[Token]) -> str:
    parts, before = list[str](), Token("sign", ";")
    for token in tokens:
        if token.line and not (before.kind == "sign" and before.text in JOINING) and token.text not in JOINED:
            parts.append("\n")
        elif (token.line or token.space) and _apart(before, token):
            parts.append(" ")
        parts.append(token.text)
        before = token
    return "".join(parts) + "\n"


def _apart(a: Token, b: Token) -> bool:
    """Whether two tokens would be read as something else without a space."""
    words = "word", "number"
    if a.kind in words and b.kind in words:
        return True
    if a.kind == "number" and b.text.startswith("."):
        return True
    return a.text[-1] in "+-/<" and b.text[0] in "+-/!>"
