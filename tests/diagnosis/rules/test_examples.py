"""Every rule: its wrong example is found, its right one is silent, and a log read back decides alike."""

import json
from pathlib import Path

import pytest

from tests.diagnosis.rules.examination import examined
from treino.diagnosis import rules
from treino.diagnosis.record.log import Log
from treino.diagnosis.rules import decide, rules
from treino.diagnosis.rules import rules as known
from treino.diagnosis.rules.examples import PRELUDE


@pytest.mark.parametrize("rule", sorted(rules()))
def test_the_wrong_example_is_found_and_the_right_one_is_silent(rule, tmp_path):
    found, log = examined(PRELUDE + rules()[rule].words.wrong, tmp_path)
    assert rule in {f.rule for f in found}
    again, _ = decide(Log.from_json(json.loads(json.dumps(log.as_json()))))
    assert [f.as_json() for f in again] == [f.as_json() for f in found]
    silent, _ = examined(PRELUDE + rules()[rule].words.right, tmp_path)
    assert [f.rule for f in silent] == []


@pytest.mark.parametrize("rule", sorted(rules()))
def test_a_rule_sees_nothing_where_nothing_was_seen(rule):
    assert list(rules()[rule].decide(Log())) == []


def test_the_rules_that_read_the_log_are_all_rules():
    assert sorted(rules()) == sorted(known())
    assert {name: r.words.id for name, r in rules().items()} == {name: name for name in known()}
    files = Path(faults.__file__).parent.glob("*.py")
    assert {f.stem for f in files if "\nRULE = " in f.read_text()} == set(known())
