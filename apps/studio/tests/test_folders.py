"""Sweeps and studies in the studio: trained by its trainer, shown by its worker, in real processes."""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from apps.studio.tests.running import Bench, Serve, Watcher

VIEWERS = itertools.count()  # one of the same name would be one who comes back
SPACE = ["lr=1e-4..1:log", "hidden=4|8"]


async def begun(bench: Bench, verb: str, **fields: Any) -> dict[str, Any]:
    """What the home page is answered; processes start meanwhile."""
    async with bench.viewer(f"viewer-{next(VIEWERS)}", path="/socket/home") as home:
        await home.say(verb, **fields)
        while not home.replies:
            await home.take()
        return home.replies[0]


def best_of(state: Any) -> int | None:
    """The network that is judged, as a sentence on the page names it."""
    return next((int(n) for n in re.findall(r"Trained alone, network (\d+)", str(state["blocks"]))), None)


@pytest.mark.release
def test_a_sweep_is_shown_while_it_trains_stops_and_is_judged_and_opens_a_network(serve: Serve) -> None:
    async def work(bench: Bench) -> None:
        long = {"epochs": 12_000, "patience": 0}
        asked = {"data": "wine", "space": SPACE, "members": 1500, "settings": long}
        name = (await begun(bench, "sweep", **asked))["run"]
        async with bench.viewer(path=f"/socket/sweep/{name}") as viewer:

            def trains(seen: Any) -> bool:
                networks = seen.newest("networks") or []
                return any(n["best"] is not None for n in networks) and bool(seen.newest("lines"))

            await viewer.until(trains)
            state, networks = viewer.newest("state"), viewer.newest("networks")
            assert (state["status"], state["settings"]) == ("running", ["lr", "hidden"])
            assert len(networks) == 1500 == state["count"]
            assert (await viewer.ask("stop")).get("error") is None
            await viewer.until(lambda seen: seen.newest("state")["status"] == "stopped")

            def told(seen: Watcher) -> bool:
                """Whether the table and the lines are those of the end, too."""
                best = best_of(seen.newest("state"))
                ranks = [n["member"] for n in seen.newest("networks") if n["best"] is not None]
                return best in ranks and best in {line["member"] for line in seen.newest("lines")}

            await viewer.until(told)
            state, networks = viewer.newest("state"), viewer.newest("networks")
            best = best_of(state)
            figures = [n["best"] for n in networks if n["best"] is not None]
            assert figures == sorted(figures, reverse=state["better"] > 0)
            assert best in {n["member"] for n in networks if n["best"] == figures[0]}
            shown = {line["member"]: line for line in viewer.newest("lines")}
            assert len(shown[best]["epoch"]) <= 80
            answer = await viewer.ask("open", member=best)
        run = answer.get("run", answer)
        assert run == f"{name}-{best}"
        assert (await bench.get("/api/home")).document["runs"][0]["run"] == run

    serve(work)


@pytest.mark.slow
def test_a_study_is_shown_while_it_trains_and_stops_to_be_resumed(serve: Serve) -> None:
    async def work(bench: Bench) -> None:
        asked = {"data": "wine", "batch_sizes": [20, 60], "settings": {"epochs": 5000}}
        name = (await begun(bench, "study", **asked))["run"]
        async with bench.viewer(path=f"/socket/study/{name}") as viewer:
            await viewer.until(lambda seen: any(line.get("loss") for line in seen.newest("lines") or []))
            state = viewer.newest("state")
            assert [row["name"] for row in state["rows"]] == ["batch 20", "batch 60"]
            assert 0 < state["progress"]["share"] < 1
            await viewer.ask("stop")
            await viewer.until(lambda seen: seen.newest("state")["status"] == "interrupted")

    serve(work)


@pytest.mark.slow
def test_what_a_space_does_not_hold_is_not_added(serve: Serve) -> None:
    async def work(bench: Bench) -> None:
        asked = {"data": "wine", "space": ["hidden=4|8"], "members": 2, "settings": {"epochs": 2}}
        name = (await begun(bench, "sweep", **asked))["run"]
        async with bench.viewer(path=f"/socket/sweep/{name}") as viewer:
            await viewer.until(lambda seen: (seen.newest("state") or {}).get("status") == "finished")
            assert viewer.newest("state")["left"] == 0
            answer = await viewer.ask("extend", members=1)
            assert answer["error"]["rule"] == "space_spent"
            answer = await viewer.ask("extend", members=0)
            assert answer["error"]["rule"] == "command_field"

    serve(work)


@pytest.mark.slow
def test_a_page_cannot_name_a_network_file_in_a_space(serve: Serve, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('executed')\n")
    before = sorted(runs.glob("*"))

    async def work(bench: Bench) -> None:
        space = [f"net={tmp_path}/evil.py:Net", "lr=1e-3|1e-2"]
        answer = await begun(bench, "sweep", data="wine", space=space, members=4)
        assert answer["error"]["rule"] != "studio_process", answer
        assert sorted(runs.glob("*")) == before

    serve(work)
