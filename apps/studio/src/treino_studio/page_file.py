"""A page of the studio as one HTML file: its script, style, markup and words, with a policy that lets it
load nothing else. ``make pages`` joins scripts and styles from their sources."""

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from treino.base.words import languages
from treino_doctor.base.markup import script_json, tag, verbatim
from treino_studio.page_words import page_words

PACKAGE = Path(__file__).parent
PAGE = Path(__file__).parent / "page"
BUILT = PAGE / "built"


def page_file(name: str, title: str, parts: object, *, scripts: str = "", policy: str = "") -> Markup:
    """The HTML of the page with this name among the built scripts and styles. parts: data in the element
    ``parts``. scripts: what the policy also lets scripts do; policy: further rules of the policy."""
    script, style = built(f"{name}.js"), built(f"{name}.css")
    rules = (
        f"default-src 'none'; script-src '{_hash(script)}'{scripts}; style-src '{_hash(style)}'; "
        f"img-src data: blob:; {policy}connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    head = (
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=rules),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("link", rel="icon", href="data:image/svg+xml," + quote((PAGE / "icon.svg").read_text("utf-8"))),
        verbatim("style", style),
    )
    body = (
        Markup(_markup()) + tag("noscript", "JavaScript"),
        verbatim("script", script_json(parts), type="application/json", id="parts"),
        verbatim("script", script),
    )
    parts_of_page = tag("head", Markup("\n").join(head)), tag("body", Markup("\n").join(body))
    return Markup("<!doctype html>\n") + tag("html", *parts_of_page, lang="en") + "\n"


def built(name: str) -> str:
    """A built file."""
    return (BUILT / name).read_text(encoding="utf-8")


def words_of(script: str) -> dict[str, dict[str, str]]:
    """The words of each language by key, for the keys that a built script or the markup names.

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


def _markup() -> str:
    html = (PAGE / "index.html").read_text("utf-8")
    return html[html.index("<body>") + len("<body>") : html.index("</body>")]


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
