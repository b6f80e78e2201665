"""Two studios that show one run: one steers at a time, and which one hangs on neither's life."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.waiting import HANG, until

from apps.studio.tests.running import FAKE, Bench, served, with_studio
from treino_studio import relay
from treino_studio.relay import Commands
from treino_studio.wheel import FOLDER, Wheels


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "LOOK_SECONDS", 0.001)


def test_one_of_two_studios_steers_and_the_other_may_take_the_wheel(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        asked = tmp_path / "others.jsonl"
        fake = [[sys.executable, str(FAKE), name, str(asked), "64"] for name in ("worker", "trainer")]
        async with served(tmp_path / "runs", asked, Commands(*fake)) as other, bench.viewer() as one:
            assert one.welcome["steers"]
            async with other.viewer() as two:
                assert not two.welcome["steers"]
                assert (await two.ask("pause"))["error"]["rule"] == "not_steering"
                await two.until(lambda w: w.newest("state") and not w.newest("state")["steers"])
                assert (await two.ask("steer"))["steers"]
                await one.until(lambda w: w.newest("state") and not w.newest("state")["steers"])
                assert (await one.ask("pause"))["error"]["rule"] == "not_steering"
                assert (await two.ask("pause")).keys() == {"reply"}
            await one.until(lambda w: w.newest("state")["steers"])  # the other's page is closed
            assert (await one.ask("pause")).keys() == {"reply"}
        assert not (tmp_path / "runs" / FOLDER).exists()

    with_studio(tmp_path, work)


def test_a_studio_that_was_killed_steers_no_more(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from treino_studio.wheel import Wheels;"
        "Wheels(Path(sys.argv[1])).take('run/a'); print(flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    process.stdout.readline()
    ours = Wheels(tmp_path)
    assert [ours.is_elsewhere(key) for key in ("run/a", "run/b")] == [True, False]
    process.kill()
    process.communicate(timeout=HANG)
    until(lambda: not ours.is_elsewhere("run/a"))


def test_a_link_or_nonsense_in_its_place_is_nobody_and_is_left_alone(tmp_path: Path) -> None:
    runs, elsewhere = tmp_path / "runs", tmp_path / "elsewhere"
    for each in (runs, elsewhere):
        each.mkdir()
    (runs / FOLDER).symlink_to(elsewhere)
    wheels = Wheels(runs)
    wheels.take("run/a")
    wheels.leave("run/a")
    assert not wheels.is_elsewhere("run/a")
    assert [*elsewhere.iterdir()] == []
    (runs / FOLDER).unlink()
    (runs / FOLDER).mkdir()
    for text in ("", "x", "99999999999999999999999 x", "-1 x"):
        (runs / FOLDER / "run:a").write_text(text)
        assert not wheels.is_elsewhere("run/a"), text
