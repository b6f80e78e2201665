"""The texts of the studio's pages, by the keys that the page's JavaScript modules use.

The page replaces names in braces by values.
"""

from treino.base.words import ENGLISH, N_, speaking, translation
from treino_studio.playground_words import PLAYGROUND, PLAYGROUND_DATA, PLAYGROUND_MANY

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
    "seconds": N_("seconds"),
    "test_look": N_("(look {n})"),
    "seconds_from": N_("{seconds} from step {step} on"),
    "parameters_count": N_("parameters"),
    "figure_on": N_("{metric}, {split}"),
    "search": N_("Search"),
    "columns": N_("Columns"),
    "colour_by": N_("Colour"),
    "colour_none": N_("none"),
    "choose_all_shown": N_("Choose all that are shown"),
    "choose_row": N_("Choose {name}"),
    "count_runs": N_("{n} in all"),
    "delete_chosen": N_("Delete {n}…"),
    "delete_title": N_("Delete {n} for good?"),
    "delete_about": N_(
        "Their folders in {folder} go with all that is in them: weights, records, pictures. "
        "Nothing else is touched, and nothing brings them back."
    ),
    "delete_keep": N_("Don't delete"),
    "delete_yes": N_("Delete"),
    "deleted_one": N_("{name} is deleted."),
    "deleted_many": N_("{n} are deleted."),
    "and_more": N_("and {n} more"),
    "start": N_("Train something"),
    "target": N_("Target"),
    "drop_file": N_("Drop a table or a zip of pictures here, or choose a file"),
    "train_network": N_("Train a network"),
    "begin_paused": N_("begin paused"),
    "space_to_try": N_("Settings to try: each with a range or its values"),
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
    "folder_cut": N_("cut"),
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
    "cut_count": N_("{n} cut"),
    "stopping": N_("stopping…"),
    "left_out": N_("{n} more are left out: the best {best} are here. Any other opens by its number:"),
    "what_mattered": N_("What mattered"),
    "measure_importance": N_("Measure what has mattered so far"),
    "measuring_importance": N_("Being measured …"),
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
    "change_at": N_("step {step}: {what}"),
    "group_of": N_("{optimizer}, group {group}"),
}

SCRIPT = {
    "output": N_("Output of the script"),
    "no_output": N_("It has printed nothing yet."),
    "newest_lines": N_("Newest lines"),
    "first_process": N_("first process"),
    "printed": N_("as printed"),
    "as_printed": N_("as printed"),
    "line_number": N_("line {line}"),
    "no_optimizers": N_("They appear here with the first step of an optimizer of torch."),
    "no_changes": N_("None yet. What you change here is written to a file that repeats it."),
    "change_until": N_("step {step}: {what}, until the scheduler's next step"),
    "until_scheduler": N_("until the scheduler's next step"),
    "ask_findings": N_(
        "The doctor doesn't look at this script. To see its findings as they come, start it so:"
    ),
    "found_nothing": N_("Nothing was found."),
    "no_number": N_("This is no number."),
    "from_0_to": N_("A number from 0 to {most}."),
    "from_0_below_1": N_("A number from 0 to below 1."),
    "whole_from_to": N_("A whole number from {least} to {most}."),
    "two_to_eight": N_("Two to eight numbers that differ, with spaces between."),
    "end_finished": N_("It has run to its end."),
    "end_exited": N_("It has left with exit status {status}."),
    "end_stopped": N_("It was stopped from the studio."),
    "end_interrupted": N_("It was interrupted by Ctrl-C."),
    "end_killed": N_("It was ended by the signal {signal}."),
    "end_memory": N_("The system sends it where memory runs out."),
    "end_exception": N_("It failed: {text}"),
    "end_line": N_("(line {line})"),
    "step_of_about": N_("step {step} of about {last}"),
    "checkpoints": N_("Checkpoints"),
    "checkpoints_about": N_(
        "A checkpoint is a sleeping copy of the script: from there it can go on again, with other rates, or"
        " in several ways side by side."
    ),
    "checkpoints_later": N_("With the first step it is known whether this script can be rewound."),
    "keep_checkpoints": N_("Keep checkpoints on the way"),
    "mark_step": N_("Mark this step"),
    "checkpoints_of": N_("{n} kept, {memory} of {budget}"),
    "choose_checkpoint": N_("Choose a checkpoint to go on from there."),
    "checkpoint_at": N_("Checkpoint at step {step}"),
    "marked": N_("marked"),
    "waited_ms": N_("the script waited {ms} ms"),
    "rewind": N_("Rewind"),
    "rewind_about": N_("The script goes on from there, as a branch; what ran until now sleeps."),
    "fan_values": N_("Values, with spaces between"),
    "fan_steps": N_("Steps of each"),
    "fan_about": N_("Two to eight branches go on side by side; keep the one you like."),
    "fan_losses": N_("Training loss of every future"),
    "keep_this": N_("Keep"),
    "keep_future": N_("Go on with {what}: loss {loss}"),
    "close_fan": N_("Close"),
    "from_step": N_("from step {step}"),
    "in_folder": N_("in {folder}"),
    "branch_waking": N_("waking"),
    "branch_running": N_("running"),
    "branch_asleep": N_("asleep"),
    "branch_ended": N_("ended, exit status {n}"),
    "branch_present": N_("goes on now"),
    "return_to": N_("Go back to it"),
}


# ---- runs


def page_words(language: str) -> dict[str, str]:
    """All texts in a language: ``en``, or one that has a catalogue."""
    if language == ENGLISH:
        return WORDS
    with speaking(language):  # some words are in the doctor's catalogue
        return {key: translation(sentence) for key, sentence in WORDS.items()}


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
    "mute": N_("The studio doesn’t answer. What you see is the last that it said."),
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
    "open_it": N_("Open it"),
    "branched": N_("{run} begins at step {step}, beside this run."),
    "why_watching": N_("Another page steers, and this one watches: take the wheel first."),
    "why_watch_only": N_("This address is for watching only."),
    "why_stop": N_("Nothing is in training here."),
    "status_playing": N_("playing"),
    "status_lost": N_("not connected"),
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
    "new_segment": N_("Change from here on"),
    "faults": N_("As it is taught: two mistakes"),
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
    "no_rate": N_("“{text}” is no learning rate: type a number above 0, such as 0.01."),
    "no_count": N_("“{text}” can’t be: type a whole number from {low} to {high}."),
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
    "click_behind": N_("click: the training rows behind it"),
    "behind": N_("The training rows behind it"),
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
    "right_rows": N_("{split}: {right} of {rows} right"),
    "rmse_is": N_("{split}: RMSE {value}"),
    "components": N_("The plane of the two main directions of the rows, {share} of their variance."),
    "held": N_("The other inputs: {values}."),
    "agreement": N_("This picture agrees with the network on {share} of {rows} rows."),
    "axes": N_("What is across and up"),
    "axis_x": N_("Across"),
    "axis_y": N_("Up"),
    "axes_auto": N_("Automatic"),
    "axes_better": N_("{x} × {y} would agree on {share}"),
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
    "chart_log": N_("log"),
    "chart_log_about": N_("Logarithmic axis"),
    "chart_smooth": N_("Smoothing"),
    "chart_whole": N_("Show all"),
    "chart_keys": N_(
        "Drag to zoom, press twice to see all. Keys: arrows read values, + and − zoom, 0 shows all, L log."
    ),
    "click_step": N_("click: go to this step"),
    "step_n": N_("step {step}"),
    "step_of": N_("step {step} of {last}"),
    "time_machine": N_("Time machine"),
    "now": N_("Now"),
    "runs_here": N_("The run in hand, and runs beside it"),
    "from_step": N_("from step {step}"),
    "take_away": N_("Show {name} no more"),
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
    "result": N_("Result"),
    "kept_and_last": N_(
        "Figures: the kept weights, of epoch {epoch} (step {step}). Pictures at the end: the last step, "
        "{last}."
    ),
    "kept_each": N_("Figures: each network's kept weights. Pictures at the end: the last step, {last}."),
    "see_kept": N_("See the kept weights, step {step}"),
    "member_answers": N_("network {n}, answers"),
    "member_silent": N_("network {n}, doesn't answer"),
    "members_answer": N_("An ensemble: {n} of {members} networks answer ({which}), by their mean."),
    "weights_of": N_("Whose weights are drawn"),
}

FAN_AND_MICROSCOPE = {
    "futures_of": N_("{n} futures of step {step}"),
    "fan_progress": N_("{done} of {steps} steps each"),
    "fan_best": N_("Best by the mean of its last three validation losses, {loss}: {what} (filled)."),
    "fan_lowest": N_("{what} ends lowest, at {loss} (ring)."),
    "fan_click": N_("Click one to go on with it."),
    "last_three": N_("mean of the last three"),
    "try_it": N_("Try {what}"),
    "try_better": N_(
        "With {what} it is better: on {rows} validation rows the loss is {b} in place of {a}. The "
        "difference, {low} to {high} (95 %), is more than the luck of these rows; only one order of the "
        "training rows was tried."
    ),
    "try_worse": N_(
        "With {what} it is worse: on {rows} validation rows the loss is {b} in place of {a}. The "
        "difference, {low} to {high} (95 %), is more than the luck of these rows; only one order of the "
        "training rows was tried."
    ),
    "try_from": N_("Both begin at step {step}."),
    "try_even": N_(
        "These {rows} validation rows can't tell: with {what} the loss is {b} in place of {a}, and the "
        "difference, {low} to {high} (95 %), may be their luck."
    ),
    "try_cures": N_("With {what} the training goes on; without, it diverges."),
    "try_diverges": N_("With {what} the training diverges; without, it goes on."),
    "try_both_diverge": N_("With {what} and without, the training diverges."),
    "try_unknown": N_("There are no validation rows that could tell whether {what} is better."),
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
    "went_on": N_("{run} goes on from step {step} with {what}, beside this run."),
    "steps_after": N_("steps after {step}"),
    "working": N_("Working it out …"),
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
    "take_data": N_("Table"),
    "take_data_about": N_("the rows as CSV, which the command reads"),
    "writing": N_("Being written …"),
    "saved_as": N_("Saved: {name}"),
}

TERMS = {  # what a term means, in one or two sentences for who meets it first
    "about_step": N_("One update of all weights, from one batch of rows."),
    "about_epoch": N_("One pass over all training rows: every row has been learnt from once more."),
    "about_loss": N_(
        "How wrong the network is: training makes it smaller. That of training rows is what it minimises; "
        "that of validation rows, which it doesn’t learn from, shows whether it only memorises."
    ),
    "about_validation_loss": N_(
        "How wrong the network is on validation rows. It doesn’t learn from them, so they show what it "
        "would make of new rows."
    ),
    "about_train": N_("Rows that the network learns from."),
    "about_validation": N_(
        "Rows that it doesn’t learn from: they show on the way how it does on new ones, and choices look "
        "at them."
    ),
    "about_test": N_("Rows that nothing looks at before the end: what it says of them is what it is worth."),
    "about_lr": N_(
        "How far each step moves the weights. Too small: it learns slowly. Too large: the loss jumps or "
        "grows."
    ),
    "about_weight_decay": N_(
        "Pulls every weight a little towards 0 in each step, so that the network stays simple and "
        "memorises less."
    ),
    "about_momentum": N_("How much of its last movement a step keeps: like a ball that rolls on."),
    "about_beta1": N_("Over how many steps Adam averages the gradient: 0.9 is about 10, 0.99 about 100."),
    "about_beta2": N_(
        "Over how many steps Adam averages the gradient’s square, which it scales each step by."
    ),
    "about_dropout": N_("The share of units that is switched off at random in each training step."),
    "about_ema": N_(
        "Answers with an average of the weights of many steps instead of the last ones; nearer to 1: of "
        "more steps."
    ),
    "about_clip": N_(
        "A gradient longer than this is shortened to it, so that one wild batch can’t throw it off."
    ),
    "about_new_segment": N_(
        "The training goes on from the step in view with another setting, as the run’s next part. The "
        "weights stay, and what came before is kept."
    ),
    "about_batch_size": N_(
        "How many rows each step learns from. More: smoother steps, and fewer of them an epoch."
    ),
    "about_optimizer": N_(
        "The rule that makes a step of the gradient: sgd follows it, adam scales it for each weight."
    ),
    "about_schedule": N_("How the learning rate changes on its own during the training."),
    "about_activation": N_(
        "The function that each unit bends its sum by; without one, all layers together would be a "
        "straight line."
    ),
    "about_loss_function": N_("How being wrong is counted."),
    "about_faults": N_(
        "Two mistakes of many first training loops. Switch one on to see what it does, and whether the "
        "findings tell."
    ),
    "about_missing_zero_grad": N_(
        "The gradients of all earlier steps are added up, because nobody sets them to 0."
    ),
    "about_softmax_before_cross_entropy": N_(
        "The loss takes the softmax itself; a second one before it makes the gradients small."
    ),
    "about_seed": N_("The number that all random choices come from: first weights, order of the rows."),
    "about_network": N_(
        "Inputs on the left, answers on the right. Each line is a weight, the thicker the larger; each "
        "box is a unit, with what it gives over the inputs."
    ),
    "about_microscope": N_("The arithmetic of one weight’s last update, with the numbers of its batch."),
    "about_boundary": N_(
        "Every place is coloured by the class that the network would answer there, the paler the less "
        "sure; between two colours runs the boundary. The marks are rows in the colour of their true "
        "class."
    ),
    "about_images": N_(
        "What the network does with pictures: its answers, its mistakes, and one that you draw."
    ),
    "about_fit": N_(
        "Each mark is a row: its true value across, the network’s answer up. On the diagonal it is right."
    ),
    "about_line": N_("What the network answers from left to right, and the rows that it learns from."),
    "about_line_of_classes": N_(
        "How likely each class is from left to right, and the rows that it learns from."
    ),
    "about_gradient_norm": N_(
        "The length of the gradient: how steep the loss is here. Near 0 there is nothing left to learn; "
        "if it explodes, the learning rate is too high."
    ),
    "about_update_ratio": N_(
        "How much a step changes the weights, beside their size. About 0.001 (the dashed line) is usual."
    ),
    "about_findings": N_("What the doctor has found wrong or worth trying in this training, while it runs."),
    "about_time_machine": N_("Goes back to any step, exactly. Play, or a change, then goes on from there."),
    "about_branch": N_("Begins a second run at the step in view, beside this one."),
    "about_fan": N_(
        "Trains many futures of the step in view at once, such as with 64 learning rates, to choose from."
    ),
    "about_pace": N_("It trains slowly enough to be watched. Full speed: as fast as this machine can."),
}

NOTEBOOK = {
    "kernel_busy": N_("The kernel is busy with a cell: what you do here waits until that is done."),
    "kernel_gone": N_(
        "The kernel was restarted or has ended, and what it trained is saved. Run the cell again."
    ),
}

HOME = {
    "choose_target": N_("choose a column"),
    "no_target": N_("Which column is to be predicted? Choose the target."),
    "no_target_likely": N_("Which column is to be predicted? Choose the target; likely: {columns}."),
    "describing": N_("Looking at the data …"),
    "contact_sheet": N_("The first images of each class"),
}

WORDS: dict[str, str] = (
    SHELL
    | NOTEBOOK
    | HOME
    | TRANSPORT
    | SETTINGS
    | PICTURES
    | CURVES
    | FAN_AND_MICROSCOPE
    | TAKE
    | TERMS
    | FOLDERS
    | SCRIPT
    | PLAYGROUND
    | PLAYGROUND_DATA
    | PLAYGROUND_MANY
)
