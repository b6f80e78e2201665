"""The options of sweeps, studies and clusters: declares once each option's type, range, default and help.

The flags of the command line, tools for agents, a sweep's folder and its report derive from these tables,
as those of a training follow from ``spec.py``.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from treino.base.option_marks import CODE, NETWORK, PLAIN, READ, WRITE
from treino.settings.data_settings import declared
from treino.settings.setting_types import Float, Int, explained
from treino.settings.spec import is_plain_row


class Options(BaseModel):
    """Options of a verb, besides the settings of the networks that it trains."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


Table = TypeVar("Table", bound=Options)


class SweepOptions(Options):
    """How a sweep samples, compares and judges its networks."""

    members: Int = declared(256, "how many networks; default: 256", ge=1, le=10_000_000)
    strategy: Literal["none", "halving", "hyperband"] = declared(
        "halving", "none, halving (default) or hyperband: who trains to the end"
    )
    eta: Int = declared(3, "one network in so many goes on; default: 3", ge=2, le=1_000_000)
    sampler: Literal["grid", "random", "sobol", "tpe"] = declared(
        "sobol", "grid, random, sobol (default) or tpe (Optuna)"
    )
    sampler_seed: Int = declared(0, "seed of the sampler; default: 0", ge=0, le=2**63 - 1)
    max_time: Float | None = declared(None, "seconds of training; the best so far is kept", gt=0)
    until: Annotated[Any, PLAIN] = declared(None, "enough, e.g. accuracy=0.95 on validation rows")
    top: Int = declared(10, "how many networks are kept; default: 10", ge=1, le=10_000_000)
    fresh: Int = declared(16, "fresh seeds and splits that the judge trains; default: 16", ge=0, le=1_000_000)
    storage: Annotated[str | None, CODE | READ | WRITE | NETWORK] = declared(
        None, "where Optuna keeps its trials, e.g. sqlite:///sweep.db"
    )


class SweepPlan(SweepOptions):
    """The options of a sweep as its folder keeps them.

    until: a validation metric and its target value. spread: select no winner, and report how metrics vary;
    ``until`` then ends nothing, but steps to it are counted. ensemble: the number of places in the ensemble
    that predicts; 1: the winner predicts alone.
    """

    until: tuple[str, float] | None = Field(None, strict=False)
    spread: bool = False
    ensemble: Int = Field(1, ge=1, le=256)


class StudyOptions(Options):
    """What a study compares."""

    batch_sizes: Annotated[Any, PLAIN] = declared(
        None, "batch sizes to compare; default: 100,20,5 where nothing else is compared"
    )
    until: Annotated[Any, PLAIN] = declared(
        None,
        "count the epochs to loss=1.6 (of training rows), accuracy=0.9 (of validation rows) or both, a comma "
        "between; a bare number is a loss",
    )
    cells: Annotated[Any, (CODE | READ | WRITE).unless(is_plain_row)] = declared(
        (),
        "one more row with settings of its own, several times: batch_size=5,lr=1e-6,weight_decay=5e-6",
        json_schema_extra={"flag": "--cell"},
    )
    compare: Annotated[Any, PLAIN] = declared(
        (), "settings to set to all of their values: normalise, batch_norm, shuffle, impute, optimizer"
    )
    seeds: Int = declared(1, "networks of each row, e.g. 3; default: 1", ge=1)


class ClusterOptions(Options):
    """The cluster that trains."""

    on: Annotated[str | None, NETWORK] = declared(
        None, "train on a cluster: ray (RAY_ADDRESS, else this machine's), or ray://HOST:PORT"
    )
    gpus_per_chunk: Float | None = declared(
        None, "GPUs for each of a cluster's tasks; default: none, a processor", gt=0
    )


HERE = ClusterOptions()
"""No cluster: this process trains."""


def read_options(table: type[Table], values: Mapping[str, Any]) -> Table:
    """Check a verb's options, as typed or as given in Python; those that are None are left unset.

    Raises:
        TreinoError: a wrong type, a value out of range, or an unknown choice (with the nearest).
    """
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return table.model_validate(given)
    except ValidationError as error:
        raise explained(error.errors()[0], given, table, "unknown") from None
