"""The first part of the table of settings: how rows are read, split and prepared."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from treino.base.option_marks import PLAIN
from treino.settings import setting_types
from treino.settings.setting_types import FilePath, Float, ImageSize, Int, Name, Pairs, Share, Strings, Word

ALBUM = ("photographs",)
TABLES, FILES = ("table", "file"), ("file", "labels")


def declared(default: Any, about: str, readers: tuple[str, ...] = (), **limits: Any) -> Any:
    """A setting. about: its help. readers: the kinds of sources that read it, of ``source_kinds.SOURCES``;
    (): all. limits: limits of pydantic's ``Field``, such as ``ge=0``."""
    if readers:
        limits["json_schema_extra"] = {"readers": [*readers]}
    return Field(default, description=about, **limits)


Impute = Literal["median", "mean"]
InputForm = Literal["plain", "bins"]
Fit = Literal["crop", "pad", "stretch"]
MOST_BINS, MOST_TREES = 1000, 1000


class LoadSettings(BaseModel):
    """The settings that decide which rows are prepared, and how: a folder's documents keep them."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=False, arbitrary_types_allowed=False
    )

    target: Name = declared(
        None, "column to predict (of a table), or several: a,b", readers=(*TABLES, "items", *ALBUM)
    )
    features: Strings | None = declared(
        None, "columns to learn from, comma-separated; default: all others", readers=(*TABLES, "items")
    )
    task: Literal["classification", "regression"] | None = declared(
        None, "classification or regression; default: from the target"
    )
    normalise: bool = declared(True, "bring every column to mean 0 and deviation 1, as on training rows")
    kinds: Pairs = declared(
        (),
        "what columns are, where it is mistaken: 'month=category,size=small<large'; "
        "number, boolean, category, one-hot, hashed, date, identifier, text, out (left out)",
        readers=TABLES,
    )
    impute: Impute = declared(
        "median", "what stands for a missing number: the training rows' median or mean", readers=TABLES
    )
    inputs: InputForm = declared(
        "plain",
        "what the network sees of a number: itself (plain), or also how far up it lies in "
        "each of --bins bins between the training rows' quantiles (bins)",
        readers=TABLES,
    )
    bins: Int = declared(16, "bins of each number, with --inputs bins", ge=2, le=MOST_BINS, readers=TABLES)
    clip_inputs: Float | None = declared(
        None, "normalised numbers go so many deviations from their mean at most, e.g. 5", gt=0, readers=TABLES
    )
    target_means: bool = declared(
        False,
        "the network also sees the target's mean over the training rows with the same number, "
        "or with the same of very many classes, where such means tell more than bins do",
        readers=TABLES,
    )
    trees: Int = declared(
        0,
        "the network also sees what boosted decision trees answer, so many of them at most; "
        "a training row gets the answer of trees of other training rows",
        ge=0,
        le=MOST_TREES,
        readers=TABLES,
    )
    log_target: bool | None = declared(
        None,
        "learn the logarithm of a target above 0, so that errors count by their ratio; default: no, except "
        "for one training by the recipe table on a skewed target, where a short trial decides",
        readers=TABLES,
    )
    validation: Share | None = declared(0.15, "share of rows that choices look at, or a file of them")
    test: Share | None = declared(0.15, "share of rows held back for one final figure, or a file of them")
    split_group: Name = declared(
        None,
        "column whose groups are never parted (a person, a place); "
        r"of photographs also a regular expression of their names: 'patient-(\d+)'",
        readers=(*TABLES, *ALBUM),
    )
    split_time: Name = declared(
        None,
        "column of times: the earliest rows, or groups, train, the latest test",
        readers=(*TABLES, *ALBUM),
    )
    split_column: Name = declared(
        None, "column that says of each row: train, validation or test", readers=(*TABLES, *ALBUM)
    )
    fold: Word | None = declared(
        None, "test on one fold of scikit-learn's (Stratified)KFold: 2/5 is the second of five"
    )
    duplicates: Literal["apart", "ignore"] | None = declared(
        None,
        "rows equal in all features: none on two sides of the split (apart), or not looked at "
        "(ignore); default: apart where the split is drawn, but for rows that return by nature, as of few "
        "values do; else counted and left as they are given",
    )
    row_weights: Name = declared(
        None,
        "column that says how much each row counts, and is no feature: 2 counts as two equal "
        "rows, 0 leaves the row out; COLUMN=0: an empty cell is a 0",
        readers=TABLES,
    )
    image_size: ImageSize | None = declared(
        None,
        "pixels that photographs are brought to: 64 for squares, or width x height, 96x64; "
        "default: their own size where all have the same and it is at most 64, else a square of at most 64",
        readers=ALBUM,
    )
    fit: Fit = declared(
        "crop",
        "how a photograph of other proportions is brought to them: its middle (crop), whole "
        "with black borders (pad), or stretched",
        readers=ALBUM,
    )
    skip_bad: Int = declared(
        0, "go on without so many photographs that can't be read, at most; each is named", ge=0, readers=ALBUM
    )
    labels: FilePath | None = declared(
        None, "table of photographs' names and labels, where it isn't the only one among them", readers=ALBUM
    )
    class_pattern: Word | None = declared(
        None,
        r"regular expression whose group is the class in a photograph's name: '(\w+)-\d+'; "
        "default: a usual form such as cat.12.jpg, where neither folders nor a table tell classes",
        readers=ALBUM,
    )


class DataSettings(LoadSettings):
    """All settings of data: also how much memory its rows may take, and the format of its file."""

    max_memory: Annotated[str | None, BeforeValidator(setting_types.size), PLAIN] = declared(
        None,
        "memory that a file's rows may take, e.g. 2GB; more are prepared into a folder beside "
        "the runs and read from there; default: half of what is free",
        readers=(*TABLES, *ALBUM),
    )
    delimiter: Word | None = declared(
        None, "what separates the cells of the file; default: found out", readers=FILES
    )
    decimal: Word | None = declared(
        None, "decimal sign of the file, point or comma; default: found out", readers=(*TABLES, "labels")
    )
    encoding: Word | None = declared(None, "encoding of the file; default: found out", readers=FILES)
    header: Annotated[Literal["yes", "no"] | None, BeforeValidator(setting_types.yes)] = declared(
        None, "whether the first line names the columns: yes or no; default: found out", readers=FILES
    )
    skip: Int | None = declared(
        None, "number of lines, or rows of a sheet, above the header; default: found out", ge=0, readers=FILES
    )
    quote: Word | None = declared(None, "what encloses cells of the file; default: found out", readers=FILES)
    dates: (
        Literal[
            "day/month", "month/day", "day/month/year", "month/day/year", "year/month/day", "year/day/month"
        ]
        | None
    ) = declared(
        None,
        "order of dates: day/month, month/day, year/month/day or year/day/month; default: found out",
        readers=(*TABLES, "labels"),
    )
    missing: Strings | None = declared(
        None, "words for no value, beside the usual ones: suppressed,-999", readers=(*TABLES, "labels")
    )
    sheet: Word | None = declared(
        None,
        "sheet of a workbook, by its name or its number from 1; default: the first shown that has cells",
        readers=FILES,
    )


OF_FORMAT = tuple(
    name for name in DataSettings.model_fields if name not in (*LoadSettings.model_fields, "max_memory")
)
"""The settings that describe a file's format."""
READERS: dict[str, tuple[str, ...]] = {
    name: tuple(field.json_schema_extra["readers"])  # type: ignore[arg-type]
    for name, field in DataSettings.model_fields.items()
    if isinstance(field.json_schema_extra, dict)
}
"""The kinds of sources that read a setting, for those that not all read."""
