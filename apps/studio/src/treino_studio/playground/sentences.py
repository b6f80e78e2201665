"""Sentences of treino that the page shows, too: each is its own key, after `say:`."""

import re
from functools import cache
from gettext import translation
from pathlib import Path

from treino.base.words import ENGLISH, LOCALE, N_, known_sentences

WEB = Path(__file__).with_name("web")
TEXT = re.compile(r"'((?:[^'\\\n]|\\.)*)'|\"((?:[^\"\\\n]|\\.)*)\"")

OWN = (  # sentences that are used nowhere else
    N_("g: the kernel lanes, float32"),
    N_("Settings were changed while it trained, which no single command does."),
    N_("A schedule of {steps} steps stands at step {step}, where no command stops."),
    N_("Take a link to this run instead: it does the same again."),
    N_("The run went on from step {step:,} with other settings, which no plain script does."),
    N_("Take its weights, or look at an earlier step and take the script there."),
    N_("{name} is nothing that {optimizer} reads."),
    N_("{loss} needs another network than {run} has."),
)


def sentences(language: str) -> dict[str, str]:
    """The sentences in a language, by their keys; none in English, where the keys are the sentences."""
    if language == ENGLISH:
        return {}
    catalogue = translation("treino", LOCALE, [language])
    return {f"say:{sentence}": catalogue.gettext(sentence) for sentence in sorted(said())}


@cache
def said() -> frozenset[str]:
    """The texts in modules that show sentences, if treino has translations of them."""
    modules = [text for path in WEB.glob("*.js") if "/sentences.js'" in (text := path.read_text())]
    texts = {re.sub(r"\\(.)", r"\1", a or b) for module in modules for a, b in TEXT.findall(module)}
    return frozenset(texts & known_sentences())
