"""Mends: the patch mends the script, keeps its comments, and the user's file stays as it is."""

import math

import pytest

from tests.diagnosis.zygote import examined
from treino.diagnosis.fix import patch
from treino.diagnosis.prove import Row, interval, proof, table
from treino.diagnosis.rules import rules
from treino.diagnosis.rules.examples import PRELUDE
from treino.diagnosis.run_script import run_script

MENDED = """
    missing_zero_grad grad_cleared_before_step no_step softmax_before_cross_entropy
    sigmoid_before_bce_with_logits
    softmax_wrong_dim missing_eval missing_no_grad graph_kept_alive exploding_sum_loss seed_reset_each_epoch
    metric_wrong_axis train_mode_never_restored
""".split()  # noqa: SIM905


@pytest.mark.slow
@pytest.mark.parametrize("rule", MENDED)
def test_the_mended_example_is_silent(rule, tmp_path):
    path = tmp_path / "script.py"
    text = PRELUDE + rules()[rule].wrong + "# the end\n"
    path.write_text(text)
    mended = patch(str(path), run_script(str(path)).exam.findings)
    assert rule in mended.rules
    assert path.read_text() == text
    assert mended.source.endswith("# the end\n")
    assert mended.diff.startswith("--- ")
    path.write_text(mended.source)
    assert rule not in {r for r, _, _ in examined(path)["findings"]}


def test_intervals_are_students():
    mean, low, high = interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert math.isclose(high - mean, 4.303 / math.sqrt(3), rel_tol=1e-3)  # t(0.975, 2) · s / √n, by table
    assert math.isclose(mean - low, high - mean)
    assert interval([float("nan")]) is None


def test_the_table_says_what_failed():
    assert "2 runs failed" in table([Row("as it is", (1.0, 2.0), (), 2)])


@pytest.mark.slow
def test_a_proof_runs_the_script_as_it_is_and_mended(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(PRELUDE + rules()["grad_cleared_before_step"].wrong + "print('loss', loss.item())\n")
    mended = patch(str(path), run_script(str(path)).exam.findings)
    plain, better, faster, slower = proof(str(path), [], mended, seeds=2)
    assert plain.failed == better.failed == faster.failed == slower.failed == 0
    assert max(better.loss) < min(plain.loss)
    assert better.figure == pytest.approx(better.loss, rel=1e-4)
