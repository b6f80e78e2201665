"""A page of the studio as one HTML file: its script, styles, markup and words, with a policy that lets it
load nothing else."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from treino.base.words import languages
from treino_studio.page_words import page_words

PACKAGE = Path(__file__).parent
PAGE = Path(__file__).parent / "page"


def page_file(
    title: str,
    script: str,
    parts: object,
    *,
    styles: Iterable[Path] = (),
    scripts: str = "",
    policy: str = "",
) -> str:
    """The page's HTML. parts: data in the element ``parts``. styles: sheets after the studio's own. scripts:
    what the policy also lets scripts do; policy: further rules of the policy.

    Raises:
        ValueError: the script contains text that would end its element.
    """
    if "</script" in script or "<!--" in script:
        raise ValueError("a module holds what would end the page's script")
    style = _style([PAGE / "style.css", PAGE / "folders.css", *styles])
    rules = (
        f"default-src 'none'; script-src '{_hash(script)}'{scripts}; style-src '{_hash(style)}'; "
        f"img-src data: blob:; {policy}connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    icon = quote((PAGE / "icon.svg").read_text())
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{rules}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<link rel="icon" href="data:image/svg+xml,{icon}">
<style>{style}</style>
</head>
<body>{_markup()}<noscript>JavaScript</noscript>
<script type="application/json" id="parts">{_data(parts)}</script>
<script>{script}</script>
</body>
</html>
"""


def words_of(script: str) -> dict[str, dict[str, str]]:
    """The words of each language by key, for the keys that a script or the markup names.

    A key may be made of a beginning and a name: `take_${form}`.
    """
    text = script + _markup()
    named = set(re.findall(r"\w+", text))
    begun = tuple(set(re.findall(r"`([a-z]\w*_)\$\{", text)))
    return {
        language: {
            key: word for key, word in page_words(language).items() if key in named or key.startswith(begun)
        }
        for language in languages()
    }


def _style(sheets: Iterable[Path]) -> str:
    """Style sheets without comments and needless spaces."""
    css = re.sub(r"/\*.*?\*/", "", "\n".join(path.read_text() for path in sheets), flags=re.S)
    return re.sub(r"\s*([{};,>])\s*|: +", lambda match: match[1] or ":", re.sub(r"\s+", " ", css)).strip()


def _markup() -> str:
    html = (PAGE / "index.html").read_text()
    return html[html.index("<body>") + len("<body>") : html.index("</body>")]


def _data(value: object) -> str:
    """JSON that is safe inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
