"""The words of the studio's page, by the keys that its modules ask for; the server has them at /words/LANG.

In braces stand values that the page fills in.
"""

import gettext

from treino.studio.folder_words import FOLDERS
from treino.words import ENGLISH, LOCALE, N_


def page_words(language: str) -> dict[str, str]:
    """Every word of the page in a language: ``en``, or one that has a catalogue."""
    if language == ENGLISH:
        return WORDS
    catalogue = gettext.translation("treino", LOCALE, [language])
    return {key: catalogue.gettext(sentence) for key, sentence in WORDS.items()}


SHELL = {
    "home": N_("treino studio: all runs"),
    "theme": N_("Dark or light"),
    "other_language": N_("the page in Portuguese"),
    "help": N_("Help"),
    "keys": N_("Keys"),
    "close": N_("Close"),
    "copy": N_("Copy"),
    "copied": N_("Copied."),
    "opening": N_("Opening the run …"),
    "no_page": N_("Nothing is at this address"),
    "lost": N_(
        "Connection lost; the next attempt is in {seconds} s. If the studio has ended, start it again"
        " and open the address that it prints."
    ),
    "data_line": N_("{name}, {rows} rows"),
    "space": N_("space"),
    "key_play": N_("play or pause"),
    "key_step": N_("one step"),
    "key_back": N_("one step back"),
    "key_epoch": N_("one epoch"),
    "key_stop": N_("stop: save it and end"),
    "key_branch": N_("branch"),
    "key_fan": N_("fan out"),
    "key_escape": N_("close what is open"),
    "key_help": N_("this help"),
    "and_more": N_("and {n} more"),
    "some_of": N_("{n} of {total}"),
}

TRANSPORT = {
    "transport": N_("Training"),
    "play": N_("Play"),
    "pause": N_("Pause"),
    "step": N_("Step"),
    "epoch": N_("Epoch"),
    "speed": N_("Speed"),
    "per_second": N_("{n} steps/s"),
    "full_speed": N_("full speed"),
    "word_step": N_("step"),
    "word_epoch": N_("epoch"),
    "take_wheel": N_("Take the wheel"),
    "branch": N_("Branch"),
    "fan": N_("Fan out"),
    "save": N_("Save"),
    "viewers": N_("{n} viewers"),
    "branched": N_("{run} begins at step {step}, beside this run."),
    "status_playing": N_("playing"),
    "status_paused": N_("paused"),
    "status_past": N_("in the past"),
    "status_finished": N_("finished"),
    "status_stopped": N_("stopped"),
    "status_interrupted": N_("interrupted"),
    "status_diverged": N_("diverged"),
    "status_deleted": N_("deleted"),
}

SETTINGS = {
    "settings": N_("Settings"),
    "live_settings": N_("Change while it trains"),
    "new_segment": N_("Open a new segment"),
    "faults": N_("The course’s two faults"),
    "lr": N_("Learning rate"),
    "lr_slider": N_("Learning rate, as a slider"),
    "weight_decay": N_("Weight decay"),
    "momentum": N_("Momentum"),
    "beta1": N_("Beta 1"),
    "beta2": N_("Beta 2"),
    "dropout": N_("Dropout"),
    "ema": N_("Average of the weights"),
    "clip": N_("Gradient clipping"),
    "no_clip": N_("off"),
    "batch_size": N_("Batch size"),
    "all_rows": N_("all {n}"),
    "optimizer": N_("Optimizer"),
    "schedule": N_("Schedule"),
    "activation": N_("Activation"),
    "loss_function": N_("Loss"),
    "hidden_layers": N_("Hidden layers"),
    "units_of": N_("Units of layer {layer}"),
    "one_less": N_("One less: {what}"),
    "one_more": N_("One more: {what}"),
    "own_network": N_("Your own network keeps its layers."),
    "missing_zero_grad": N_("zero_grad forgotten"),
    "softmax_before_cross_entropy": N_("softmax twice"),
    "seed": N_("Seed"),
    "new_seed": N_("New seed"),
    "decisions": N_("Decided about the data"),
}

PICTURES = {
    "network": N_("Network"),
    "network_at": N_("Network {sizes} at step {step}"),
    "parameters": N_("{n} parameters"),
    "microscope": N_("Microscope"),
    "positive": N_("positive"),
    "negative": N_("negative"),
    "inputs": N_("inputs"),
    "outputs": N_("outputs"),
    "unit_of": N_("unit {unit} of layer {layer}"),
    "dead_unit": N_("dead: the same on every training row"),
    "weight": N_("weight"),
    "bias": N_("bias"),
    "click_arithmetic": N_("click: its arithmetic"),
    "boundary": N_("Decision boundary"),
    "images": N_("What it sees"),
    "fit": N_("Predicted against true"),
    "line": N_("The network over its inputs"),
    "line_of_classes": N_("Probabilities of the classes"),
    "probability": N_("probability"),
    "mistakes": N_("Worst mistakes"),
    "confusion": N_("Confusion: true down, predicted across"),
    "predicted": N_("predicted"),
    "true_value": N_("{target}, true"),
    "right_rows": N_("{right} of {rows} right"),
    "rmse_is": N_("RMSE {value}"),
    "components": N_("The plane of the two main directions of the rows, {share} of their variance."),
    "held": N_("Held: {values}."),
    "agreement": N_("It says what the network says on {share} of {rows} rows."),
    "axes": N_("What is across and up"),
    "axis_x": N_("Across"),
    "axis_y": N_("Up"),
    "axes_auto": N_("Automatic"),
    "train": N_("training"),
    "validation": N_("validation"),
    "test": N_("test"),
    "wrong": N_("wrong"),
    "test_unseen": N_("test: judged at the end"),
    "no_answer": N_("no finite answer"),
    "row_of": N_("row {row}, {split}"),
    "rows": N_("rows"),
    "at_step": N_("at step {step}"),
}

CURVES = {
    "loss": N_("loss"),
    "accuracy": N_("accuracy"),
    "rmse": N_("RMSE"),
    "loss_and_accuracy": N_("Loss and accuracy"),
    "loss_and_error": N_("Loss and error"),
    "curves_at": N_("Step {step}: loss {train} training, {validation} validation"),
    "batch_loss": N_("loss of the batch"),
    "measured_at": N_("measured at step {step}; {rows} validation rows"),
    "click_step": N_("click: go to this step"),
    "step_n": N_("step {step}"),
    "step_of": N_("step {step} of {last}"),
    "time_machine": N_("Time machine"),
    "now": N_("Now"),
    "runs_here": N_("The run in hand, and runs beside it"),
    "run_n": N_("Run {letter}, {name}"),
    "take_away": N_("Take run {letter} away"),
    "vitals": N_("Vital signs"),
    "gradient_norm": N_("Gradient norm"),
    "update_ratio": N_("Update / weight"),
    "findings": N_("Findings"),
    "no_findings": N_("Nothing yet. Findings appear here while it trains."),
    "go_to_step": N_("Go to step {step}"),
    "rewind_to": N_("Rewind to step {step}"),
    "resume": N_("Resume"),
    "run_deleted": N_("The folder of this run is gone: somebody has deleted it."),
    "run_interrupted": N_("The process that trained this run has ended before it was done."),
    "run_diverged": N_("The loss is no number any more."),
    "test_figures": N_("On test rows: {figures}."),
}

FAN_AND_MICROSCOPE = {
    "futures_of": N_("{n} futures of step {step}"),
    "fan_progress": N_("{done} of {steps} steps each"),
    "fan_best": N_("lowest validation loss {loss}: {what}; click a picture to go on with it"),
    "fan_kind": N_("What differs between the futures"),
    "fan_of_lr": N_("learning rates"),
    "fan_of_seed": N_("orders of the rows"),
    "fan_of_batch_size": N_("batch sizes"),
    "adopt_as": N_("What a chosen future becomes"),
    "adopt_branch": N_("as a branch"),
    "adopt_segment": N_("in this run"),
    "validation_loss": N_("Validation loss"),
    "fan_curves": N_("Validation loss of every future"),
    "fan_ends": N_("Where each one ends"),
    "go_on_with": N_("Go on with {what}: validation loss {loss}"),
    "went_on": N_("{run} goes on with it, beside this run."),
    "steps_after": N_("steps after {step}"),
    "lens_layer": N_("Layer"),
    "lens_from": N_("From"),
    "lens_to": N_("To"),
    "the_bias": N_("the bias"),
    "checks": N_("Checked by other computations"),
}

TAKE = {
    "take": N_("Take it with you"),
    "keep": N_("Keep"),
    "keep_name": N_("Keep this run under a name"),
    "kept_as": N_("Kept as {name}."),
    "take_weights": N_("Weights"),
    "take_weights_about": N_("safetensors, for any program"),
    "take_script": N_("PyTorch script"),
    "take_script_about": N_("plain, without treino"),
    "take_report": N_("Report"),
    "take_report_about": N_("one HTML page"),
    "take_gif": N_("Film as GIF"),
    "take_gif_about": N_("boundary and curves"),
    "take_command": N_("The command that trains the same"),
    "take_command_about": N_("as text"),
    "writing": N_("Being written …"),
    "saved_as": N_("Saved: {name}"),
}

HOME = {
    "choose_target": N_("choose a column"),
    "no_target": N_("Which column is to be predicted? Choose the target."),
    "no_target_likely": N_("Which column is to be predicted? Choose the target; likely: {columns}."),
    "describing": N_("Looking at the data …"),
}

WORDS: dict[str, str] = (
    SHELL | HOME | TRANSPORT | SETTINGS | PICTURES | CURVES | FAN_AND_MICROSCOPE | TAKE | FOLDERS
)
