"""A sample of the mutations; all of them: python -m benchmarks doctor_mutations."""

import pytest

from tests.diagnosis.mutations import FAULTS, HARMLESS, OPERATORS, judge, variants

SAMPLE = [*variants(2, FAULTS), *variants(1, HARMLESS)]


@pytest.mark.slow
@pytest.mark.parametrize("variant", SAMPLE, ids=lambda v: v.name)
def test_a_mutation_is_found_or_silent_as_it_should_be(variant, tmp_path):
    judged = judge(variant, tmp_path)
    assert judged.defects == ()
    assert judged.found, f"{variant.rule} at {variant.line}"
    assert judged.alarms == ()


def test_there_are_hundreds_and_each_operator_changes_its_script():
    assert {v.operator for v in SAMPLE} == {o.__name__ for o in OPERATORS}
    assert len(variants(1000)) > 1000
