"""A sample of the mutations; all of them: python -m benchmarks doctor_mutations."""

import pytest

from mutations import FAULTS, HARMLESS, judge, sources, variants


@pytest.mark.parametrize("operator", FAULTS, ids=lambda o: o.__name__)
def test_one_line_that_makes_a_fault_is_found(operator, tmp_path):
    variant = variants(5, [operator])[0]
    judged = judge(variant, tmp_path)
    assert judged.right, f"{variant.name}: {variant.rule} at {variant.line}: {judged}"


@pytest.mark.sampled(3)
@pytest.mark.parametrize("operator", HARMLESS, ids=lambda o: o.__name__)
def test_one_line_that_changes_nothing_is_passed_over(operator, tmp_path):
    (variant,) = variants(1, [operator])
    judged = judge(variant, tmp_path)
    assert judged.right, f"{variant.name}: {judged}"


def test_there_are_hundreds_and_each_is_another_script():
    texts = {s.name: s.text for s in sources()}
    all_variants = variants(1000)
    assert len(all_variants) > 1000
    assert all(v.text != texts[v.script] for v in all_variants)
