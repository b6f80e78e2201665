"""What a script prints, on the page: each line as a terminal shows it; for the script nothing is another."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forked import plain
from treino_studio.script.output import LONGEST, MOST_LINES, shown

PRINTING = """
import io, logging, os, sys, warnings
def looks():
    return [
        (type(stream), stream.encoding, stream.errors, stream.newlines, stream.line_buffering, stream.name,
         stream.isatty(), stream.write_through, stream.fileno(), type(stream.buffer), stream.mode)
        for stream in (sys.stdout, sys.stderr)
    ]
before = looks()
if "tee" in sys.argv:
    from treino_studio.script.output import PrintedLines
    posted = []
    output = PrintedLines(posted.append)
print("one", 2, sep="-", flush=True)
print("held ", end=""); sys.stderr.write("in between\\n"); print("back")
sys.stdout.writelines(["several\\n", "lines\\n"])
for n in range(5): sys.stderr.write(f"\\rstep {n}")
sys.stderr.write("\\n")
print("\\x1b[1;31mred\\x1b[0m", "é", "\\r\\n", end="")
logging.warning("logged")
print("to a copy", file=io.StringIO())
os.write(1, b"")
for value in (3, None):
    try:
        sys.stdout.write(value)
    except TypeError as error:
        print(type(error).__name__, error)
stream = sys.stdout
print(looks() == before, sys.stdout is stream, sys.stdout.write("x"))
if "tee" in sys.argv:
    output.close()
    assert "write" not in vars(sys.stdout) and looks() == before
    import json
    Path = __import__("pathlib").Path
    Path("posted").write_text(json.dumps(posted))
sys.stdout.close()
try:
    print("too late")
except ValueError as error:
    sys.stderr.write(f"{error}\\n")
"""


@pytest.mark.slow
def test_a_script_that_is_heard_prints_what_it_prints_alone(tmp_path: Path) -> None:
    """Bytes, streams, errors, also of wrong values and closed streams; what was heard is the lines."""
    path = tmp_path / "train.py"
    path.write_text(PRINTING)
    alone, heard = plain(path), plain(path, "tee")
    assert (heard.status, heard.out, heard.err) == (0, alone.out, alone.err)
    posted = json.loads((tmp_path / "posted").read_text())
    lines = [line for message in posted for line in message["output"]]
    assert [text for stream, text, _step in lines if stream == "stdout"] == [
        *("one-2", "held back", "several", "lines", "red é "),
        *(
            "TypeError write() argument must be str, not int",
            "TypeError write() argument must be str, not None",
        ),
        "xTrue True 1",
    ]
    errors = [text for stream, text, _step in lines if stream == "stderr"]
    assert errors == ["in between", "step 4", "WARNING:root:logged"]
    assert [stream for stream, text, _step in lines][:3] == ["stdout", "stderr", "stdout"]


@pytest.mark.slow
def test_much_that_is_printed_at_once_is_bounded(tmp_path: Path) -> None:
    """The newest lines, in few messages, and the begin of a long one."""
    path = tmp_path / "train.py"
    path.write_text(
        "import json, sys\nfrom treino_studio.script.output import PrintedLines\n"
        "posted = []\noutput = PrintedLines(posted.append)\n"
        "for n in range(20_000): print(n)\nprint('x' * 1_000_000)\noutput.close()\n"
        "open('posted', 'w').write(json.dumps(posted))\n"
    )
    assert plain(path).status == 0
    posted = json.loads((tmp_path / "posted").read_text())
    assert all(len(message["output"]) <= MOST_LINES for message in posted)
    (_stdout, before, _step), (_stdout, last, _step) = posted[-1]["output"][-2:]
    assert (before, len(last)) == ("19999", LONGEST)


@given(st.lists(st.text("ab ", max_size=5), min_size=1))
def test_a_line_that_begins_anew_is_its_last_state(states: list[str]) -> None:
    """As a terminal shows it, where each state is as long as the one before; empty ones clear nothing."""
    visible = [state for state in states if state.strip()]
    assert shown("\r".join(states)) == (visible[-1] if visible else "")
    assert shown("\r".join([*states, ""])) == shown("\r".join(states))
