"""Template of the exported script, first half: settings, random numbers and data. See ``script_template``."""
# ruff: noqa: E501  (the conditions at the ends of lines are no part of the script)

HEAD = r'''
"""$title

$usage
#[ trains

The last line that training prints is JSON: `loss` and `losses`, the mean training loss of the last and of
all epochs, and `test`, the figures on test rows.
#]
$notes  #? notes
"""

# ---- settings

SEEDS = $seeds  #? together
SEED = SEEDS[0]  # $seed_of, in the network that is in training  #? together
SEED = $seed  # $seed_of  #? !together
DATA_SEED = $data_seed  # $data_seed_of
VALIDATION, TEST = $validation, $test  # shares of the rows; the rest is for training  #? shares
VALIDATION = $validation  # share of the training rows; the test rows are the source's own  #? official
LR = $lr
WARMUP = $warmup  # steps over which the learning rate rises to LR  #? warmup
WEIGHT_DECAY = $weight_decay  #? weight_decay
MOMENTUM = $momentum  #? momentum
BETAS = $betas  #? betas
EPS = $eps  #? eps
GATES = $gates  # how many times as far as a weight an update moves a column's factor  #? gated
GATE_OF = $gate_of  # the number of each input's factor  #? gated
PLAIN_MEMBERS = $plain_members  # the networks that see no bins  #? plain
BIN_GATES = $bin_gates  # the factors of bins  #? plain
CLIP_INPUTS = $clip_inputs  # deviations from its mean that a normalised number goes at most  #? clipped
NORMALISED = $normalised  # the inputs that are  #? clipped
CLIP = $clip  # the largest norm of a gradient  #? clip
EMA = $ema  # what each update leaves of the running average of the weights, which is evaluated and kept  #? ema
LABEL_SMOOTHING = $label_smoothing  #? label_smoothing
CLASS_WEIGHTS = $class_weights  #? class_weights
# the share of hidden units that a step leaves out, of each network  #? spread
DROPOUTS = $dropouts  #? spread
DROPOUT = DROPOUTS[0]  #? spread
DROPOUT = $dropout  # the share of hidden units that a step leaves out  #? dropout !own !spread
BATCH_SIZE = $batch_size  #? batches
STEPS = $steps  #? unfinished
EPOCHS = $epochs  # the last one is not whole  #? unfinished
EPOCHS = $epochs  #? !unfinished
STEPS = EPOCHS * $steps_per_epoch  # updates  #? curved !unfinished
EVALUATE_EVERY = $evaluate_every  # epochs; validated at most every 20 steps  #? evaluates_rarely
PATIENCE = $patience  # epochs without a better validation $metric_name before it stops  #? patience
$changes  #? changes

TARGET = $target  #? csv
CLASSES = $classes  #? classes
THRESHOLD = $threshold  # from this probability on the second is predicted  #? threshold
FEATURES = $features
COLUMNS = $columns  #? subset
ENCODERS = $encoders  #? encoded
MISSING = $missing  #? encoded
TRUTH = $truth_words  #? encoded truth
WEIGHTS = Path(__file__).with_suffix(".pt")
DATA = Path(__file__).resolve().parent.parent / $source  #? csv
SHA256 = $sha256  # of the table  #? csv
DEVICE = $device if torch.$backend.is_available() else "cpu"  #? device

torch.set_num_threads($threads)  # another number of threads adds up in another order: other last digits
torch.backends.cudnn.allow_tf32 = False  # float32 means float32  #? cuda


def generator(seed, purpose, epoch=0):
    """Random numbers that depend on these three alone, so that no use disturbs another."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{epoch}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
#[ mix


def mix(x):
    """Stir 64 bits: the finaliser of splitmix64 (Steele, Lea & Flood 2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def as_uint64(x):
    """An integer modulo 2⁶⁴, as an array, where NumPy's arithmetic wraps around."""
    return np.array([x % 2**64], dtype=np.uint64)
#]
#[ own


def step_seed(step):
    """The seed of what the network itself draws in a step."""
    return int(mix(mix(as_uint64(SEED * 0x632BE59BD9B4E019 + step)))[0]) >> 1
#]
'''

DATA = r'''
#[ csv


def read_csv(path):
    """The rows of a CSV file: dicts from column to text."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file$delimiter)
        return [{name.strip(): cell.strip() for name, cell in row.items()} for row in reader]


def features_of(rows):
    """[N, D] float64: the columns that are learnt from."""
#]
#[ !csv !encoded


def read_csv(path):
    """[N, D] float64: the columns that were learnt from, out of a CSV file."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
#]
#[ !encoded
    missing = [name for name in FEATURES if rows and name not in rows[0]]
    if missing:
        sys.exit(f"Columns are missing: {', '.join(missing)}")
    return np.array([[$value(row[name]) for name in FEATURES] for row in rows]).reshape(-1, len(FEATURES))
#]
#[ truth !encoded


def value(cell):
    """A number, or a truth value as 0 or 1."""
    return float({"false": 0.0, "true": 1.0}.get(cell.lower(), cell))
#]
#[ idx


def read_idx(name):
    """The values of an IDX file in $$TREINO_DATA or treino's cache: [N, values of one item] bytes.

    The format: http://yann.lecun.com/exdb/mnist
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "treino", $data_name)
    folders = [Path(os.environ.get("TREINO_DATA", ""), $data_name), cache]
    spellings = [name + ending for name in (name, name.replace("-idx", ".idx")) for ending in (".gz", "")]
    paths = [folder / s for folder in folders for s in spellings if (folder / s).is_file()]
    if not paths:
        sys.exit(f"{name}.gz is neither in {folders[0]} nor in {folders[1]}")
    content = paths[0].read_bytes()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    axes = content[3]
    count = int.from_bytes(content[4:8], "big")
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes).reshape(count, -1)
#]
#[ loads


def load():
    """raw [N, D] in the data's own units, and $y_is [N]."""
#]
    $load_lines  #? generated
#[ idx
    raw = np.concatenate([read_idx(f"{part}-images-idx3-ubyte") for part in ("train", "t10k")])
    label = np.concatenate([read_idx(f"{part}-labels-idx1-ubyte")[:, 0] for part in ("train", "t10k")])
    return raw, label.astype(int)
#]
#[ csv
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        print(f"{path} is not the table of the run: other numbers will come out", file=sys.stderr)
    rows = read_csv(path)
    classes = [float(name) for name in CLASSES]  #? numbered
    return features_of(rows), np.array([classes.index(float(row[TARGET])) for row in rows])  #? numbered
    return features_of(rows), np.array([CLASSES.index(row[TARGET]$lower) for row in rows])  #? classes !numbered
    return features_of(rows), np.array([$value(row[TARGET]) for row in rows])  #? !classes
#]
#[ !memory


def counts(n):
    """How many of n rows each split gets: the shares by largest remainder$at_least_one."""
    shares = $share_list
    count = [int(n * share) for share in shares]
    for i in sorted(range(3), key=lambda i: count[i] - n * shares[i])[: n - sum(count)]:
        count[i] += 1
#]
#[ scarce
    wanted = [i for i in range(3) if shares[i] > 0]
    if n < len(wanted):
        return [n, 0, 0]
    for i in wanted:
        if not count[i]:
            count[count.index(max(count))] -= 1
            count[i] = 1
#]
#[ !memory
    return count


def split($split_args):
    """The row numbers for training, validation and test$divided."""
    order = torch.randperm(len($split_first), generator=generator(DATA_SEED, "split")).numpy()
#]
#[ repeats
    seen = {}  # equal rows lie in one split, or the test would ask for what was learnt by heart
    first = np.array([seen.setdefault(row.tobytes(), i) for i, row in enumerate($positive)])
    order = order[first[order] == order]
#]
    part = np.zeros(len($split_first), dtype=int)  #? !memory
#[ repeats classes
    rank = np.bincount(label).argsort(kind="stable").argsort()
    group = np.full(len(label), len(rank))
    np.minimum.at(group, first, rank[label])  # equal rows of several classes count for the rarest one
    for c in range(len(rank)):
        rows = order[group[order] == c]
        part[rows] = np.repeat([0, 1, 2], counts(len(rows)))
#]
#[ !repeats classes !memory
    for c in range(len(CLASSES)):
        rows = order[label[order] == c]
        part[rows] = np.repeat([0, 1, 2], counts(len(rows)))
#]
    part[order] = np.repeat([0, 1, 2], counts(len(order)))  #? !classes !memory
    part = part[first]  #? repeats
    return [np.flatnonzero(part == k) for k in range(3)]  #? !memory
#[ fits !image


def fit(columns):
    """Mean and deviation of each column [N, D]; divided by its largest value, so that no square overflows."""
    largest = np.abs(columns).max(axis=0)
    largest[largest == 0] = 1  #? constant
    mean, std = (columns / largest).mean(axis=0) * largest, (columns / largest).std(axis=0) * largest  #? constant
    std[columns.min(axis=0) == columns.max(axis=0)] = np.inf  # a column that never changes becomes 0  #? constant
    return mean, std  #? constant
    return (columns / largest).mean(axis=0) * largest, (columns / largest).std(axis=0) * largest  #? !constant
#]
#[ fits image


def fit(pixels):
    """One mean and one deviation for all pixels between 0 and 1, out of the counts of their 256 values."""
    count = torch.bincount(torch.from_numpy(pixels).flatten(), minlength=256).numpy()
    value = np.arange(256) / 255
    mean = (count * value).sum() / count.sum()
    return mean, np.sqrt((count * (value - mean) ** 2).sum() / count.sum())
#]


#[ clipped
def clipped(x):
    """Normalised numbers, at most CLIP_INPUTS deviations from their mean."""
    x[:, NORMALISED] = x[:, NORMALISED].clamp(-CLIP_INPUTS, CLIP_INPUTS)
    return x


#]
def prepare($prepare_args):
    """What the network is given: $prepared."""
    return $scaled.float()$shaped
'''
