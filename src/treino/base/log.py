"""The logger ``treino``: what happens to trainings, for programs that embed treino.

Its own words are English; notes and alerts that it passes on are in the reader's language. It is silent
unless such a program listens: ``logging.basicConfig(level="INFO")``.
"""

import logging

LOG = logging.getLogger("treino")
LOG.addHandler(logging.NullHandler())
