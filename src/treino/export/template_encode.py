"""Template of the exported script: columns of text as inputs. See ``script_template``."""

ENCODE = r'''
#[ encoded


def read_csv(path):
    """The rows of a CSV file: dicts from column to text."""
    with open(path, newline="", encoding=$encoding) as file:
        reader = csv.DictReader(file$delimiter)
        return [{name.strip(): (cell or "").strip() for name, cell in row.items()} for row in reader]


def number(cell):
    """$number_doc"""
    if cell.lower() in MISSING:
        return math.nan
    if cell.lower() in TRUTH:  #? truth
        return TRUTH[cell.lower()]  #? truth
    for mark in $marks:  #? marks
        cell = cell.replace(mark, "")  #? marks
    return float(cell.replace(".", "").replace(",", "."))  #? comma
    return float(cell.replace(",", ""))  #? !comma


def filled(values, column):
    """Numbers with the training rows' in place of missing ones, and where they were missing."""
    values = np.asarray(values, dtype=float)
    absent = np.isnan(values)
    inputs = [np.where(absent, column["fill"], values)]  #? !binned
    inputs = binned(np.where(absent, column["fill"], values), column)  #? binned
    return np.stack([*inputs, absent.astype(float)] if column["flag"] else inputs, axis=1)
#]
#[ encoded binned


def binned(values, column):
    """The values, and for each bin of the column how far up in it they lie: 0 below it, 1 above it."""
    edges = column.get("edges", [])
    bins = itertools.pairwise(edges)
    return [values, *((np.clip(values, a, b) - a) / (b - a) for a, b in bins)]
#]
#[ encoded levels


def named(cells, column):
    """The class that each cell names; 1, 01 and 1.0 are one where classes are numbers."""
    if not column["numeric"]:
        return ["" if cell in $gaps else cell for cell in cells]  #? gaps
        return cells  #? !gaps
    values = [number(cell) for cell in cells]
    return ["" if v != v else str(int(v)) if v == int(v) else repr(v) for v in values]
#]
#[ encoded numbers


def as_number(cells, column):
    """Numbers as they are."""
    return filled([number(cell) for cell in cells], column)
#]
#[ encoded ranks


def as_rank(cells, column):
    """Ordered classes as 0, 1, 2, ..."""
    known = {level: rank for rank, level in enumerate(column["levels"])}
    return filled([known.get(name, math.nan) for name in named(cells, column)], column)
#]
#[ encoded one_hot


def as_one_hot(cells, column):
    """One input for each class; a class that no training row had is in none."""
    return np.array([[float(name == level) for level in column["levels"]] for name in named(cells, column)])
#]
#[ encoded hashed_columns


def as_hashed(cells, column):
    """Many classes in few inputs: +1 or -1 in the place that a hash of the class says."""
    values = np.zeros((len(cells), column["buckets"]))
    for row, name in enumerate(named(cells, column)):
        if name:
            digest = hashlib.sha256(f"{column['column']}={name}".encode()).digest()
            k = int.from_bytes(digest[:8], "big")
            values[row, k % column["buckets"]] = 1 if k // column["buckets"] % 2 else -1
    return values
#]
#[ encoded dates


def second(cell):
    """Seconds from 1970 to a date and time; NaN without one."""
    if cell.lower() in MISSING:
        return math.nan
    found = re.fullmatch(r"(\d+)[-/.](\d+)(?:[-/.](\d+))?(?:[T ](\d+):(\d+)(?::([\d.,]+))?)?.*", cell)
    if not found:
        sys.exit(f"{cell} is no date")
    a, b, c = int(found[1]), int(found[2]), int(found[3] or 1)
    year, month, day = $date_order
    day = datetime.date(year, month, day).toordinal() - datetime.date(1970, 1, 1).toordinal()
    of_day = float(found[4] or 0) * 3600 + float(found[5] or 0) * 60
    return day * 86400.0 + of_day + float((found[6] or "0").replace(",", "."))


def as_date(cells, column):
    """Days since the first training row, and what comes around as points of a circle."""
    seconds = np.array([second(cell) for cell in cells])
    absent = np.isnan(seconds)
    seconds = np.where(absent, column["fill"], seconds)
    inputs = [(seconds - column["origin"]) / 86400]  #? !binned
    inputs = binned((seconds - column["origin"]) / 86400, column)  #? binned
    months = np.floor(seconds).astype("int64").astype("datetime64[s]").astype("datetime64[M]")
    turns = {
        "month": months.astype(int) % 12 / 12,
        "weekday": (np.floor(seconds / 86400) + 3) % 7 / 7,
        "hour": seconds % 86400 / 86400,
    }
    for part in column["parts"]:
        inputs += [np.where(absent, 0, f(2 * np.pi * turns[part])) for f in (np.sin, np.cos)]
    return np.stack([*inputs, absent.astype(float)] if column["flag"] else inputs, axis=1)
#]
#[ encoded times


def since_midnight(cell):
    """Seconds since midnight of a time of day; NaN without one."""
    if cell.lower() in MISSING:
        return math.nan
    found = re.fullmatch(r"(\d+)[:h](\d*)(?::([\d.,]+))? ?(?:([AaPp])[Mm])?", cell)
    if not found:
        sys.exit(f"{cell} is no time of day")
    hour = int(found[1]) if not found[4] else int(found[1]) % 12 + 12 * (found[4] in "pP")
    return hour * 3600.0 + int(found[2] or 0) * 60 + float((found[3] or "0").replace(",", "."))


def as_time(cells, column):
    """A time of day as a point of a circle."""
    seconds = np.array([since_midnight(cell) for cell in cells])
    absent = np.isnan(seconds)
    turn = 2 * np.pi * np.where(absent, 0, seconds) / 86400
    inputs = [np.where(absent, 0, f(turn)) for f in (np.sin, np.cos)]
    return np.stack([*inputs, absent.astype(float)] if column["flag"] else inputs, axis=1)
#]
#[ encoded


def encode(rows):
    """[N, D] float64: every column as it was fitted on the training rows."""
    missing = [name for name in FEATURES if rows and name not in rows[0]]
    if missing:
        sys.exit(f"Columns are missing: {', '.join(missing)}")
    ways = {$ways}
    encoded = [ways[c["as"]]([row[c["column"]] for row in rows], c) for c in ENCODERS]
    return np.concatenate(encoded, axis=1)
#]
'''
