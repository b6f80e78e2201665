"""Which setting the diverged networks of a sweep share, against a look at every bound."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from treino_studio.sweep_page import FEWEST, SHARE, where_diverged

RATES = st.sampled_from([0.1, 0.2, 0.5, 1.0, 2.0, 5.0])
NETWORKS = st.lists(
    st.tuples(RATES, st.sampled_from(["sgd", "adam"]), st.sampled_from(["finished", "diverged", "waiting"])),
    max_size=24,
).map(
    lambda rows: [{"status": status, "settings": {"lr": lr, "optimizer": o}} for lr, o, status in rows],
)


def best_gain(networks: list[dict[str, Any]]) -> float | None:
    """How well the best part of any setting's values parts those that diverged, counted one by one."""
    lost = [n["settings"] for n in networks if n["status"] == "diverged"]
    others = [n["settings"] for n in networks if n["status"] == "finished"]
    if min(len(lost), len(others)) < FEWEST:
        return None
    parts: list[Any] = [lambda s, v=v: s["optimizer"] == v for v in ("sgd", "adam")]
    for bound in {s["lr"] for s in lost}:
        parts += [lambda s, b=bound: s["lr"] >= b, lambda s, b=bound: s["lr"] <= b]
    shares = [(sum(map(p, lost)) / len(lost), sum(map(p, others)) / len(others)) for p in parts]
    gains = [hit - wrong for hit, wrong in shares if hit >= SHARE - 1e-9 and wrong <= 1 - SHARE + 1e-9]
    return max(gains, default=None)


@given(NETWORKS)
def test_the_part_that_is_told_is_the_best_one_and_rightly_counted(networks: list[dict[str, Any]]) -> None:
    said, gain = where_diverged(networks, ["lr", "optimizer"]), best_gain(networks)
    assert (said is None) == (gain is None)
    if said is None:
        return
    hits, lost, wrong, others = map(
        int, re.fullmatch(r"(\d+) of the (\d+) .*; (\d+) of the (\d+) .*", said).groups()
    )
    assert lost == sum(n["status"] == "diverged" for n in networks)
    assert others == sum(n["status"] == "finished" for n in networks)
    assert abs(hits / lost - wrong / others - gain) < 1e-9
