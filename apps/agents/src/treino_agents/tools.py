"""The tools of the server: each is a treino command, and takes the command's arguments.

Types and descriptions come from the command's own flags and from the table of settings (``spec.py``); this
file says only which of them an agent may use. An argument goes into the command as ``--flag=VALUE`` or after
``--``, so that no value is taken for a flag.
"""

import inspect
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args, get_type_hints

from cyclopts import Parameter
from pydantic import TypeAdapter

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import N_, _
from treino.folders import LAST
from treino.settings import FLAGS, OF_FILES, UNKNOWN_SETTING, Settings, as_item, group_of
from treino_agents.folder import CHECKS, AgentFolder

ARGUMENT_FORM = Refusal("{name} can't be {value}.", "Its schema says what it is: {schema}")
ACTION_UNKNOWN = Refusal("steer has no action {action!r}.", "{hint}")
PICTURE_OF_TWO = Refusal("A picture is of one run, and two are named.", "Leave other or picture out.")
CHOICE_WITHOUT_PICTURE = Refusal(
    "{name} chooses what a picture shows, and no picture was asked for.", "Name one: picture=['curves']."
)
ARGUMENT_OF_ACTION = Refusal("{action} has no use for {name}.", "It takes: {names}.")
ACTION_NEEDS = Refusal("{action} needs {name}.", "It takes: {names}.", rule="argument_missing")
FAN_OF_TWO = Refusal("candidates names every try, and {name} stands beside it.", "Leave one of them out.")
ARGUMENT_UNKNOWN = Refusal("{tool} has no argument {name!r}.", "{hint}")
TOOL_NEEDS = Refusal("{tool} needs {name}.", "{hint}", rule="argument_missing")

Verb = Callable[..., Any]
Verbs = Mapping[str, Verb]
Schema = dict[str, Any]
Arguments = Mapping[str, Any]

# ---- arguments


@dataclass(frozen=True)
class Argument:
    """An argument of a tool.

    schema: its JSON schema. flag: its flag on the command line; "" for a positional argument.
    switch_off: the flag for false; "" if false is the same as leaving it out. several: a list becomes several
    flags, not one with commas.
    """

    name: str
    schema: Schema
    flag: str = ""
    switch_off: str = ""
    several: bool = False
    required: bool = False

    def check(self, value: Any) -> None:
        """Refuse a value that doesn't fit the schema, if the command line could not detect that.

        Raises:
            TreinoError: the value has another form.
        """
        of_no_switch = self.schema.get("type") == "boolean" and not isinstance(value, bool)
        several = self.name in NAMED and isinstance(value, list) and not self.several  # one path is checked
        if of_no_switch or several or not (self.flag or _fits(value, self.schema)):
            raise self._misformed(value)

    def words(self, value: Any) -> list[str]:
        """The argument on a command line."""
        if isinstance(value, bool):
            return [self.flag] if value else [self.switch_off] if self.switch_off else []
        if isinstance(value, list):
            items = [self._text(item) for item in value]
            if self.several:
                return [f"{self.flag}={item}" for item in items]
            value = ",".join(map(as_item, items)) or "none"
        text = self._text(value)
        return [f"{self.flag}={text}" if self.flag else text]

    def _text(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._misformed(value)
        return str(value)

    def _misformed(self, value: Any) -> TreinoError:
        schema = {key: self.schema[key] for key in ("type", "items") if key in self.schema}
        return ARGUMENT_FORM(name=self.name, value=json.dumps(value)[:60], schema=json.dumps(schema))


def _fits(value: Any, schema: Schema) -> bool:
    """Whether a value has the type that the schema names."""
    match schema.get("type"):
        case "array":
            return isinstance(value, list) and all(_fits(item, schema["items"]) for item in value)
        case "object":
            return isinstance(value, dict)
        case "integer":
            return type(value) is int
        case _ if "enum" in schema:
            return isinstance(value, str)
        case _:
            return isinstance(value, str | int | float)


def verb_arguments(verb: Verb, take: Sequence[str]) -> list[Argument]:
    """Make arguments of these parameters of a command's function; ``source`` is called ``data``."""
    parameters, hints = inspect.signature(verb).parameters, get_type_hints(verb, include_extras=True)
    arguments = []
    for name in take:
        parameter, hint = parameters[name], hints[name]
        about = [each for each in get_args(hint)[1:] if isinstance(each, Parameter)]
        texts = [each.help for each in about if each.help]
        flag = next((str(n) for each in about for n in each.name or () if str(n).startswith("--")), "")
        positional = parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL)
        schema = _plain(TypeAdapter(hint).json_schema()) | ({"description": _(texts[0])} if texts else {})
        arguments.append(
            Argument(
                "data" if name == "source" else name,
                schema,
                "" if positional else flag or "--" + name.replace("_", "-"),
                several=schema.get("type") == "array",
                required=positional and parameter.default is parameter.empty,
            )
        )
    return arguments


def setting_arguments(
    groups: Sequence[str], leave_out: Collection[str] = (), *, described: bool = True
) -> list[Argument]:
    """Make arguments of the settings in these groups. described: with their help, which only ``train`` has,
    since an agent reads all schemas."""
    arguments = []
    for name, schema in Settings.model_json_schema()["properties"].items():
        if group_of(name) in groups and name not in leave_out:
            flag = FLAGS[name]
            shown = _plain(schema) | ({"description": _(schema["description"])} if described else {})
            off = f"--no-{flag[2:]}" if shown.get("type") == "boolean" else ""
            arguments.append(Argument(name, shown, flag, off))
    return arguments


LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def _plain(schema: Any) -> Schema:
    """Remove titles, null and treino's own marks from a schema as pydantic writes it."""
    own = ("title", "group", "readers")
    left = {LIMITS.get(key, key): value for key, value in schema.items() if key not in own}
    if left.get("default", ...) in (None, []):
        del left["default"]
    choices = [_plain(each) for each in left.pop("anyOf", ()) if each != {"type": "null"}]
    return left | (choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {})


# ---- tools


@dataclass(frozen=True)
class Tool:
    """A tool. command: the words of the command for checked arguments, with ``--json``."""

    name: str
    about: str
    arguments: tuple[Argument, ...]
    command: Callable[["Tool", Arguments], list[str]]

    @property
    def schema(self) -> Schema:
        """The JSON schema of all arguments."""
        return {
            "type": "object",
            "properties": {each.name: each.schema for each in self.arguments},
            "required": [each.name for each in self.arguments if each.required],
            "additionalProperties": False,
        }

    def words(self, given: Arguments, folder: AgentFolder) -> list[str]:
        """The command for these arguments.

        Raises:
            TreinoError: an unknown or a missing argument; a path that leads out of the folder; code without
                ``--trust``.
        """
        known = {each.name: each for each in self.arguments}
        values = {name: value for name, value in given.items() if value is not None}
        if "picture" in values:
            values.setdefault("run", LAST)
        for name in values:
            if name not in known:
                raise ARGUMENT_UNKNOWN(tool=self.name, name=name, hint=nearest(name, known))
        for name, argument in known.items():
            if argument.required and name not in values:
                raise TOOL_NEEDS(tool=self.name, name=name, hint=argument.schema.get("description", ""))
        for name, value in values.items():
            known[name].check(value)
            if (names := NAMED.get(name)) is not None:
                CHECKS[names](folder, value)
        folder.check_runs()
        return self.command(self, values)

    def flags(self, values: Arguments, names: Sequence[str] | None = None) -> list[str]:
        """These arguments on a command line: flags first, then ``--`` and the others. names: which."""
        flags: list[str] = []
        others: list[str] = []
        for each in self.arguments:
            if each.name in values and (names is None or each.name in names):
                (flags if each.flag else others).extend(each.words(values[each.name]))
        return [*flags, *(["--", *others] if others else [])]


_NAMED_BY = {
    "data": "data",
    "path": "to copy_to data_file trials",
    "run": "run other like weights",
    "trust": "trust",
    "subject": "subject",
    "space": "space",
}
NAMED = {name: check for check, names in _NAMED_BY.items() for name in names.split()} | {
    name: "network" if "code" in mark.reach else "path" for name, mark in OF_FILES.items()
}
"""What the value of an argument names, by the argument's name: a key of ``folder.CHECKS``. The other
arguments are numbers and words."""

OF_TRAINING = ("Network", "Loss and optimizer", "Training loop", "Machine", "Run")
OF_CHANGE = ("Network", "Loss and optimizer", "Training loop")


def _verb_tool(
    name: str, verbs: Verbs, *, verb: str = "", about: str, take: str, settings: Sequence[str] = ()
) -> Tool:
    """The tool of one command. verb: if it isn't named as the tool. take: its parameters that an agent may
    use. settings: the groups of settings that it takes."""
    function = verbs[verb or name]
    own = verb_arguments(function, take.split())
    of_settings = setting_arguments(settings, {each.name for each in own}, described=name == "train")

    def command(tool: Tool, values: Arguments) -> list[str]:
        return [function.__name__, "--json", *tool.flags(values)]

    return Tool(name, _(about), (*own, *of_settings), command)


# ---- tools that are several commands


def _show_tool(name: str, verbs: Verbs) -> Tool:
    (what,) = verb_arguments(verbs["plot"], ("what",))
    pictures = {"type": "array", "items": {"type": "string"}, "description": what.schema["description"]}
    about = _(
        "A run, a sweep or a study, also one in training; with other, what differs; with picture, "
        "pictures of it; without run, the list of all."
    )
    arguments = (
        *verb_arguments(verbs["show"], ("run", "other")),
        Argument("picture", pictures, "--what"),
        *verb_arguments(verbs["plot"], ("row", "cell", "of", "member")),
        *verb_arguments(verbs["predict"], ("trust",)),
    )
    return Tool(name, about, arguments, _show)


def _show(tool: Tool, values: Arguments) -> list[str]:
    if "picture" in values:
        if "other" in values:
            raise PICTURE_OF_TWO()
        return ["plot", "--json", *tool.flags(values)]
    for name in ("row", "cell", "of", "member"):
        if name in values:
            raise CHOICE_WITHOUT_PICTURE(name=name)
    if "run" not in values:
        return ["runs", "--json"]
    return ["show", "--json", *tool.flags(values, ("run", "other"))]


def _doctor_tool(name: str, verbs: Verbs) -> Tool:
    about = _(
        "What is wrong with a training: the findings of a run, or of a training script, which is run "
        "unchanged if the server may run code; without subject, whether treino is installed well."
    )
    words = {"type": "array", "items": {"type": "string"}, "description": _("the script's arguments")}
    arguments = (
        Argument("subject", {"type": "string", "description": _("a run, or SCRIPT.py")}),
        Argument("arguments", words),
        Argument("max_steps", {"type": "integer", "minimum": 1}, "--max-steps"),
        Argument("max_time", {"type": "number", "exclusiveMinimum": 0}, "--max-time"),
    )
    return Tool(name, about, arguments, _doctor)


def _doctor(tool: Tool, values: Arguments) -> list[str]:
    words = ["doctor", "--json", *tool.flags(values, ("max_steps", "max_time"))]
    if "subject" not in values:
        if "arguments" in values:
            raise TOOL_NEEDS(tool="doctor", name="subject", hint="SCRIPT.py")
        return words
    return [*words, "--", str(values["subject"]), *map(str, values.get("arguments", ()))]


ACTIONS = {
    "set": ("run", "changes", "step"),
    "stop": ("run",),
    "resume": ("run", "trust"),
    "rewind": ("run", "step", "changes", "trust"),
    "branch": ("run", "step", "changes", "name", "trust"),
    "fan": ("run", "step", "kind", "candidates", "count", "steps", "trust"),
}
"""What ``steer`` does, and which arguments are for it."""
NEEDED = {"set": ("changes",), "rewind": ("step",), "branch": ("step",), "fan": ("step",)}


def _steer_tool(name: str, verbs: Verbs) -> Tool:
    about = _(
        "Steer a run: set a hyper-parameter while it trains, stop it, resume it, go back to a step "
        "and on from there with changes (rewind: in its folder; branch: as a new run), or try many "
        "changes from a step side by side (fan), which writes nothing. The run's record says: by an "
        "agent."
    )
    changes = {each.name: each.schema for each in setting_arguments(OF_CHANGE, OF_FILES, described=False)}
    # others are numbers that the user's own optimizer alone has
    of_changes = {"type": "object", "properties": changes, "additionalProperties": {"type": "number"}}

    whole: Schema = {"type": "integer"}
    schemas: dict[str, tuple[str, Schema]] = {
        "action": (N_("what to do"), {"type": "string", "enum": list(ACTIONS)}),
        "run": (N_("its name in runs, its folder, or last"), {"type": "string"}),
        "step": (
            N_("the step to go on from; of set: the first step with the change, by default the next one"),
            whole | {"minimum": 0},
        ),
        "changes": (N_("settings, as train has them, and their new values"), of_changes),
        "name": (N_("of branch: the new run's name"), {"type": "string"}),
        "kind": (
            N_("of fan: tries of the learning rate, the seed or the batch size"),
            {"type": "string", "enum": ["lr", "seed", "batch_size"]},
        ),
        "candidates": (
            N_("of fan, in place of kind: the changes of each try, with the names that changes has"),
            {"type": "array", "items": {"type": "object"}},
        ),
        "count": (N_("of fan: how many tries of a kind; default: 8"), whole | {"minimum": 2}),
        "steps": (N_("of fan: how many steps each is trained; default: 100"), whole | {"minimum": 1}),
    }
    own = (
        Argument(each, schema | {"description": _(text)}, required=each in ("action", "run"))
        for each, (text, schema) in schemas.items()
    )
    return Tool(name, about, (*own, *verb_arguments(verbs["predict"], ("trust",))), _steer)


def _steer(tool: Tool, values: Arguments) -> list[str]:
    action = str(values["action"])
    if action not in ACTIONS:
        raise ACTION_UNKNOWN(action=action, hint=nearest(action, ACTIONS))
    for name in values:
        if name not in (*ACTIONS[action], "action"):
            raise ARGUMENT_OF_ACTION(action=action, name=name, names=", ".join(ACTIONS[action]))
    for name in NEEDED.get(action, ()):
        if name not in values:
            raise ACTION_NEEDS(action=action, name=name, names=", ".join(ACTIONS[action]))
    for name in ("kind", "count"):
        if "candidates" in values and name in values:
            raise FAN_OF_TWO(name=name)
    trust = ["--trust"] if values.get("trust") else []
    if action == "resume":
        return ["resume", "--json", *trust, "--", str(values["run"])]
    if action in ("rewind", "branch"):
        place = f"--{action}={values['run']}:{values['step']}"
        flags = change_flags(
            values.get("changes", {}) | ({"name": values["name"]} if "name" in values else {})
        )
        return ["train", "--json", place, "--sender=agent", *trust, *flags]
    return ["steer", "--json", "--", json.dumps(dict(values))]


def change_flags(changes: Arguments) -> list[str]:
    """Write changed settings as flags of a command line.

    Raises:
        TreinoError: an unknown setting.
    """
    known = {each.name: each for each in setting_arguments((*OF_CHANGE, "Run"), OF_FILES)}
    words: list[str] = []
    for name, value in changes.items():
        if name not in known:
            raise UNKNOWN_SETTING(name=name, hint=nearest(name, known))
        words += known[name].words(value)
    return words


# ---- all tools

TOOLS: dict[str, Callable[[str, Verbs], Tool]] = {
    "describe_data": partial(
        _verb_tool,
        verb="data",
        about=N_(
            "What is in a table or in photographs, and what is wrong with them; alone: the built-in data."
        ),
        take="""
            source target row_weights kinds delimiter decimal encoding header skip quote dates
            missing sheet split_group split_time split_column image_size fit labels class_pattern
            to replace
        """,
    ),
    "train": partial(
        _verb_tool,
        about=N_(
            "Train one network, or with seeds or folds several, and measure it. What is left open is "
            "decided from the data. The run is a folder in runs; a cancelled one is saved, and "
            "steer(action='resume') goes on with it."
        ),
        take="source seeds folds until to replace like weights trust",
        settings=("Data", *OF_TRAINING),
    ),
    "sweep": partial(
        _verb_tool,
        about=N_(
            "Train many networks with settings out of a space, keep the best, and say how much of its "
            "figure is luck. Settings are those of train."
        ),
        take="source space members strategy eta sampler sampler_seed max_time until top fresh",
        settings=("Data", *OF_TRAINING),
    ),
    "show": _show_tool,
    "predict": partial(
        _verb_tool,
        about=N_("Predict the rows of data by a run or by the best of a sweep, with probabilities."),
        take="run source to copy_to coverage tta skip_bad replace top net trust",
    ),
    "doctor": _doctor_tool,
    "explain": partial(
        _verb_tool,
        about=N_(
            "The arithmetic of a loss, an optimizer or back-propagation with numbers, on an example or "
            "on a weight of a run; without topic, the list of topics."
        ),
        take="topic run step weight member digits to replace trust",
    ),
    "steer": _steer_tool,
    "rows": partial(
        _verb_tool,
        about=N_(
            "Which rows may have a wrong label, which nothing learns, and which training rows made a "
            "prediction. It trains hundreds of small networks. Settings of the data are those of train."
        ),
        take="source of drop_suspects networks to replace",
        settings=("Data",),
    ),
    "judge": partial(
        _verb_tool,
        about=N_(
            "How much of the best of a search for settings is luck, whoever made the search: Optuna, Ray "
            "Tune, MLflow, W&B, scikit-learn, or a table of trials."
        ),
        take="trials study score maximize minimize seed_column fold_column row_column settings",
    ),
}
"""What makes each tool of its name and the functions of the commands, in the order in which agents read."""


def all_tools(verbs: Verbs) -> dict[str, Tool]:
    """Every tool by its name. verbs: the functions of the commands, by their names."""
    return {name: make(name, verbs) for name, make in TOOLS.items()}
