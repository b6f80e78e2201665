"""What machines read: SARIF, JUnit, known findings; comments that silence a rule."""

import json
import re
import xml.etree.ElementTree as ET
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

import pytest

import written
from treino_doctor.command import main
from treino_doctor.rules import rules

FAULT = written.FAULT.lstrip()
MENDED = FAULT.replace("opt.step()", "opt.step(); opt.zero_grad()")
SECOND = FAULT.replace("net", "other").replace("opt ", "second ").replace("opt.", "second.")
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["error", "warning", "note"]}


def having(**properties: dict) -> dict:
    """The schema of an object that has to have these keys."""
    return {"type": "object", "required": [*properties], "properties": properties}


def each(items: dict) -> dict:
    return {"type": "array", "items": items}


LINE = {"type": "integer", "minimum": 1}
PLACE = having(physicalLocation=having(artifactLocation=having(uri={}), region=having(startLine=LINE)))
HELP, OF_RULE = having(text={}, markdown={}), having(level=LEVEL)
RULE = having(id={}, shortDescription=TEXT, fullDescription=TEXT, help=HELP, defaultConfiguration=OF_RULE)
RESULT = having(
    ruleId={},
    ruleIndex={"type": "integer"},
    level=LEVEL,
    message=TEXT,
    locations=each(PLACE) | {"minItems": 1, "maxItems": 10},
    partialFingerprints=having(primaryLocationLineHash={"type": "string"}),
)
DRIVER = having(name={}, semanticVersion={}, rules=each(RULE))
RUN = having(tool=having(driver=DRIVER), results=each(RESULT))
# what GitHub's code scanning needs of SARIF 2.1.0, from its page "SARIF support for code scanning"
CODE_SCANNING = having(**{"$schema": {}, "version": {"const": "2.1.0"}, "runs": each(RUN) | {"minItems": 1}})


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / ".git").mkdir()
    work = tmp_path / "my work"
    work.mkdir()
    (work / "train.py").write_text(FAULT)
    monkeypatch.chdir(work)
    return work


def sarif(path: str = "out.sarif") -> dict:
    document = json.loads(Path(path).read_text())
    if find_spec("jsonschema") is not None:
        import_module("jsonschema").validate(document, CODE_SCANNING)
    return document["runs"][0]


def test_sarif_is_what_code_scanning_takes_and_leads_to_the_line(folder):
    assert main(["train.py", "--sarif", "out.sarif"]) == 0
    run = sarif()
    (result,) = run["results"]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["id"] == result["ruleId"] == "missing_zero_grad"
    assert rules()["missing_zero_grad"].wrong.splitlines()[0] in rule["help"]["markdown"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "my%20work/train.py", "uriBaseId": "%SRCROOT%"}
    root = run["originalUriBaseIds"]["%SRCROOT%"]["uri"].removeprefix("file://")
    written = Path(unquote(root + place["artifactLocation"]["uri"])).read_text().splitlines()
    assert "backward()" in written[place["region"]["startLine"] - 1]
    assert not any("{" in r["fullDescription"]["text"] for r in run["tool"]["driver"]["rules"])


def test_a_fingerprint_stays_when_lines_move_and_differs_for_each_finding(folder):
    marks = []
    for text in (FAULT, "\n\n" + FAULT, FAULT + SECOND):
        Path("train.py").write_text(text)
        assert main(["train.py", "--sarif", "out.sarif"]) == 0
        marks.append([r["partialFingerprints"]["primaryLocationLineHash"] for r in sarif()["results"]])
    assert marks[0] == marks[1]
    assert len({*marks[2]}) == len(marks[2]) == 2
    assert marks[0][0] in marks[2]


def test_an_own_report_is_replaced_and_somebodys_file_is_not(folder, capfd):
    for flag, name in (("--sarif", "out.json"), ("--junit", "out.xml")):
        for _ in range(2):
            assert main(["train.py", flag, name]) == 0
        Path(name).write_text("mine")
        assert main(["train.py", flag, name, "--json"]) == 2
        assert Path(name).read_text() == "mine"
        assert main(["train.py", flag, name, "--replace"]) == 0
        assert Path(name).read_text() != "mine"
    assert main(["train.py", "--sarif", "a.json", "--known", "./a.json"]) == 2


def test_junit_has_a_failure_for_each_finding_and_a_case_for_each_rule(folder):
    main(["train.py", "--junit", "out.xml"])
    suites = ET.parse("out.xml").getroot()
    (suite,) = suites
    cases = list(suite)
    failed = [case for case in cases if case.find("failure") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    assert [case.get("name") for case in failed] == ["missing_zero_grad train.py:5"]
    assert "zero_grad() once per step" in failed[0].find("failure").text
    assert all(case.find("skipped").get("message") for case in skipped)
    counts = {"tests": len(rules()), "failures": 1, "errors": 0, "skipped": len(skipped)}
    assert suites.attrib == {"name": "treino-doctor", **{name: str(n) for name, n in counts.items()}}
    Path("train.py").write_text(MENDED + "raise ValueError('\\x07')\n")
    assert main(["train.py", "--junit", "out.xml"]) == 1
    assert ET.parse("out.xml").getroot().get("errors") == "1"


def test_a_project_starts_from_its_findings_and_fails_for_new_ones_alone(folder, capfd):
    run = ["train.py", "--known", "known.json", "--fail-on", "likely"]
    assert main(run) == 0
    assert "known.json holds these findings as known" in capfd.readouterr().err
    first = Path("known.json").read_bytes()
    Path("train.py").write_text("# moved\n\n" + FAULT)
    assert main([*run, "--sarif", "out.sarif", "--live"]) == 0
    report = capfd.readouterr().err
    assert "nothing new found in 6 steps" in report
    assert "backward()" not in report
    assert "known from known.json and not told again: 1 (missing_zero_grad)." in report
    assert sarif()["results"] == []
    Path("train.py").write_text(FAULT + SECOND)
    assert main([*run, "--json"]) == 3
    document = json.loads(capfd.readouterr().out)
    assert [f["line"] for f in document["findings"]] == [11]
    assert (document["known"]["new"], len(document["known"]["known"])) == (1, 1)
    Path("train.py").write_text(MENDED)
    assert main(run) == 0
    gone = "gone since known.json was written: missing_zero_grad in train.py: net(torch.ones"
    assert gone in capfd.readouterr().err
    assert Path("known.json").read_bytes() == first


def test_a_script_that_breaks_off_is_no_start_and_a_foreign_file_is_refused(folder, capfd):
    Path("train.py").write_text(FAULT + "1 / 0\n")
    assert main(["train.py", "--known", "known.json", "--fail-on", "certain"]) == 3
    assert "known.json is not written" in capfd.readouterr().err
    assert not Path("known.json").exists()
    for text in ("{", "[]", '{"known": [3]}'):
        Path("known.json").write_text(text)
        assert main(["train.py", "--known", "known.json", "--json"]) == 2
        assert json.loads(capfd.readouterr().out)["error"]["rule"] == "known_file"
        assert Path("known.json").read_text() == text


@pytest.mark.parametrize(
    "comment",
    [
        "# doctor: ignore missing_zero_grad, summed on purpose",
        "# doctor: ignore no_step missing_zero_grad",
        "# noqa # doctor:ignore missing_zero_grad",
    ],
)
def test_a_comment_silences_its_rule_on_its_line(folder, capfd, comment):
    Path("train.py").write_text(FAULT.replace(".backward()", f".backward()  {comment}"))
    assert main(["train.py", "--fail-on", "likely"]) == 0
    report = capfd.readouterr().err
    assert "nothing found" in report
    assert ("ignores no_step, and there was no such finding" in report) == ("no_step" in comment)


def test_a_comment_that_silences_nothing_is_said(folder, capfd):
    text = 'NOTE = "# doctor: ignore no_step, in a text"\n' + FAULT
    for line, comment in ((2, "no_such, why"), (3, ""), (5, "no_step, why")):
        lines = text.splitlines()
        lines[line - 1] += f"  # doctor: ignore {comment}"
        text = "\n".join(lines) + "\n"
    Path("train.py").write_text(text)
    assert main(["train.py", "--fail-on", "certain"]) == 3
    said = re.findall(r"train.py:(\d) ignores (\w+)", capfd.readouterr().err)
    assert said == [("2", "no_such"), ("3", "no"), ("5", "no_step")]
    main(["train.py", "--json"])
    listed = json.loads(capfd.readouterr().out)["ignores"]
    places = [(c["line"], c["rule"], c["known"]) for c in listed]
    assert places == [(2, "no_such", False), (3, "", False), (5, "no_step", True)]
    Path("train.py").write_text(text + "1 / 0\n")  # what it had still to do may be found there
    main(["train.py"])
    assert "no such finding" not in capfd.readouterr().err
