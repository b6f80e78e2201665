"""Viewers of one page: what each gets, who steers, answers after a lost connection."""

import json
from pathlib import Path

from apps.studio.tests.running import Bench, with_studio
from treino_studio.hub import GROWING, GrowingCurves


def test_a_viewer_gets_state_points_curves_and_a_frame(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        async with bench.viewer() as one:
            assert one.welcome == {"reply": 1, "protocol": 1, "steers": True}
            await one.until(lambda w: w.frames and w.newest("curves") and w.newest("points"))
            state = one.newest("state")
            assert (state["steers"], state["viewers"]) == (True, 1)
            assert one.newest("curves") == {
                "run": "run", "from": 0, "step": [1, 2], "loss": [0.5, None]
            }  # fmt: skip
            assert bench.asked("open")[0]["run"] == str(tmp_path / "runs" / "run")

    with_studio(tmp_path, work)


def test_a_late_viewer_gets_the_newest_of_all_in_its_language(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        async with bench.viewer() as one:
            await one.until(lambda w: w.frames and w.newest("curves"))
            await one.ask("step", count=3)
            await one.ask("pause")
            await one.until(lambda w: len(w.frames) == 2 and "text" in w.newest("state"))
            assert one.newest("curves") == {"run": "run", "from": 2, "step": [3], "loss": [0.25]}
            async with bench.viewer("viewer-2", language="pt_BR") as two:
                assert not two.welcome["steers"]
                await two.until(lambda w: w.frames and w.newest("curves") and w.newest("state"))
                assert two.newest("curves")["step"] == [1, 2, 3]
                assert two.newest("state")["text"] == "em pausa"
                assert one.newest("state")["text"] == "paused"
                assert [frame["frame"] for frame in two.frames] == [2]
                await one.until(lambda w: w.newest("state")["viewers"] == 2)
            await one.until(lambda w: w.newest("state")["viewers"] == 1)

    with_studio(tmp_path, work)


def test_the_wheel_is_one_viewer_s_and_can_be_taken(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        async with bench.viewer() as one, bench.viewer("viewer-2") as two:
            refused = await two.ask("pause")
            assert refused["error"]["rule"] == "not_steering"
            assert (await two.ask("explain", layer=0, unit=0, input=None)).keys() == {"reply"}
            assert (await two.ask("steer"))["steers"]
            assert (await two.ask("pause")).keys() == {"reply"}
            assert (await one.ask("pause"))["error"]["rule"] == "not_steering"
            await one.until(lambda w: w.newest("state") and not w.newest("state")["steers"])
            await two.until(lambda w: w.newest("state") and w.newest("state")["steers"])
            assert len(bench.asked("pause")) == 1
        async with bench.viewer("viewer-3") as three:  # nobody who steers is there
            assert three.welcome["steers"]

    with_studio(tmp_path, work)


def test_who_has_the_watch_address_never_steers(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        async with bench.viewer(cookie=bench.watch_cookie) as one:
            assert not one.welcome["steers"]
            for verb in ("steer", "pause", "play", "stop"):
                assert (await one.ask(verb))["error"]["rule"] == "watch_only"
            await one.until(lambda w: w.frames)
            assert {each["do"] for each in bench.asked()} <= {"open", "watch"}

    with_studio(tmp_path, work)


def test_a_command_that_is_sent_twice_is_done_once(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        async with bench.viewer() as one:
            first = await one.ask("step", number=5, count=3)
            assert await one.ask("step", number=5, count=3) == first == {"reply": 5, "count": 3}
            await one.say("look", number=6)  # its answer takes a while, and the connection is lost before
        async with bench.viewer() as one:
            assert one.welcome["steers"]
            assert await one.ask("step", number=5, count=3) == first
            assert (await one.ask("look", number=6)).keys() == {"reply"}
            assert (await one.ask("step", number=4, count=1))["error"]["rule"] == "command_number"
        assert [len(bench.asked(do)) for do in ("step", "look")] == [1, 1]

    with_studio(tmp_path, work)


def test_two_frames_at_most_are_underway_and_the_newest_comes_next(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        async with bench.viewer() as one:

            async def make_frames(count: int) -> None:
                """So many; the worker has sent the last of them before its reply comes."""
                for _frame in range(count):
                    await one.ask("step", count=1)

            await one.until(lambda w: w.frames)  # which comes with the page
            await make_frames(1)
            await one.until(lambda w: len(w.frames) == 2)
            await make_frames(3)
            assert len(one.frames) == 2
            first, second = (frame["frame"] for frame in one.frames)
            await one.acknowledge(first)
            await one.until(lambda w: len(w.frames) == 3)
            assert one.frames[-1]["frame"] == second + 3
            for number in (first, 10**6, 0):  # none of these is underway
                await one.acknowledge(number)
            await make_frames(2)
            assert len(one.frames) == 3
            await one.acknowledge(one.frames[-1]["frame"])  # and with it the one before
            await one.until(lambda w: len(w.frames) == 4)
            await make_frames(3)
            await one.until(lambda w: len(w.frames) == 5)
            assert len(one.frames) == 5

    with_studio(tmp_path, work)


def test_a_late_viewer_gets_the_least_and_largest_losses_of_all_points() -> None:
    curves = GrowingCurves()
    for begin in (0, 2):
        lists = {name: [10 * k + begin, 10 * k + begin + 1] for k, name in enumerate(GROWING)}
        curves.add({"run": "run", "from": begin, **lists})
    for begin in (0, 1, 2):
        news = json.loads(curves.text(begin))["curves"]
        assert [news[name] for name in GROWING] == [[10 * k + n for n in range(begin, 4)] for k in range(4)]
    curves.add({"run": "run", "from": 0, "step": [1], "loss": [0.5]})
    assert json.loads(curves.text(0))["curves"] == {"run": "run", "from": 0, "step": [1], "loss": [0.5]}
