"""Faults as different people write them: each is told at its line, and of the right programs nothing."""

import pytest

from written import parts
from zygote import told

SIBLINGS = parts("siblings.txt")


@pytest.mark.sampled(5)
@pytest.mark.parametrize("head", SIBLINGS)
def test_a_fault_is_told_however_it_is_written_and_what_is_right_is_not(head, tmp_path):
    rule = head.partition(":")[0]
    assert told(SIBLINGS[head], tmp_path) == ("" if rule == "right" else rule)
