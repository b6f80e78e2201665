"""The frame of every HTML page: self-contained, loads nothing, light and dark mode."""

from markupsafe import Markup

from treino.base.words import _
from treino_doctor.base.markup import tag, verbatim

STYLE = """
:root { color-scheme: light dark; --ink: #1b2733; --soft: #52616f; --faint: #dfe5ea; --paper: #ffffff;
  --bar: #0072b2; --alarm: #b3261e; --warn: #fff6e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9fb0bf; --faint: #2b3947;
  --paper: #10171e; --bar: #56b4e9; --alarm: #ff8a80; --warn: #33290f; --s0: #56b4e9; --s2: #2fc39a; --s4: #a6dcf7;
  --s5: #ff8a3d; --s7: #9d8fe8; --s8: #d96a9c; --s11: #d98a72; }
  img.drawn { filter: invert(.93) hue-rotate(180deg); } }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; color: var(--ink); background: var(--paper);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .5rem; }
p { margin: .25rem 0; } .soft { color: var(--soft); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--faint); vertical-align: middle; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; } th.number { text-align: right; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
"""  # noqa: E501


def html_page(title: str, *body: str, style: str = "") -> Markup:
    """Return a whole page. body: its parts, one below the other."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        "\n",
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        "\n",
        tag("title", title),
        verbatim("style", STYLE + style),
    )
    shown = tag("body", "\n", Markup("\n").join(body), "\n")
    return Markup("<!doctype html>\n") + tag("html", head, shown, "\n", lang=_("en")) + "\n"
