"""The texts of the studio's pages, by the keys that the page's JavaScript modules use.

The page replaces names in braces by values.
"""

import gettext

from treino.words import ENGLISH, LOCALE, N_

# ---- folders, sweeps, studies, scripts

FOLDERS = {
    "all_runs": N_("All runs"),
    "runs": N_("Runs, sweeps and studies"),
    "name": N_("name"),
    "kind": N_("kind"),
    "kind_run": N_("run"),
    "kind_sweep": N_("sweep"),
    "kind_study": N_("study"),
    "status": N_("status"),
    "data": N_("Data"),
    "steps": N_("steps"),
    "test_figure": N_("on test rows"),
    "begun": N_("begun"),
    "start": N_("Train something"),
    "target": N_("Target"),
    "drop_file": N_("Drop a table or a zip of pictures here, or choose a file"),
    "train_network": N_("Train a network"),
    "begin_paused": N_("begin paused"),
    "space_to_try": N_("Settings to try, as for treino sweep"),
    "how_many": N_("How many networks"),
    "start_sweep": N_("Start a sweep"),
    "first_column": N_("First column"),
    "second_column": N_("Second column"),
    "playground": N_("Play with two columns"),
    "start_study": N_("Compare batch sizes"),
    "rows_and_columns": N_("{rows} rows, {columns} columns"),
    "images_of_size": N_("{n} images of {width} × {height} pixels"),
    "sending": N_("{name} is being sent."),
    "sent": N_("{name} is here as {data}."),
    "starting": N_("It is being started."),
    "folder_waiting": N_("waiting"),
    "folder_running": N_("in progress"),
    "folder_finished": N_("finished"),
    "folder_stopped": N_("stopped"),
    "folder_interrupted": N_("interrupted"),
    "folder_diverged": N_("diverged"),
    "folder_deleted": N_("deleted"),
    "folder_damaged": N_("damaged"),
    "folder_failed": N_("failed"),
    "time_unknown": N_("time left unknown"),
    "seconds_left": N_("{n} s left"),
    "minutes_left": N_("{n} min left"),
    "share_done": N_("{n} % done"),
    "progress": N_("Progress"),
    "row": N_("row"),
    "mode": N_("mode"),
    "epochs": N_("epochs"),
    "seconds_per_epoch": N_("seconds an epoch"),
    "rows_of_study": N_("What is compared"),
    "training_loss": N_("Training loss"),
    "measured_loss": N_("Loss on measured rows"),
    "figure": N_("figure"),
    "conclusions": N_("Conclusions"),
    "no_conclusions": N_("None yet."),
    "networks": N_("Networks"),
    "networks_on": N_("{n} networks on {data}"),
    "network_number": N_("network"),
    "rung": N_("rung"),
    "rung_of": N_("rung {n} of {total}"),
    "as_a_run": N_("as a run"),
    "open": N_("Open"),
    "open_network": N_("Open network {n}: it is trained once more, as a run"),
    "figure_curves": N_("On validation rows: {metric}"),
    "parallel": N_("Settings and figure of each network"),
    "brush_axis": N_("Axis to narrow"),
    "brush_low": N_("from"),
    "brush_high": N_("to"),
    "brush_clear": N_("Show all"),
    "stop": N_("Stop"),
    "how_many_more": N_("How many networks to add"),
    "add_networks": N_("Add networks"),
    "networks_come": N_("{n} networks are added."),
    "stop_and_judge": N_("Stop and judge"),
    "only_diverged": N_("Only those that diverged"),
    "a_network": N_("a network"),
    "the_best": N_("the best"),
    "diverged_count": N_("{n} diverged"),
    "judging": N_("judging"),
    "script": N_("Script"),
    "learning_rates": N_("Learning rates"),
    "gradient_norms": N_("Gradient norms"),
    "optimizers": N_("Optimizers"),
    "buttons": N_("Buttons of the script"),
    "changes": N_("Changes by hand"),
    "not_seen": N_("What is not seen"),
    "steps_a_second": N_("{n} steps a second"),
    "step_number": N_("step {n}"),
    "exit_status": N_("exit status {n}"),
    "change_at": N_("step {step}: {what}"),
    "group_of": N_("{optimizer}, group {group}"),
}


# ---- runs


def page_words(language: str) -> dict[str, str]:
    """All texts in a language: ``en``, or one that has a catalogue."""
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
    "fixed_own": N_("Your own network keeps its layers."),
    "fixed_cnn": N_(
        "A convolutional network keeps its layers and activation: only those of an MLP can change."
    ),
    "fixed_batch_norm": N_("With batch norm, layers keep their units."),
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
    "layer": N_("layer"),
    "units": N_("units"),
    "dead_units": N_("dead units"),
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
    "mistakes_of_numbers": N_("Farthest off: predicted · true"),
    "examples_of_classes": N_("First training pictures, rows of all splits"),
    "examples_of_numbers": N_("Training pictures, from the smallest value to the largest"),
    "views": N_("What this panel shows"),
    "tab_mistakes": N_("Mistakes"),
    "tab_classes": N_("Classes"),
    "tab_examples": N_("Examples"),
    "tab_sketch": N_("Draw"),
    "tab_picture": N_("Your picture"),
    "your_picture": N_("your picture"),
    "yours": N_("yours"),
    "picture_in_view": N_("The picture that goes through the network"),
    "picture_rows": N_("From which rows"),
    "picture_number": N_("Number of the picture, from 0"),
    "picture_before": N_("The picture before"),
    "picture_after": N_("The next picture"),
    "click_picture": N_("click: send it through the network"),
    "of_count": N_("of {n}"),
    "says_class": N_("it says {value}, {share}"),
    "true_says_class": N_("true: {true} · it says {value}, {share}"),
    "says_number": N_("it says {value}"),
    "true_says_number": N_("true: {true} · it says {value}"),
    "unit_value": N_("for this picture"),
    "channel_largest": N_("largest for this picture"),
    "sketch_pad": N_(
        "A pad to draw on. Arrows move the pen, space puts it down and lifts it, Delete clears."
    ),
    "sketch_clear": N_("Clear"),
    "sketch_centred": N_("centred as MNIST is"),
    "sketch_file": N_("Choose a picture"),
    "sketch_note": N_(
        "Draw with the mouse, a finger or keys (arrows, space, Delete). Centred: scaled into a box of 20 of"
        " 28 pixels, its centre of mass in the middle."
    ),
    "sketch_note_file": N_("Choose a picture, or drag one here: it is brought to {width} × {height} pixels."),
    "picture_unreadable": N_("{name} can't be read as a picture."),
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
    "contact_sheet": N_("The first images of each class"),
}

# ---- the playground

PLAYGROUND = {
    "playground_home": N_("treino playground: from the beginning"),
    "views_of_playground": N_("Views"),
    "view_one": N_("One network"),
    "view_many": N_("Thousands"),
    "own_table": N_("own table"),
    "own_points": N_("own points"),
    "no_worker": N_(
        "This browser lets nothing train beside the page, so the page itself does, and may stutter."
    ),
    "cannot_train": N_("This browser can't train networks"),
    "what_is_needed": N_(
        "What is needed is WebAssembly with vectors of 128 bits: Chrome or Edge from version 97,"
        " Firefox from 113, Safari from 16.4."
    ),
    "on_this_machine": N_(
        "With Python, the same page trains on your machine: pip install treino, then treino studio."
    ),
    "not_trained": N_("Nothing was trained"),
    "not_understood": N_("The address says {name}={value}, which isn't understood: it is as usual."),
    "data_not_here": N_("The address tells of data that are not in it: choose them again."),
    "data_too_long": N_("These data are too long for an address: a link to this page opens without them."),
    "paused_in_background": N_("Paused while this tab was in the background."),
    "take_png": N_("Picture"),
    "take_png_about": N_("network, boundary and curves as PNG"),
    "take_link": N_("A link to this run"),
    "take_link_about": N_("data, settings, and what you did, up to this step"),
}

PLAYGROUND_DATA = {
    "rows_one": N_("Rows that have all that is needed: {n}."),
    "add_rows": N_("Add rows."),
    "add_rows_or_none": N_("Add rows, or hold none back for validation and test."),
    "rows_different": N_("Different rows: {n}."),
    "rows_too_few": N_("That is too few for {wanted} splits."),
    "rows_without_target": N_("Rows left out because their target is empty: {n}."),
    "rows_equal": N_("Rows that equal an earlier one in all features: {n}; equal rows are never parted."),
    "classes_all_distinct": N_("Every row has its own class: '{name}' has {n} different values."),
    "class_of_one_row": N_(
        "The class '{value}' has one row; it is learnt from, and no figure can speak of it."
    ),
    "classes_uneven": N_(
        "'{most}' has {n} rows and '{least}' {m}: look at each class, not at accuracy alone."
    ),
    "constant_in_training": N_("Never changes in training rows, so nothing is learnt of it: {names}."),
    "columns_left_out": N_("Not among the inputs: {names} ({why})."),
    "points_none": N_("There is no point yet."),
    "points_none_hint": N_("Put points of two classes into the picture."),
    "table_none": N_("'{name}' has no rows here."),
    "table_none_hint": N_("Choose a file or paste a table."),
    "target_missing": N_("Which column of '{name}' is to be learnt?"),
    "target_missing_hint": N_("Choose the target."),
    "target_empty": N_("The target '{name}' has no value in any row."),
    "target_infinite": N_("The target '{name}' holds a number that is not finite."),
    "target_constant": N_("The target '{name}' is always '{value}': there is nothing to learn."),
    "target_date": N_(
        "The target '{name}' holds dates or times, e.g. '{cell}': neither classes nor amounts."
    ),
    "target_text": N_("The target '{name}' holds '{cell}' among numbers."),
    "target_merged": N_("The target '{name}' holds whole numbers too large to be told apart."),
    "target_written": N_("The target '{name}' holds '{cell}', which the page doesn't read as a number."),
    "name_other_target": N_("Name another target."),
    "correct_cell": N_("Correct it."),
    "features_none": N_("No input is chosen."),
    "features_none_hint": N_("Choose at least one, each once."),
    "features_duplicate": N_("'{name}' is chosen twice."),
    "features_unknown": N_("There is no column '{name}'."),
    "no_inputs": N_("No column of '{name}' but the target holds numbers only."),
    "column_no_input": N_("'{name}' can't be an input here: {why}."),
    "value_range": N_("Column '{name}' holds a number that is too large for float32."),
    "shares_sum": N_("{validation} for validation and {test} for test rows leave no rows to train on."),
    "shares_sum_hint": N_("Choose shares that are at least 0, and below 1 together."),
    "cli_can": N_("The command line can learn from it: pip install treino, then {command}"),
    "why_empty": N_("no value in any row"),
    "why_words": N_("words"),
    "why_dates": N_("dates or times"),
    "why_mixed": N_("words among numbers"),
    "why_missing": N_("empty cells"),
    "why_constant": N_("never changes"),
    "why_infinite": N_("a number that is not finite"),
    "why_identifier": N_("only tells rows apart"),
    "why_row_number": N_("numbers the rows"),
}

WORDS: dict[str, str] = (
    SHELL
    | HOME
    | TRANSPORT
    | SETTINGS
    | PICTURES
    | CURVES
    | FAN_AND_MICROSCOPE
    | TAKE
    | FOLDERS
    | PLAYGROUND
    | PLAYGROUND_DATA
)
