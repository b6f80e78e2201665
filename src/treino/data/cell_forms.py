"""Tell how a cell is written: as a number, date, time, truth value, or word for a missing value.

All patterns work in Python and in RE2. A cell's form depends only on its shape: the cell with every digit
replaced by 9, except a leading zero. Cells of the same shape are looked up once.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from treino.base.words import N_

# ---- words for a missing value, and truth values

PLAIN_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-", "<na>", "nat"})
_MORE_MISSING = (
    "#n/a|#n/d|#nv|#na|#n/a n/a|#getting_data|#div/0!|#ref!|#value!|#name?|#num!|#null!|#valor!|#nome?|#núm!|"
    "#nulo!|"  # spreadsheets
    ".|..|...|…|:|–|—|--|---|*|n.a.|n.d.|n/d|nd|s/d|(na)|"  # offices
    r"\n|(null)|[null]|<null>|nil|<none>|"  # databases
    "na_real_|na_integer_|na_character_|._|-nan|1.#ind|-1.#ind|1.#qnan|-1.#qnan|"  # programs
    "missing|unknown|not available|not applicable|no data|sem dados|desconhecido|não disponível|não informado"
)
MISSING = PLAIN_MISSING | set(_MORE_MISSING.split("|"))
_MORE = r"#[^\s\d!?]+(?:/0)?[!?]|err:\d{3}|\.[a-z]"  # any error of a spreadsheet; SAS: .A to .Z
NOTHING = f"(?i)^(?:{'|'.join(map(re.escape, sorted(MISSING)))}|{_MORE})$"
LONGEST_NOTHING = 20  # bytes
_NOTHING = re.compile(NOTHING)

TRUE = frozenset({"true", "yes", "sim", "verdadeiro", "y", "s", "t", "v"})
FALSE = frozenset({"false", "no", "não", "nao", "falso", "n", "f"})
TRUTH = dict.fromkeys(TRUE, 1.0) | dict.fromkeys(FALSE, 0.0)
TRUTH_VALUES = TRUTH | {"1": 1.0, "1.0": 1.0, "0": 0.0, "0.0": 0.0}
PROGRAM_TRUTH = ({"true", "false"}, {"verdadeiro", "falso"})  # their case has no meaning
_LETTERS = ({"y", "n"}, {"s", "n"}, {"t", "f"}, {"v", "f"})
MOST_TRUTHS = 24  # spellings in a column that may hold truth values


def truth_words(words: set[str]) -> bool:
    """Whether these words in lower case are truth values: e.g. yes and true, but no letters of two pairs."""
    letters = {word for word in words if len(word) == 1}
    return bool(words) and words <= TRUTH.keys() and any(letters <= pair for pair in _LETTERS)


def truth_of(word: str) -> float | None:
    """1 or 0 for a word or digit that means true or false; None for others."""
    return TRUTH_VALUES.get(word.strip().lower())


def missing(cell: str) -> bool:
    """Whether a cell is empty or a word for a missing value, such as NA."""
    cell = cell.strip()
    return cell.lower() in MISSING or (cell[:1] in "#.Ee" and bool(_NOTHING.match(cell)))


# ---- numbers

_SYMBOLS = (
    r"(?:R\$|US\$|A\$|C\$|NZ\$|HK\$|MX\$|[$€£¥₹₽₩₺₫₪₴₦฿₱]|Rs\.?|BRL|USD|EUR|GBP|JPY|CHF|CNY|INR|CAD|AUD|NZD|MXN|"
    r"ARS|CLP|COP|ZAR|SEK|NOK|DKK|PLN|CZK|HUF|TRY|RUB|KRW|kr|zł|Kč|Fr\.)"
)
_UNITS = (
    r"(?:kg|mg|µg|lbs?|oz|km/h|km²|km|cm²|cm|mm|m/s|m²|m2|m³|mi|mph|sqft|ft²|ft|ha|ml|mL|kWh|MWh|kW|MW|Hz|kHz|MHz|"
    r"GHz|hp|cv|kB|KB|MB|GB|TB|px|ms|min|bpm|rpm|ppm|kcal|cal|hPa|kPa|mmHg|°C|°F|°|‰|pp|bps)"
)
_SPACED_UNITS = r"(?:[gmlLstWVA]|days?|hours?|years?|dias?|horas?|anos?|pcs|un)"
_GAP = r"[ \x{a0}\x{202f}\x{2009}]"
_SIGN = "[-+−–]"
_EXPONENT = r"(?:[eE][-+]?\d+)?"
_LEAD = r"[1-9]\d{0,2}"
_GAPPED = rf"{_LEAD}(?:{_GAP}\d{{3}})+|{_LEAD}(?:['’]\d{{3}})+"
_ENDLESS = r"[iI][nN][fF](?:[iI][nN][iI][tT][yY])?"


def _number(point: str, group: str, indian: str = "") -> str:
    grouped = rf"(?:{_LEAD}(?:{group}\d{{3}})+|{_GAPPED}{indian})(?:{point}\d*)?"
    return rf"(?:{grouped}|(?:\d+{point}?\d*|{point}\d+){_EXPONENT}|{_ENDLESS})"


POINT, COMMA = _number(r"\.", ",", r"|[1-9]\d?(?:,\d{2})+,\d{3}"), _number(",", r"\.")
EITHER_WAY = rf"(?:\d+{_EXPONENT}|{_GAPPED}|{_ENDLESS})"  # the same value with decimal point or comma


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\x\{(\w+)\}", lambda m: chr(int(m[1], 16)), pattern), re.ASCII)


_POINT, _COMMA, _SAME = map(_compiled, (POINT, COMMA, EITHER_WAY))
_CELL = _compiled(
    rf"(\()?({_SIGN})?({_SYMBOLS})?\s*(\()?({_SIGN})?({POINT}|{COMMA})"
    rf"(?:\s*({_SYMBOLS}|%|{_UNITS})|\s+({_SPACED_UNITS}))?(-)?(\))?"
)
_GROUP = _compiled(r"[1-9]\d{0,2}[.,]\d{3}")
_DOTTED = _compiled(r"\d+(?:\.\d+){2,}")
ADDRESS = r"^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
OCTETS = rf"^{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}$"
"""An IP address; ``ADDRESS``: the same for a shape, whose digits are all 9."""
_CODE = re.compile(r"(\d+)([eE])(\d+)", re.ASCII)


@dataclass(frozen=True)
class Affix:
    """The text before or after each number of a column: a currency, a unit or a percent sign."""

    before: str = ""
    after: str = ""

    def pattern(self, number: str) -> str:
        """The pattern of the whole cell, for RE2. number: the pattern of the number alone."""
        before = rf"{re.escape(self.before)}\s*" if self.before else ""
        after = rf"\s*{re.escape(self.after)}" if self.after else ""
        signed = f"{before}{_SIGN}" if before else ""
        pairs = [(f"{_SIGN}?{before}", after), (signed, after), (before, f"{after}-")]
        pairs += [(rf"\({before}", rf"{after}\)"), (rf"{before}\(", rf"{after}\)")]
        pairs.append((rf"{before}\(", rf"\){after}"))
        written = (f"{head}{number}{tail}" for head, tail in pairs if head or tail != after or not signed)
        return f"^(?:{'|'.join(written)})$"

    @property
    def spoken(self) -> str:
        symbol = self.before or self.after
        if not symbol or symbol == "%":
            return symbol and N_("percent")
        return f"money {symbol}" if re.fullmatch(_SYMBOLS, symbol) else f"unit {symbol}"


PLAIN = Affix()


@dataclass(frozen=True)
class NumberForm:
    """How the number of a cell is written.

    point, comma, same: whether it is a number with a decimal point, with a decimal comma, and the same in
    both. digits: how many precede the first sign inside, at most 5. lone: one group of three digits follows a
    lone sign, so that it may be decimals. proven: some sign can only group thousands. gaps, commas: between
    the thousands. signed: negative by brackets, by a trailing minus or a typographic one. leading: a
    sign comes first. exact: a number loses leading zeros or digits. code: ``E`` between digits as in 32E0134;
    strong if numbers are hardly ever written so.
    """

    affix: Affix
    point: bool
    comma: bool
    same: bool
    digits: int = 0
    lone: bool = False
    proven: bool = False
    gaps: bool = False
    commas: bool = False
    signed: bool = False
    bracketed: bool = False
    leading: bool = False
    exact: bool = False
    code: Literal["", "weak", "strong"] = ""

    @property
    def dotted(self) -> bool:
        """Whether it is written like 1.101.203, as versions are, too."""
        return (
            self.proven
            and self.comma
            and not (self.point or self.commas or self.gaps)
            and self.affix == PLAIN
        )

    @property
    def key(self) -> Affix:
        """The text before and after the number, which all numbers of a column share."""
        return self.affix


def number_form(shape: str) -> NumberForm | None:
    """The form of a cell that is a number, from its shape."""
    match = _CELL.fullmatch(shape)
    if not match:
        return None
    outer, sign, before, inner, own, number, after, unit, trailing, closing = match.groups()
    after = after or unit
    if bool(outer) + bool(inner) != bool(closing) or (before and after):
        return None
    if sum(map(bool, (outer, inner, sign, own, trailing))) > 1:
        return None
    whole = re.match(r"\d*", number)
    lone, code = bool(_GROUP.fullmatch(number)), _CODE.fullmatch(number)
    kind: Literal["", "weak", "strong"] = ""
    if code:
        weak = code[2] == "e" and len(code[1]) == 1
        kind = "weak" if weak else "strong"
    groups = len(re.findall(r"[.,]", number))
    return NumberForm(
        Affix(before or "", after or ""),
        bool(_POINT.fullmatch(number)),
        bool(_COMMA.fullmatch(number)),
        bool(_SAME.fullmatch(number)),
        digits=min(5, len(whole[0]) if whole else 0),
        lone=lone,
        proven=groups > 1,
        gaps=bool(_compiled(rf"\d(?:{_GAP}|['’])\d").search(number)),
        commas="," in number,
        signed=bool(outer or inner or trailing) or (sign or own) in ("−", "–"),
        bracketed=bool(outer or inner),
        leading=(sign or own or "") != "",
        exact=bool(re.match(r"[-+]?0\d+$|[-+]?\d{16,}$", shape)),
        code=kind,
    )


# ---- dates and times

_MONTHS = "jan|feb fev|mar|apr abr|may mai|jun|jul|aug ago|sep set|oct out|nov|dec dez"
MONTHS = {name: month for month, names in enumerate(_MONTHS.split("|"), 1) for name in names.split()}
_MONTH = (
    r"(?P<mon>jan(?:uary|eiro)?|feb(?:ruary)?|fev(?:ereiro)?|mar(?:ch|ço|co)?|apr(?:il)?|abr(?:il)?|maio?|may|"
    r"jun(?:e|ho)?|jul(?:y|ho)?|aug(?:ust)?|ago(?:sto)?|sept?(?:ember)?|set(?:embro)?|oct(?:ober)?|out(?:ubro)?|"
    r"nov(?:ember|embro)?|dec(?:ember)?|dez(?:embro)?)\.?"
)
_WEEKDAY = (
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun|seg|ter|qua|qui|sex|s[aá]b|dom)(?:[a-zç]{2,6})?(?:-feira)?\.?,? )?"
)
_TH = r"(?:st|nd|rd|th|º|o|\.)?"
_NAME_GAP = r"(?: de |[-/., ]{1,2}|)"
DATES: dict[str, str] = {
    "year first": r"(?P<p>\d{4})~(?P<q>\d{1,2})~(?P<r>\d{1,2})",
    "year last": r"(?P<p>\d{1,2})~(?P<q>\d{1,2})~(?P<r>\d{4})",
    "short year": r"(?P<p>\d{1,2})~(?P<q>\d{1,2})~(?P<r>\d{2})",
    "compact": r"(?P<p>\d{4})(?P<q>\d{2})(?P<r>\d{2})",
    "month": r"(?P<p>\d{4})-(?P<q>\d{2})",
    "day month": rf"{_WEEKDAY}(?P<p>\d{{1,2}}){_TH}{_NAME_GAP}{_MONTH}{_NAME_GAP}(?P<r>\d{{4}})",
    "short named": rf"{_WEEKDAY}(?P<p>\d{{1,2}}){_TH}{_NAME_GAP}{_MONTH}{_NAME_GAP}(?P<r>\d{{2}})",
    "month day": rf"{_WEEKDAY}{_MONTH}{_NAME_GAP}(?P<p>\d{{1,2}}){_TH}{_NAME_GAP}(?P<r>\d{{4}})",
    "year month": rf"(?P<r>\d{{4}}){_NAME_GAP}{_MONTH}{_NAME_GAP}(?P<p>\d{{1,2}})",
    "month year": rf"{_MONTH}{_NAME_GAP}(?P<r>\d{{4}})",
}
"""The orders of year, month and day: three groups of digits by their place, or the name of the month."""
OPEN = ("year last", "short year")  # the cell doesn't tell whether the day or the month comes first
_GAP_OF_TIME = r"(?:T|,? +)"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:[.,]\d{1,9})?))?"
_COMPACT_CLOCK = r"(?P<hour>\d{2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2}(?:[.,]\d{1,9})?))?"
_HOURS = r"(?P<hour>\d{1,2})h(?P<minute>\d{2})?"
_HALF = r"(?P<half> ?[AaPp]\.?[Mm]\.?)"
_ZONE = r"(?P<zone> ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))"


def _date(order: str, sign: str) -> str:
    text = DATES[order].replace("~", re.escape(sign))
    return f"(?i:{text})" if "mon" in text else text  # RE2 is slower if it ignores case


def _time_after(order: str) -> str:
    return _GAP_OF_TIME + (_COMPACT_CLOCK if order == "compact" else _CLOCK)


_DATE_SHAPES = [
    (
        order,
        sign,
        re.compile(f"{_date(order, sign)}(?P<time>{_time_after(order)}{_HALF}?{_ZONE}?)?", re.ASCII),
    )
    for order, text in DATES.items()
    for sign in ("-/." if "~" in text else " ")
]


@dataclass(frozen=True)
class DateForm:
    """How the date or the time of day of a cell is written.

    order: one of ``DATES``, or ``time`` or ``hours`` (9h30) for only a time of day. sign: between digits.
    time: whether there is a time of day, whether with am or pm, whether with a zone.
    """

    order: str
    sign: str = ""
    time: tuple[bool, bool, bool] = (False, False, False)

    @property
    def key(self) -> tuple[str, str]:
        return (self.order, self.sign)

    @property
    def clock(self) -> bool:
        return self.order in ("time", "hours")

    @property
    def open(self) -> bool:
        return self.order in OPEN

    @cached_property
    def pattern(self) -> str:
        """The pattern of a cell of this form, or without the time of day, for RE2."""
        there, half, zone = self.time
        after = _HALF * half + _ZONE * zone
        if self.clock:
            return f"^{_HOURS if self.order == 'hours' else _CLOCK + after}$"
        time = f"(?:{_time_after(self.order)}{after})?" if there else ""
        return f"^{_date(self.order, self.sign)}{time}$"


def date_form(shape: str) -> DateForm | None:
    """The form of a cell that is a date or a time of day, from its shape."""
    if clock := re.fullmatch(f"{_CLOCK}{_HALF}?", shape, re.ASCII):
        return DateForm("time", time=(True, bool(clock["half"]), False))
    if re.fullmatch(_HOURS, shape, re.ASCII):
        return DateForm("hours", time=(True, False, False))
    for order, sign, compiled in _DATE_SHAPES:
        if match := compiled.fullmatch(shape):
            time = (bool(match["time"]), bool(match["half"]), bool(match["zone"]))
            if order == "compact" and not time[0]:
                return None
            return DateForm(order, sign, time)
    return None


_HOUR_UNIT, _MINUTE_UNIT = r"(?:h|hrs?|hours?|horas?)", r"(?:m|mins?|minutes?|minutos?)"
_DURATIONS = (
    r"(?:2[4-9]|[3-9]\d|\d{3,6}):\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?",  # no time of day: 24 hours or more
    r"(?:2[4-9]|[3-9]\d|\d{3,6})h(?:\d{2})?",
    r"\d{1,3}:\d{2}[.,]\d{1,3}",  # of a lap: minutes, seconds and parts
    rf"(?:\d{{1,6}} ?d(?:ays?|ias?)?,? ?)?\d{{1,6}} ?{_HOUR_UNIT} ?\d{{1,2}} ?{_MINUTE_UNIT}"
    r"(?: ?\d{1,2} ?s(?:ec)?)?",
    rf"\d{{1,6}} ?{_MINUTE_UNIT} ?\d{{1,2}} ?s(?:ec)?",
    r"\d{1,6} d(?:ays?|ias?),? \d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?",
    r"P(?:\d{1,6}D)?T(?:\d{1,6}H)?(?:\d{1,6}M)?(?:\d{1,6}(?:\.\d{1,9})?S)?",
)
_DURATION = re.compile(f"-?(?:{'|'.join(_DURATIONS)})", re.ASCII)
_YEARS = re.compile(r"\d\d(\d\d)-(\d\d)", re.ASCII)


def duration(cell: str) -> bool:
    """Whether the cell is a length of time and can't be a time of day: 49:59:18, 1h 05m, a lap's 1:02.345."""
    return len(cell) <= LONGEST and _DURATION.fullmatch(cell.strip()) is not None


def year_range(cell: str) -> bool:
    """Whether the cell is a range of up to 50 years such as 1990-94, and no month such as 1990-12."""
    years = _YEARS.fullmatch(cell.strip())
    if years is None or 1 <= int(years[2]) <= 12:
        return False
    return 1 <= (int(years[2]) - int(years[1])) % 100 <= 50


Form = NumberForm | DateForm
LEADING_ZERO, DIGIT = r"^([^0-9]*)0", "[0-9]"
MARK = "\x01"  # stands for a leading zero in a shape
_NINES = str.maketrans(dict.fromkeys("0123456789", "9"))
LONGEST = 60  # characters of a cell that may have a form


@lru_cache(maxsize=1 << 16)
def form_of_shape(shape: str) -> Form | None:
    """The form of all cells of a shape; None for words."""
    shape = shape.replace(MARK, "0")
    return number_form(shape) or date_form(shape)


def form_of(cell: str) -> Form | None:
    """The form of a cell; None for words."""
    cell = cell.strip()
    if len(cell) > LONGEST or MARK in cell:
        return None
    if "0" in cell and (zero := re.match(LEADING_ZERO, cell)):
        cell = f"{zero[1]}{MARK}{cell[zero.end() :]}"
    return form_of_shape(cell.translate(_NINES))


def number_form_of(cell: str) -> NumberForm | None:
    """The form of a cell that is a number, even with other text around it."""
    form = form_of(cell)
    return form if isinstance(form, NumberForm) else None


def dotted_code(shape: str) -> bool:
    """Whether cells of this shape are codes such as 1.2.3 or 10.0.0.1: neither numbers nor dates."""
    return bool(_DOTTED.fullmatch(shape.replace(MARK, "0"))) and form_of_shape(shape) is None


def value_like(cell: str) -> bool:
    """Whether the cell is a number in any notation, a date, a time or a missing value, and so can't be the
    name of a column or a class."""
    return missing(cell) or form_of(cell) is not None


def kind_of(cells: list[str]) -> str:
    """``number``, ``date`` or ``time`` if all cells that aren't missing have that form, else ""."""
    kinds = {kind_of_form(form_of(cell)) for cell in cells if not missing(cell)}
    return kinds.pop() if len(kinds) == 1 else ""


def kind_of_form(form: Form | None) -> str:
    if isinstance(form, DateForm):
        return "time" if form.clock else "date"
    return "" if form is None else "number"
