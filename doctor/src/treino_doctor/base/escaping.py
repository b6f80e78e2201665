"""Escapes, such as ``\\x1b``, for control characters and invisible ones in texts from files.

Without them a text could control a terminal, reverse its lines, or look like another text.
"""

import re
from json import JSONEncoder

_CONTROLS = r"\x00-\x1f\x7f-\x9f"  # C0, delete, C1
_BIDIRECTIONAL = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_SEPARATORS = r"\u2028\u2029"
_INVISIBLE = (
    r"\xad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
_SURROGATES = r"\ud800-\udfff"  # in file names that are not UTF-8
_JOINED = r"\u0590-\u1fff\u2190-\U0001ffff"  # scripts and emoji whose characters a joiner joins
_ESCAPED = re.compile(
    "(?P<flag>\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f)"  # of England, Scotland, Wales
    f"|(?<=[{_JOINED}])(?P<joiner>[\u200c\u200d])(?=[{_JOINED}])"
    f"|[{_CONTROLS}{_BIDIRECTIONAL}{_SEPARATORS}{_INVISIBLE}{_SURROGATES}\u200c\u200d]"
)

_quoted = JSONEncoder().encode


def escape(text: str, exceptions: str = "") -> str:
    """The text as one line, with control and invisible characters as Python escapes, ``\\n`` or ``\\u202e``.

    Letters of all languages and emoji stay unchanged. exceptions: further unchanged characters, such as the
    line breaks of a text of several lines.
    """
    return _ESCAPED.sub(
        lambda m: m[0] if m.lastgroup or m[0] in exceptions else m[0].encode("unicode_escape").decode(), text
    )


def escape_json(document: str) -> str:
    """Equivalent JSON with such characters escaped, as in ``\\u202e``."""
    return _ESCAPED.sub(lambda m: m[0] if m.lastgroup else _quoted(m[0])[1:-1], document)
