"""Formulas as text: Unicode for terminals and JSON, MathML for pages.

One walk over the expression tree decides brackets and layout; a pen draws fractions, powers and sums in its
medium. The same walk writes symbols or numbers, so that both have the same shape.
"""

import math
import re
from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

from treino.base.formula import Constant, Expr, Formula, Op, Sum, Symbol, value
from treino.base.words import _, localised
from treino_doctor.base.markup import tag

DIGITS = 6
WIDE = 64  # maximum number of characters of a sum on one line of a page
LONG = 4  # terms shown of a longer sum: the largest, in their order

SUM, SIGN, QUOTIENT, PRODUCT, POWER, ATOM = range(6)  # how tightly a piece binds


@dataclass(frozen=True)
class Piece:
    """A written expression and how tightly it binds."""

    text: str
    level: int = ATOM


@dataclass(frozen=True)
class FormulaWriter:
    """Walks an expression tree, with symbols or their numbers, and lets a pen draw each shape."""

    pen: "UnicodeText"
    numbers: bool
    digits: int

    def write(self, e: Expr) -> Piece:
        pen = self.pen
        if isinstance(e, Constant):
            return pen.number(e.number, 15)
        if isinstance(e, Symbol):
            return pen.number(e.number, self.digits) if self.numbers else pen.symbol(e)
        if isinstance(e, Sum):
            if self.numbers:
                return self._added(self._terms(e))
            body = self.write(e.body)
            return pen.total(e.index, e.last, self._fence(body, body.level == SUM))
        assert isinstance(e, Op)
        if self.numbers and e.kind == "+" and isinstance(e.args[0], Sum):
            return self._added([*self._terms(e.args[0]), self.write(e.args[1])])
        args = [self.write(a) for a in e.args]
        first, last = args[0], args[-1]
        if e.kind in "+-":
            loose = last.level == SIGN or (e.kind == "-" and last.level == SUM)
            return pen.infix(first, "−" if e.kind == "-" else "+", self._fence(last, loose), SUM)
        if e.kind == "*":
            left = self._fence(first, first.level <= QUOTIENT or isinstance(e.args[0], Sum))
            return pen.infix(left, "·", self._fence(last, last.level <= SIGN), PRODUCT)
        if e.kind == "/":
            return pen.fraction(first, last)
        if e.kind == "^":
            return pen.power(self._fence(first, first.level < ATOM), last)
        if e.kind == "neg":
            return pen.shape("minus", self._fence(first, first.level <= SIGN), level=SIGN)
        if e.kind == "abs":
            return pen.shape("absolute", first)
        return pen.root(first) if e.kind == "sqrt" else pen.call(e.kind, args)

    def _fence(self, piece: Piece, wanted: bool) -> Piece:
        return self.pen.shape("fenced", piece) if wanted else piece

    def _terms(self, e: Sum) -> list[Piece]:
        pieces = [self.write(term) for term in _largest(e.terms)]
        if left_out := len(e.terms) - len(pieces):
            pieces.append(self.pen.words(_("… {n:,} smaller terms").format(n=left_out)))
        return pieces

    def _added(self, pieces: list[Piece]) -> Piece:
        first, *others = pieces
        return self.pen.added([first, *(self._fence(piece, piece.level == SIGN) for piece in others)])


def formula_lines(formula: Formula, pen: "UnicodeText", digits: int) -> list[tuple[str, str, str]]:
    """Return (kind, left side, right side) of each line: symbols, numbers, value; no line comes twice."""
    left, right = (FormulaWriter(pen, False, digits).write(e).text for e in (formula.left, formula.right))
    numbers = FormulaWriter(pen, True, digits).write(formula.right).text
    lines, before = [("", left, right)], right
    for kind, text in (("numbers", numbers), ("value", pen.number(formula.value, digits).text)):
        lines += [(kind, "", text)] if text != before else []
        before = text
    return lines


def _largest(terms: tuple[Expr, ...]) -> list[Expr]:
    if len(terms) <= LONG + 1:
        return list(terms)
    sizes = [abs(value(term)) for term in terms]
    places = sorted(range(len(terms)), key=lambda k: -sizes[k])[:LONG]
    return [terms[k] for k in sorted(places)]


def shown(of: float, digits: int = DIGITS) -> tuple[str, str]:
    """Return (digits, power of ten or ""): ("−0.0123", "") for −0.0123, ("1.2", "−7") for 1.2e-7."""
    if not math.isfinite(of):
        return ("NaN" if math.isnan(of) else "−∞" if of < 0 else "∞"), ""
    if of == int(of) and abs(of) < 1e9:
        return str(int(of)).replace("-", "−"), ""
    mantissa, _e, exponent = f"{of:.{digits}g}".partition("e")
    return mantissa.replace("-", "−"), str(int(exponent)).replace("-", "−") if exponent else ""


def _separator() -> str:
    """Return the argument separator: a comma, unless that is the decimal sign."""
    return ";" if localised(".") == "," else ","


# ---- Unicode

_LOW = dict(zip("0123456789+−=(),aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎,ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_HIGH = dict(
    zip(
        "0123456789+−=()abcdefghijklmnoprstuvwxyzBDHN′",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴮᴰᴴᴺ′",
        strict=True,
    )
)


def lowered(text: str) -> str:
    """Return text as a subscript if Unicode has all its characters, else after an underscore."""
    fits = all(c in _LOW for c in text) and not (len(text) > 1 and text.isalpha())
    return "".join(_LOW[c] for c in text) if fits else f"_{text}" if text.isalnum() else f"_({text})"


def raised(text: str) -> str:
    fits = all(c in _HIGH for c in text)
    return "".join(_HIGH[c] for c in text) if fits else f"^{text}" if text.isalnum() else f"^({text})"


class UnicodeText:
    """Writes one line of Unicode. exact: decimal points in every language, for programs."""

    SHAPES: ClassVar = {"minus": "−{}", "fenced": "({})", "absolute": "|{}|"}

    def __init__(self, exact: bool = False) -> None:
        self.exact = exact

    def shape(self, name: str, *pieces: Piece, level: int = ATOM) -> Piece:
        """Draw a shape that looks the same whatever it contains."""
        return Piece(self.SHAPES[name].format(*(piece.text for piece in pieces)), level)

    def number(self, of: float, digits: int) -> Piece:
        text, ten = shown(of, digits)
        text = text if self.exact else localised(text)
        level = SIGN if text.startswith("−") else PRODUCT if ten else ATOM
        return Piece(f"{text}×10{raised(ten)}" if ten else text, level)

    def symbol(self, s: Symbol) -> Piece:
        name = s.name + ("\u0302" if s.hat else "")
        text = name + (raised(s.sup) if s.sup else "") + (lowered(s.sub) if s.sub else "")
        return Piece(text, PRODUCT if "/" in s.name else POWER if s.sup else ATOM)

    def infix(self, left: Piece, sign: str, right: Piece, level: int) -> Piece:
        space = "" if sign == "·" else " "
        return Piece(f"{left.text}{space}{sign}{space}{right.text}", level)

    def fraction(self, a: Piece, b: Piece) -> Piece:
        above = self.shape("fenced", a) if a.level == SUM else a
        below = self.shape("fenced", b) if b.level <= PRODUCT else b
        return Piece(f"{above.text} / {below.text}", SIGN if above.level == SIGN else QUOTIENT)

    def power(self, a: Piece, b: Piece) -> Piece:
        return Piece(a.text + raised(b.text), POWER)

    def root(self, a: Piece) -> Piece:
        return Piece(f"√{a.text}" if a.level == ATOM else f"√({a.text})")

    def call(self, name: str, args: list[Piece]) -> Piece:
        between = ", " if self.exact else _separator() + " "
        return Piece(f"{name}({between.join(a.text for a in args)})")

    def total(self, index: str, last: str, body: Piece) -> Piece:
        bounds = f"{lowered(index + '=1')}{raised(last)}" if last else lowered(index)
        return Piece(f"Σ{bounds} {body.text}", PRODUCT)

    def words(self, text: str) -> Piece:
        return Piece(text)

    def added(self, pieces: list[Piece]) -> Piece:
        return pieces[0] if len(pieces) == 1 else Piece(" + ".join(p.text for p in pieces), SUM)


# ---- MathML Core


def _tokens(text: str) -> Markup:
    """Return MathML tokens: letters as identifiers, digits as numbers, other characters as operators."""
    parts = re.findall(r"[^\W\d_]+(?:\.[^\W\d_]+)+|\d+(?:\.\d+)?|∂?[^\W\d_]+[\u0302′″]*|.", text)
    row = [_token(part) for part in parts if part.strip()]
    return Markup().join(row) if len(parts) == 1 else tag("mrow", *row)


def _token(part: str) -> Markup:
    """Return one token. The style sheet makes single letters italic: MathML's own italics take characters
    from a mathematical font, and without one an h would be unrecognisable.
    """
    if part[0].isdigit():
        return tag("mn", part)
    if not re.match(r"∂?\w|∂", part):
        return tag("mo", part)
    leans = len(part.lstrip("∂").rstrip("\u0302′″₁₂₃₄")) <= 1
    return tag("mi", part, mathvariant="normal", class_="v" if leans else None)


class MathML(UnicodeText):
    """Writes MathML Core, which browsers draw themselves."""

    FENCES: ClassVar = {  # the signs before and after, if there are any
        "minus": (tag("mo", "−", form="prefix"), ""),
        "fenced": (tag("mo", "("), tag("mo", ")")),
        "absolute": (tag("mo", "|"), tag("mo", "|")),
    }

    def shape(self, name: str, *pieces: Piece, level: int = ATOM) -> Piece:
        before, after = self.FENCES[name]
        return Piece(tag("mrow", before, *(piece.text for piece in pieces), after), level)

    def number(self, of: float, digits: int) -> Piece:
        text, ten = shown(of, digits)
        minus = text.startswith("−")
        row = [tag("mo", "−", form="prefix")] if minus else []
        row.append(tag("mn", localised(text.lstrip("−"))))
        if ten:
            row += [tag("mo", "×"), tag("msup", tag("mn", "10"), tag("mn", ten))]
        return Piece(tag("mrow", *row), SIGN if minus else PRODUCT if ten else ATOM)

    def symbol(self, s: Symbol) -> Piece:
        if slash := re.fullmatch(r"([^/]+)/([^/]+)", s.name):
            below = Symbol(slash[2], 0.0, s.sub, s.sup)
            return Piece(tag("mfrac", _tokens(slash[1]), self.symbol(below).text), PRODUCT)
        base = _tokens(s.name)
        if s.hat:
            base = _token(s.name + "\u0302")
        if s.sub and s.sup:
            return Piece(tag("msubsup", base, _tokens(s.sub), _tokens(s.sup)), POWER)
        if s.sub:
            return Piece(tag("msub", base, _tokens(s.sub)))
        return Piece(tag("msup", base, _tokens(s.sup)), POWER) if s.sup else Piece(base)

    def infix(self, left: Piece, sign: str, right: Piece, level: int) -> Piece:
        return Piece(tag("mrow", left.text, tag("mo", sign, form="infix"), right.text), level)

    def fraction(self, a: Piece, b: Piece) -> Piece:
        return Piece(tag("mfrac", a.text, b.text), PRODUCT)

    def power(self, a: Piece, b: Piece) -> Piece:
        return Piece(tag("msup", a.text, b.text), POWER)

    def root(self, a: Piece) -> Piece:
        return Piece(tag("msqrt", a.text))

    def call(self, name: str, args: list[Piece]) -> Piece:
        if name == "exp":
            return Piece(tag("msup", tag("mi", "e"), args[0].text), POWER)
        inside = tag("mo", _separator(), separator="true").join(a.text for a in args)
        named = tag("mi", name, mathvariant="normal")
        return Piece(tag("mrow", named, tag("mo", "("), inside, tag("mo", ")")))

    def total(self, index: str, last: str, body: Piece) -> Piece:
        below, sign = _tokens(f"{index}=1" if last else index), tag("mo", "∑", movablelimits="false")
        ends = tag("munderover", sign, below, _tokens(last)) if last else tag("munder", sign, below)
        return Piece(tag("mrow", ends, body.text), PRODUCT)

    def words(self, text: str) -> Piece:
        return Piece(tag("mtext", text, class_="dots"))

    def added(self, pieces: list[Piece]) -> Piece:
        """Write a sum on one line, or if that is too long, one term per line."""
        if len(pieces) == 1:
            return pieces[0]
        plus = tag("mo", "+", form="infix")
        letters = sum(len(re.sub(r"<[^>]*>", "", p.text)) + 3 for p in pieces)
        if letters <= WIDE:
            return Piece(tag("mrow", plus.join(p.text for p in pieces)), SUM)
        signs = [tag("mo"), *(plus for _piece in pieces[1:])]
        rows = (
            tag("mtr", tag("mtd", sign), tag("mtd", piece.text))
            for sign, piece in zip(signs, pieces, strict=True)
        )
        return Piece(tag("mtable", *rows, class_="stack", displaystyle="true"), SUM)


TEXT, EXACT, MATHML = UnicodeText(), UnicodeText(exact=True), MathML()


def text(e: Expr, *, numbers: bool = False, digits: int = DIGITS, exact: bool = False) -> str:
    """Return one line of Unicode. exact: decimal points in every language."""
    return FormulaWriter(EXACT if exact else TEXT, numbers, digits).write(e).text
