"""The settings that describe the network, which are the second group of the table of settings."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator

from treino.base.option_marks import CODE, READ
from treino.base.own_objects import is_own
from treino.settings import setting_types
from treino.settings.data_settings import declared
from treino.settings.network_call import NetworkCall
from treino.settings.setting_types import Counts, Float, Int, Layers, Strings, Word

NetKind = Literal["mlp", "cnn", "file", "given"]
LAYERS = ("mlp", "cnn")  # values of ``net`` that name treino's own layers, not a file
OF_CNN = ("channels", "kernel", "stride", "padding", "pool", "head", "blocks", "group_norm")


class NetworkSettings(BaseModel):
    """The network, treino's own or the user's; and how many of them answer together."""

    recipe: Literal["table", "plain"] | None = declared(
        None,
        "what is taken for settings that are left open: table, an ensemble that was "
        "measured on tables, or plain, one simple network; default: table for one training on a table of "
        "your own, plain for all else",
    )
    net: Annotated[
        str | None, BeforeValidator(setting_types.path), (CODE | READ).unless(LAYERS.__contains__)
    ] = declared(
        None,
        "mlp (layers of units), cnn (convolutions, for pictures), or your own network: "
        "FILE.py:NAME (an nn.Module, its class or a function that makes one), with arguments "
        "FILE.py:NAME(width=16); default: cnn for pictures of 8 "
        "pixels and more; mlp for all else, in studies, with faults, and where --hidden is given alone",
    )
    hidden: Layers | None = declared(
        None,
        "units of the hidden layers, e.g. 64,32; 'none' for a linear network; "
        "default: 64,32 for tables, 128,128 for images, after convolutions 64 where --channels is left open "
        "too, else none. Alone, without --net, it asks for an mlp, of images too",
    )
    channels: Layers | None = declared(
        None,
        "channels of each stage of convolutions (asks for --net cnn); default: with pools, first kernel "
        "and stride by the size of the pictures, and with 4 groups of group norm and dropout 0.3",
    )
    kernel: Layers | None = declared(
        None, "size of the kernels: 1, 3, 5 or 7; one for all stages, or for each; default: 3"
    )
    stride: Layers | None = declared(
        None, "steps by which the kernels move; one for all stages, or for each; default: 1"
    )
    padding: Annotated[Counts | Literal["same"] | None, BeforeValidator(setting_types.padding)] = declared(
        None,
        "zeros around the pictures: one number for all stages, or for each; default: same, "
        "half the kernel, so that a stride of 1 keeps the size",
    )
    pool: Strings | None = declared(
        None,
        "what each stage ends with, of squares of two by two: max (default), average or "
        "none; one for all stages, or for each",
    )
    head: Literal["flatten", "average"] | None = declared(
        None,
        "what the linear layers get of the last stage: all numbers (flatten, default), or "
        "each channel's mean (average)",
    )
    blocks: Int | None = declared(
        None, "residual blocks of two convolutions in each stage; default: 0", ge=0, le=50
    )
    group_norm: Int | None = declared(
        None,
        "groups of channels that are normalised together after each convolution; default: none",
        ge=0,
        le=setting_types.LARGEST_LAYER,
    )
    activation: Word | None = declared(None, "activation between layers; default: relu")
    dropout: Float | None = declared(None, "share of units dropped while training", ge=0, lt=1)
    dropout_spread: bool = declared(
        False, "networks of an ensemble drop shares of their own, spread evenly up to --dropout"
    )
    batch_norm: bool = declared(
        False, "batch normalisation after every hidden layer, or after every convolution"
    )
    gates: Float = declared(
        0.0,
        "learn a factor for each column of the table, which an update moves so many times as "
        "far as a weight, e.g. 6; 0: none",
        ge=0,
        le=1000,
    )
    plain_members: Int = declared(
        0, "so many networks of an ensemble see no bins of the columns (needs --gates)", ge=0
    )
    init: Word | None = declared(None, "initialisation of the weights; default: torch's own")
    ensemble: Int = declared(
        1,
        "networks that are trained side by side, from seeds derived from the seed, and "
        "answer together: the mean of the best half by the validation metric",
        ge=1,
        le=256,
    )
    clip_target: bool = declared(
        False, "numbers that an ensemble answers stay within the range of the training rows'"
    )

    @property
    def net_file(self) -> str | None:
        """FILE.py:NAME of the user's own network, or the name of one given in Python; None for treino's own
        layers."""
        return None if self.net is None or self.net in LAYERS else NetworkCall.read(self.net).of

    @property
    def net_arguments(self) -> Mapping[str, Any]:
        """The arguments with which the user's own network is made."""
        return {} if self.net is None else NetworkCall.read(self.net).arguments

    @property
    def net_kind(self) -> NetKind:
        """Which layers are trained: treino's own, or a network of a file, or one given in Python."""
        if self.net is None or self.net in LAYERS:
            return "cnn" if self.net == "cnn" else "mlp"
        return "given" if is_own(self.net_file) else "file"
