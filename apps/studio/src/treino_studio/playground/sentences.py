"""Sentences of treino that the page shows, too: each is its own key, after `say:`."""

import json
from functools import cache
from importlib import import_module

from treino.base.apps import entries, installed
from treino.base.words import ENGLISH, N_, known_sentences, speaking, translation
from treino_studio.page_file import built

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
    known = sorted(said())
    with speaking(language):
        return {f"say:{sentence}": translation(sentence) for sentence in known}


@cache
def said() -> frozenset[str]:
    """The texts in modules that show sentences, if treino or an installed app has translations of them."""
    for verb in filter(installed, entries("treino.verbs")):
        import_module(entries("treino.verbs")[verb].module.partition(".")[0])  # which adds its catalogue
    return frozenset(known_sentences().intersection(json.loads(built("texts.json"))) - {""})
