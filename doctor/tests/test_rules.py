"""Every rule: its wrong example is found by it, its right one is silent altogether; its words fill in."""

from pathlib import Path

import pytest

from treino_doctor.rules import rules
from treino_doctor.rules.examples import PRELUDE
from zygote import examined

CONTRACT = """
    missing_zero_grad grad_cleared_before_step no_step params_not_in_optimizer detached_loss
    detached_graph clip_too_small vanishing_gradient non_finite_loss softmax_before_cross_entropy
    sigmoid_before_bce_with_logits nll_without_log_softmax softmax_wrong_dim target_broadcast
    bad_label_values exploding_sum_loss missing_eval train_mode_never_restored missing_no_grad
    graph_kept_alive batchnorm_batch_of_one nan_inputs unshuffled_sorted sorted_split unscaled_inputs
    scaler_leakage duplicate_leakage test_in_train label_misaligned augment_on_test class_imbalance
    lr_too_high lr_too_low weight_decay_too_high scheduler_misuse seed_reset_each_epoch symmetric_init
    dead_relu metric_wrong_axis selection_on_test missing_activation layer_never_used uninitialised_tensor
    best_state_not_copied activation_before_cross_entropy label_in_inputs metric_overwritten
    threshold_on_logits new_optimizer_each_step nothing_loaded sequence_wrong_axis
""".split()  # noqa: SIM905


def test_the_ids_are_the_contract():
    assert sorted(rules()) == sorted(CONTRACT)


@pytest.mark.parametrize("rule", CONTRACT)
def test_each_text_that_is_mended_occurs_once(rule):
    assert [rules()[rule].wrong.count(text) for text in rules()[rule].mend] == [1] * len(rules()[rule].mend)
    assert rules()[rule].right != rules()[rule].wrong


@pytest.mark.slow
@pytest.mark.parametrize("rule", CONTRACT)
def test_the_wrong_example_is_found_and_the_right_one_is_silent(rule, tmp_path):
    wrong, right = tmp_path / "wrong_script.py", tmp_path / "right_script.py"
    wrong.write_text(PRELUDE + rules()[rule].wrong)
    right.write_text(PRELUDE + rules()[rule].right)
    faulty = examined(wrong)
    assert faulty["defects"] == []
    assert rule in {name for name, _, _ in faulty["findings"]}
    silent = examined(right)
    assert silent["defects"] == []
    assert silent["findings"] == []


def test_the_page_of_rules_is_the_registry_s():
    from treino_doctor.output.rules_page import page

    stored = (Path(__file__).parents[1] / "docs" / "doctor-rules.md").read_text()
    assert stored == page(), "run: python -m treino_doctor.output.rules_page > doctor/docs/doctor-rules.md"
