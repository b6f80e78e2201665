"""The course as one HTML file: all lessons with their pictures, for a browser without a network."""

import base64
import re
from functools import partial
from pathlib import Path

from markupsafe import Markup

from treino.base.words import _
from treino_doctor.base.markup import tag, verbatim
from treino_lessons.course import pages

PLAYGROUND = "playground.html"  # as treino playground calls it
DOCTYPE = Markup("<!doctype html>\n")
LINK = re.compile(r'\b(href|src)="([^"]*)"')
STYLE = """
:root { color-scheme: light dark; }
body { max-width: 46rem; margin: auto; padding: 1rem; font: 1.05rem/1.55 system-ui, sans-serif; }
article { border-top: 2px solid teal; margin-top: 4rem; }
pre { overflow-x: auto; padding: .7rem; background: #8882; font-size: .85rem; }
img { max-width: 100%; background: white; }
table { display: block; overflow-x: auto; border-collapse: collapse; }
td, th { padding: .2rem .6rem; text-align: left; vertical-align: top; }
summary { cursor: pointer; padding: .3rem 0; }
"""


def course(solved: set[str]) -> str:
    """All lessons on one page without other files. solved: names of exercises, whose lessons are marked."""
    from markdown_it import MarkdownIt

    render = MarkdownIt().enable("table").render
    contents, articles = [], []
    for lesson in pages():
        name, mark = lesson.path.stem, "✓" if lesson.exercise in solved else ""
        link = tag("a", lesson.title, href=f"#{name}")
        contents.append(tag("li", link, " ", mark, value=str(lesson.number)))
        body = LINK.sub(partial(_linked, lesson.path), render(lesson.text))
        articles.append(tag("article", Markup(body), id=name))  # a page of ours: nobody else's text
    title = _("Lessons")
    parts = tag("h1", title), tag("ol", *contents), *articles
    head = (
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width"),
        tag("title", title),
        verbatim("style", STYLE),
    )
    page = tag("html", tag("head", *head), tag("body", *parts), lang=_("en"))
    return f"{DOCTYPE}{page}\n"


def _linked(at: Path, link: re.Match[str]) -> str:
    """A link as it works on the page: lessons are places in it, and pictures stand in it."""
    kind, address = link.groups()
    place, _mark, state = address.partition("#")
    if kind == "src":
        data = base64.b64encode((at.parent / address).read_bytes()).decode()
        return f'src="data:image/png;base64,{data}"'
    if place == "play.md":
        return f'href="{PLAYGROUND}#{state}"'
    if re.fullmatch(r"\d\d-[\w-]+\.md", place):
        return f'href="#{place.removesuffix(".md")}"'
    return link[0] if place.startswith("http") else ""
