"""Settings and data: the first half of the program in plain PyTorch from which exported scripts are made.

In a script, names in capitals have its run's values, and branches that these exclude are left out: see
``folding``.
"""

import csv
import gzip
import hashlib
import io
import json
import math
import os
import re
import sys
import unicodedata
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.special import betaincinv

from treino.data.plain_cells import second_of
from treino.data.preparation.interpreter import results, side_by_side
from treino.data.preparation.trees import tree_answers, tree_tables
from treino.data.splits import split
from treino.data.table import plain
from treino.engine.augmentation import coarse, pixel_places, uniform, whole_below
from treino.engine.rng import mix

# ---- settings

# the networks' seeds
SEEDS = [0]
# for how many epochs each network is trained; 0: not at all
MEMBER_EPOCHS = []
SEED = 0  # the network's seed
DATA_SEED = 0  # seed of the rows' split and order
VALIDATION = 0.2  # the share of rows for validation
TEST = 0.2  # the share of rows for the test; the rest is for training
OWN_ROWS = 0  # rows from this index on are the source's own test rows
LR = 0.003
WARMUP = 0  # steps over which the learning rate rises to LR
WEIGHT_DECAY = 0.0
MOMENTUM = 0.0
BETAS = (0.9, 0.999)
EPS = 1e-8
GATES = 0.0  # an update moves a column's factor this many times as far as a weight
# for each input, the index of the factor that multiplies it
GATE_OF = []
# for some networks, the indices of the factors that stay 0: those of bins, or of decision trees
CLOSED_GATES = {}
# of each network, whether it sees nothing of decision trees
TREELESS = []
CLIP_INPUTS = 0.0  # normalised inputs are clipped to plus or minus this many standard deviations
# indices of the normalised inputs
NORMALISED = []
CLIP = 0.0  # the largest norm of a gradient
EMA = 0.0  # decay of the moving average of the weights; the average is evaluated and kept
LABEL_SMOOTHING = 0.0
CLASS_WEIGHTS = []
# for each network, the share of hidden units that a step drops
DROPOUTS = []
DROPOUT = 0.0  # the share of hidden units that a step drops
BATCH_SIZE = 32
SHIFT = 0  # largest shift of a training picture in an epoch, in pixels
CROP = 0.0  # largest share of a picture's sides that is left out
ROTATE = 0.0  # largest rotation of a picture, in degrees
FLIP = False  # whether every second picture is mirrored
BRIGHTNESS = 0.0  # largest value added to or taken from all pixels of a picture
CONTRAST = 0.0  # largest share by which the pixels' distance from the picture's mean grows or shrinks
CUTOUT = 0.0  # the side of a square that is set to 0, as a share of the picture's side
MIXUP = 0.0  # another picture is mixed in, with a share from Beta(MIXUP, MIXUP)
EPOCHS = 10
STEPS = 10  # updates
EVALUATE_EVERY = 1  # epochs; validated at most every 20 steps
PATIENCE = 0  # epochs without a better validation metric before the training stops
METRIC = "loss"  # the validation metric that selects the weights
LR_FROM = {}  # changed during training: {updates done: new value}
GROUP_FROM = {}  # changed during training: {updates done: new value}
CLIP_FROM = {}  # changed during training: {updates done: new value}
EMA_FROM = {}  # changed during training: {updates done: new value}
DROPOUT_FROM = {}  # changed during training: {updates done: new value}

TARGET = "target"
TARGETS = []  # the names of several targets; CLASSES then lists the classes of each
SIZES = []  # the number of outputs of each target
COLUMNS_OF = []  # for each target, the names of the columns of its predictions
CLASSES = ["0", "1"]
THRESHOLD = None  # the second class is predicted from this probability on
FEATURES = ["x1", "x2"]
COLUMNS = []
ITEM = ()  # the shape of a row
# for each column the steps from its cells to its inputs
PROGRAMS = []
# for each decision tree: its answer; its nodes' inputs; thresholds, or leaves' numbers; right parts
TREES = []
TREE_ANSWERS = 0
MISSING = ()
GAPS = ()  # words for a missing value in this table
MONTHS = {}
TRUTH = {}  # the words for true and false
TRUTHS = []  # the columns of these
MARKS = ()  # text around numbers, such as R$ or %
ENCODING = "utf-8-sig"
DELIMITER = ","
QUOTE = '"'
LABELS = []  # lines of units or words below the header
WEIGHTS = Path(__file__).with_suffix(".pt")
DATA = Path(__file__).with_suffix(".csv")
SHA256 = ""  # the table's hash
IDX = ""  # the folder of the files
NPZ = ""  # the file of the rows
FILES = ""  # a file beside this script, with each split's files and their targets
FOLDER = Path(__file__)  # the folder of the pictures
SHAPE = (1, 1, 1)  # a picture's channels, height and width
# mean and deviation of the training rows' inputs
MEAN = []
STD = []
TARGET_SCALE = (0.0, 1.0)  # mean and deviation of the training rows' target
QUANTILES = []  # shares of the targets that lie below each output
POINT = 0  # the output that is the prediction
DEVICE = "cpu"
THREADS = 1  # with another number, sums are added in another order, and last digits differ

# properties of the run; each decides whether a part of the program goes into the script
TRAINS = READS_TABLE = SHAPED = WEIGHTLESS = WEIGHTED = CHANGES = CHANGES_PICTURES = MOVES = False
COMMA = BOOLEAN = NUMBERED = False
IMAGES = NORMALISE = CROPS = PADS = False
OWN = LAZY = DROPS = CLIP_TARGET = LOG_TARGET = LOG_OUTPUT = SPREAD = OF_CLASSES = False
MISSING_ZERO_GRAD = SOFTMAX_FIRST = COUNTS_STEPS = UNFINISHED = FULL_BATCH = False
VALIDATES = TESTS = MAY_LACK = LESS_IS_BETTER = SELECTS = KEEPS_BEST = TOGETHER = False
SCHEDULED = CURVED = ON_DEVICE = CUDA = SHUFFLES_EACH = SHUFFLES_ONCE = SELDOM = THRESHOLDED = False


# ---- data


def told_apart(names):
    """Return the column names; repeated ones become a, a.1, a.2."""
    return [f"{name}.{names[:i].count(name)}" if name in names[:i] else name for i, name in enumerate(names)]


def read_csv(path):
    """The rows of a CSV file: dicts from column to text, each letter and its accents as one character."""
    with open(path, newline="", encoding=ENCODING) as file:
        text = io.StringIO(unicodedata.normalize("NFC", file.read()), newline="")
    if SHAPED:  # the header is the first line with all features; rows have as many cells
        lines = [list(map(str.strip, row)) for row in csv.reader(text, delimiter=DELIMITER, quotechar=QUOTE)]
        lines = [line for line in lines if (any(line) or len(line) > 1) and line not in LABELS]
        at = next((i for i, line in enumerate(lines) if {*FEATURES} <= {*told_apart(line)}), None)
        if at is None:
            sys.exit(f"no line of {path} names all features: {FEATURES}")
        names = told_apart(lines[at])
        if at + 1 < len(lines) and len(lines[at + 1]) == len(names) + 1:  # an unnamed index column, as in R
            names = ["", *names]
        return [dict(zip(names, line, strict=True)) for line in lines[at + 1 :] if len(line) == len(names)]
    reader = csv.DictReader(text, delimiter=DELIMITER)
    return [{name.strip(): (cell or "").strip() for name, cell in row.items()} for row in reader]


def number(cell, grouped=False):
    """A number as it is written in the table; NaN for a cell without a value, None for one that is no number.

    grouped: whether the table groups thousands in this column, so that 1,234 is not a decimal.
    """
    if cell.lower() in MISSING or cell in GAPS:
        return math.nan
    for mark in MARKS:
        cell = cell.replace(mark, "")
    if cell[:1] in ("(", "−", "–") or cell[-1:] == "-":
        cell = "-" + cell.strip("()−–-")
    if COMMA:
        cell = cell.translate(str.maketrans(",.", ".,"))
    whole, point, fraction = cell.partition(".")
    groups = whole.count(",") + bool(point) > 1 or grouped
    if "," in cell and not (groups and re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{2,3})*,\d{3}", whole)):
        return None
    digits = whole.replace(",", "") + point + fraction
    return float(digits) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", digits, re.A) else None


def numbers(cells, column):
    """The number in each cell, NaN for a gap; truth values are 1 and 0. Refuses any other cell."""
    values = [number(cell, "grouped" in column) for cell in cells]
    name, what = column["column"], "a number as in the training rows"
    if TRUTHS and name in TRUTHS:
        what = "true or false"
        values = [v if v != v else TRUTH.get(cell.lower()) for v, cell in zip(values, cells, strict=True)]
    if None in values:
        row = values.index(None)
        sys.exit(f"Column '{name}' holds '{cells[row]}' in row {row}, which is not {what}")
    return values


def second(cell, column):
    """Seconds from 1970 to a date and time, or from midnight to a time of day; NaN without one."""
    if cell.lower() in MISSING or cell in GAPS:
        return math.nan
    value = second_of(cell, column["pattern"], column["order"], column["short"])
    if value is None and re.search(r"\d", cell):
        sys.exit(f"Column '{column['column']}' holds '{cell}', which is no date or time as in the table")
    return math.nan if value is None else value


def read_cells(cells, column):
    """What the first step of a column's program reads: numbers, NaN for gaps; or words, "" for gaps."""
    first = column["steps"][0]
    if first["do"] == "number":
        return np.array(numbers(cells, column), dtype=float)
    if first["do"] == "seconds":
        return np.array([second(cell, column) for cell in cells], dtype=float)
    if not first["numeric"]:
        return np.array(["" if cell in GAPS else cell for cell in cells], dtype=object)
    values = [number(cell, "grouped" in column) for cell in cells]  # 1, 01 and 1.0 are the same class
    words = [cell if v is None else "" if v != v else plain(v) for cell, v in zip(cells, values, strict=True)]
    return np.array(words, dtype=object)


# the function of each operation that the columns' programs have
OPERATIONS = {}


def inputs_of(cells, column):
    """[N, K]: the inputs that a column's program makes of its cells."""
    made = results(read_cells(cells, column), column["steps"], OPERATIONS)
    return side_by_side(made, column["shown"])


def features_of(rows):
    """[N, D] float64: the feature columns."""
    missing = [name for name in FEATURES if rows and name not in rows[0]]
    if missing:
        sys.exit(f"Columns are missing: {', '.join(missing)}")
    if PROGRAMS:
        inputs = [inputs_of([row[c["column"]] for row in rows], c) for c in PROGRAMS]
        if TREES:
            raw = np.hstack(inputs)
            return np.hstack([raw, tree_answers(raw, tree_tables(TREES), TREE_ANSWERS)])
        return np.hstack(inputs)
    values = [numbers([row[name] for row in rows], {"column": name}) for name in FEATURES]
    return np.array(values).T.reshape(-1, len(FEATURES))


def read_idx(name):
    """The values of an IDX file in $TREINO_DATA or treino's cache: [N, values of one item] bytes.

    The format: http://yann.lecun.com/exdb/mnist
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "treino", IDX)
    folders = [Path(os.environ.get("TREINO_DATA", ""), IDX), cache]
    spellings = [name + ending for name in (name, name.replace("-idx", ".idx")) for ending in (".gz", "")]
    paths = [folder / s for folder in folders for s in spellings if (folder / s).is_file()]
    if not paths:
        sys.exit(f"{name}.gz is neither in {folders[0]} nor in {folders[1]}")
    content = paths[0].read_bytes()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    axes = content[3]
    count = int.from_bytes(content[4:8], "big")
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes).reshape(count, -1)


def orientation(image):
    """Return a picture's orientation by its EXIF data: 1 for upright. Pillow turns a TIFF by itself."""
    try:
        return 1 if image.format == "TIFF" else int(image.getexif().get(0x0112, 1))
    except Exception:  # damaged metadata, which the pixels don't need
        return 1


def picture(path):
    """The pixels of a picture, upright, in the network's size and colours: [C * H * W] bytes."""
    channels, height, width = SHAPE
    mode = "L" if channels == 1 else "RGB"
    try:
        with path.open("rb") as file:
            image = Image.open(file, formats=("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"))
            if image.width * image.height > 80_000_000:
                raise ValueError("more than 80 million pixels")
            if image.format == "JPEG":  # a halved size is enough, if it isn't too small
                lies = orientation(image) >= 5
                across = (height, width) if lies else (width, height)
                sides = across[0] / image.width, across[1] / image.height
                enough = (min if PADS else max)(sides)
                image.draft(mode, (math.ceil(image.width * enough), math.ceil(image.height * enough)))
            image.load()
            turn = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}.get(orientation(image))
            if turn is not None:
                image = image.transpose(turn)
            clear = image.info.get("transparency")
            if image.mode.startswith(("I", "F")):  # 16 bits
                values = np.asarray(image)
                if image.mode == "F" or values.min() < 0 or values.max() > 65_535:
                    raise ValueError("pixels that are no numbers of 16 bits")
                upper = (values >> 8).astype(np.uint8)
                image = Image.fromarray(np.where(values == clear, np.uint8(255), upper))
            elif isinstance(clear, tuple) and max(clear) > 255:
                image.info["transparency"] = tuple(value >> 8 for value in clear)
    except Exception as error:
        sys.exit(f"{path} can't be read as a picture: {error}")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert(mode)
    if CROPS:
        ratio = max(width / image.width, height / image.height)
        left = max(0.0, (image.width - width / ratio) / 2)
        top = max(0.0, (image.height - height / ratio) / 2)
        box = (left, top, image.width - left, image.height - top)
        image = image.resize((width, height), Image.Resampling.BILINEAR, box)
    elif PADS:
        ratio = min(width / image.width, height / image.height)
        inner = max(1, round(image.width * ratio)), max(1, round(image.height * ratio))
        image = image.resize(inner, Image.Resampling.BILINEAR)
        whole = Image.new(mode, (width, height))
        whole.paste(image, ((width - inner[0]) // 2, (height - inner[1]) // 2))
        image = whole
    else:
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(image).reshape(height, width, channels)
    return pixels.transpose(2, 0, 1).reshape(-1)


def pictures_in(path):
    """Return the picture files in a folder, or the one file at this path."""
    if not path.is_dir():
        return [path]
    endings = (".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".gif", ".tif", ".tiff")
    files = [p for p in path.rglob("[!.]*") if p.suffix.lower() in endings]
    files = [p for p in files if not any(part.startswith(".") for part in p.relative_to(path).parts)]
    return sorted(files, key=lambda p: p.relative_to(path).as_posix())


def fitted_scale():
    """Return mean and deviation of the inputs in the training rows; inf for a column that never changes."""
    scale = {"mean": torch.tensor(MEAN, dtype=torch.float64), "std": torch.tensor(STD, dtype=torch.float64)}
    scale["std"][scale["std"] == 0] = math.inf
    return scale


def load_pictures():
    """Return (x, y) of each split, and the scale: mean and deviation of the training pictures' pixels."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    listed = json.loads(Path(__file__).with_name(FILES).read_text("utf-8"))
    raw = {name: np.stack([picture(folder / file) for file in files]) for name, files in listed.items()}
    scale, splits = {}, {}
    if NORMALISE:
        scale = fitted_scale()
    if not CLASSES:
        scale["target"] = TARGET_SCALE
    for name, files in listed.items():
        targets = list(files.values())
        if CLASSES and OF_CLASSES:
            y = np.array([CLASSES.index(target) for target in targets])
        elif CLASSES:
            y = np.array([[CLASSES.index(target)] for target in targets], dtype=np.float32)
        else:
            mean_y, std_y = TARGET_SCALE
            y = ((np.array(targets)[:, None] - mean_y) / std_y).astype(np.float32)
        splits[name] = prepare(raw[name], scale), torch.from_numpy(y)
    return splits, scale


def load():
    """Return raw [N, D] in the data's own units, and each row's class number or the number to predict."""
    if IDX:
        raw = np.concatenate([read_idx(f"{part}-images-idx3-ubyte") for part in ("train", "t10k")])
        label = np.concatenate([read_idx(f"{part}-labels-idx1-ubyte")[:, 0] for part in ("train", "t10k")])
        return raw, label.astype(int)
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        print(f"{path} is not the table of the run: other numbers will come out", file=sys.stderr)
    rows = [row for row in read_csv(path) if any(row.values())]
    if CLASSES and NUMBERED:
        classes = [float(name) for name in CLASSES]
        return features_of(rows), np.array([classes.index(float(row[TARGET])) for row in rows])
    if CLASSES and BOOLEAN:
        lower = [name.lower() for name in CLASSES]
        return features_of(rows), np.array([lower.index(row[TARGET].lower()) for row in rows])
    if CLASSES:
        return features_of(rows), np.array([CLASSES.index(row[TARGET]) for row in rows])
    if BOOLEAN:
        return features_of(rows), np.array(numbers([row[TARGET] for row in rows], {"column": TARGET}))
    return features_of(rows), np.array([float(row[TARGET]) for row in rows])


def prepare(raw, scale):
    """The network's inputs, float32: pixels divided by 255, numbers standardised by ``scale``."""
    x = torch.as_tensor(raw)
    if IMAGES:
        x = x.double() / 255
    if NORMALISE:
        x = (x - scale["mean"]) / scale["std"]
    if CLIP_INPUTS:
        x[:, NORMALISED] = x[:, NORMALISED].clamp(-CLIP_INPUTS, CLIP_INPUTS)
    if ITEM:
        x = x.reshape(len(x), *ITEM)
    return x.float()


def load_splits():
    """Return (x, y) of each split, and the scale: mean and deviation of the training rows."""
    if FILES:
        return load_pictures()
    scale = {}
    if NPZ:
        rows = np.load(Path(__file__).with_name(NPZ))  # prepared rows, stored with the script
        names = [name for name in ("train", "validation", "test") if f"x_{name}" in rows]
        splits = {name: (torch.tensor(rows[f"x_{name}"]), torch.tensor(rows[f"y_{name}"])) for name in names}
        if WEIGHTED:
            # y is a pair here: the targets, and how much each row counts
            splits = {name: (x, (y, torch.tensor(rows[f"weight_{name}"]))) for name, (x, y) in splits.items()}
        if NORMALISE:
            scale = {"mean": torch.tensor(rows["mean"]), "std": torch.tensor(rows["std"])}
        if not CLASSES:
            scale["target"] = tuple(rows["target"].tolist())
        return splits, scale
    raw, y = load()
    if COLUMNS:
        raw = np.ascontiguousarray(raw[:, COLUMNS])
    seen = {}  # equal rows go to one split, or test rows would also be training rows
    first = np.array([seen.setdefault(row.tobytes(), i) for i, row in enumerate(raw + 0)])
    if OWN_ROWS:
        part = split(first[:OWN_ROWS], y[:OWN_ROWS], VALIDATION, 0.0, DATA_SEED)
        part[np.isin(first[:OWN_ROWS], first[OWN_ROWS:])] = -1  # leave out rows that are also test rows
        part = np.append(part, np.full(len(raw) - OWN_ROWS, 2))
    elif CLASSES:
        part = split(first, y, VALIDATION, TEST, DATA_SEED)
    else:
        part = split(first, np.zeros(len(y), dtype=int), VALIDATION, TEST, DATA_SEED)
    if NORMALISE:
        scale = fitted_scale()
    if CLASSES and not OF_CLASSES:
        y = y[:, None].astype(np.float32)
    elif not CLASSES:
        scale["target"] = TARGET_SCALE
        y = ((y[:, None] - scale["target"][0]) / scale["target"][1]).astype(np.float32)
    parts = {name: part == k for k, name in enumerate(("train", "validation", "test"))}
    return {name: (prepare(raw[p], scale), torch.from_numpy(y[p])) for name, p in parts.items()}, scale


# ---- pictures that change


def hash_of(rows, epoch):
    """Return, for each of these rows, 64 bits that decide how its picture is changed in an epoch."""
    return mix(mix(mix(torch.tensor(DATA_SEED)) + (epoch - 1)) + rows)


def mixed(x, x_train, hashed):
    """Mix in other training pictures. Instead of a share from Beta(a, a) and mixed targets, use one from
    Beta(a + 1, a) and the row's own target, which has the same gradient on average."""
    shares = torch.from_numpy(betaincinv(MIXUP + 1, MIXUP, (np.arange(1024) + 0.5) / 1024))
    drawn = mix(hashed + 7)
    share = ((shares * 2**16).round() / 2**16)[whole_below(1024, drawn >> 32)]
    share = share.float().view(-1, 1, 1, 1).to(x.device)
    return share * x + (1 - share) * x_train[whole_below(len(x_train), drawn).to(x.device)]


def moves(hashed, height, width):
    """Return where the pictures' pixels come from, for ``resampled``."""
    parts = {}
    if SHIFT:
        parts["down"] = whole_below(2 * SHIFT + 1, hashed >> 32) - SHIFT
        parts["right"] = whole_below(2 * SHIFT + 1, hashed) - SHIFT
    if FLIP:
        parts["sign"] = 1 - 2 * (uniform(hashed, 1)[0] * 2).floor()
    if CROP:
        u = uniform(hashed, 2)
        room = CROP * u[0]
        parts |= {"scale": 1 - room, "top": room * (height - 1) * u[1], "left": room * (width - 1) * u[2]}
    if ROTATE:
        angle = math.radians(ROTATE) * (2 * uniform(hashed, 3)[0] - 1)
        parts |= {"cosine": coarse(angle.cos()), "sine": coarse(angle.sin())}
    place = torch.zeros(6, len(hashed))
    for k, column in enumerate(pixel_places(height, width, **parts)):
        place[k] = column
    return place


def toned(x, hashed):
    """Return the pictures with changed brightness and contrast."""
    contrast = 1 + CONTRAST * (2 * uniform(hashed, 5)[0] - 1)
    brightness = BRIGHTNESS * (2 * uniform(hashed, 4)[0] - 1)
    contrast, brightness = (t.float().view(-1, 1, 1, 1).to(x.device) for t in (contrast, brightness))
    mean = x.mean((1, 2, 3), keepdim=True)
    return (x - mean) * contrast + (mean + brightness)


def square(hashed, height, width):
    """Return top, left, bottom and right of a square in each picture, for ``cut_out``."""
    side = max(1, round(CUTOUT * min(height, width)))
    u = uniform(hashed, 6)
    top, left = (u[0] * height).floor() - side // 2, (u[1] * width).floor() - side // 2
    return torch.stack([top, left, top + side, left + side])
