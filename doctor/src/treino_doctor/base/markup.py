"""HTML, SVG and MathML in which every text is escaped by construction.

``tag`` makes each element: what it is given as ``Markup`` stays, and any other text is escaped, inside and in
attributes. No other string of the code holds a tag, which a test checks.
"""

import json
from typing import Any, Literal

from markupsafe import Markup, escape

_NEVER_CLOSED = frozenset(
    ("br", "circle", "image", "img", "input", "line", "link", "meta", "path", "polyline", "rect")
)


def tag(name: str, /, *inside: str, **attributes: str | float | None) -> Markup:
    """Return an element.

    inside: elements, or texts, which are escaped. attributes: texts; in their names ``_`` stands for ``-``
    and follows Python's keywords (``class_``); None omits one; numbers are rounded to two decimals.
    """
    begin = name + _written(attributes)
    if not inside and name in _NEVER_CLOSED:
        return Markup(f"<{begin}/>")
    return Markup(f"<{begin}>{''.join(map(escape, inside))}</{name}>")


def verbatim(name: Literal["script", "style"], text: str, /, **attributes: str | float | None) -> Markup:
    """Return a script or a style sheet, whose text browsers take as it is.

    Raises:
        ValueError: the text would end the element.
    """
    if f"</{name}" in text.lower() or "<!--" in text:
        raise ValueError(f"a {name} holds what would end it")
    return Markup(f"<{name}{_written(attributes)}>{text}</{name}>")


def script_json(value: Any) -> str:
    """Return JSON for a script, in which no text can end the script."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _written(attributes: dict[str, str | float | None]) -> str:
    return "".join(
        f" {key.rstrip('_').replace('_', '-')}='{_value(value)}'"
        for key, value in attributes.items()
        if value is not None
    )


def _value(value: str | float) -> str:
    return escape(str(value)) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
