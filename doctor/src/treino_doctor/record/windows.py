"""Decide when everything is recorded: at first, then occasionally, and at new kinds of calls to nets.

A turn is a backward. Only counts decide, so that findings don't depend on the machine's speed.
"""

FIRST = 32  # turns recorded from the start
WIDE = 2  # turns of a later window
APART = 4  # a later window opens after 1/4 more turns
LEAST = 32  # minimum number of turns between windows
LOOKS = 3  # recorded evaluations of one line; later ones are recorded as often as windows open
NEW, TRAININGS = 12, 4  # turns recorded of each later training; maximum number of such trainings
LEAST_FIRST, CROWDED = 8, 2_000  # turns and operations after which the first window ends early
LONGEST = 2_000  # calls that don't train after which the record of one evaluation ends
DENSE = 100  # of one kind, so many are recorded between two backwards, and then ever fewer
LEARNED = 16  # the same of calls of a net on a line that is known to train it
ENTRIES = 4  # operations on single entries that are recorded of each later evaluation of a net
KINDS = 4096  # kinds that are counted
PATIENCE = 64  # backwards without a step after which backwards count as steps


class Windows:
    """The state of the window: everything is recorded while it is open.

    turn: backwards so far. since: the turn at which it opened last. stepped: the turn of the newest step.
    due: the turn at which it opens or closes, after an optimizer's step, to hold whole steps, or after a
    backward if there are no steps.

    Between windows, a call of a net counts as training if it is like an earlier one. calls: since the newest
    backward; usual: calls in a turn. passed: calls since the newest backward that were left out while all
    else was recorded.
    """

    def __init__(self) -> None:
        self.open = True
        self.turn = self.calls = self.watched = self.evaluated = self.passed = self.operations = 0
        self.stepped, self.since, self.due, self.usual = -PATIENCE, 0, FIRST, 1
        self._wide, self._trainings = WIDE, 0
        self._evaluating, self._first, self._least = False, True, LEAST_FIRST
        self._looks: dict[object, tuple[int, int]] = {}
        self._times: dict[object, tuple[int, int]] = {}  # kind -> (turn, times)

    def tick(self) -> bool:
        """Count a backward; return whether it counts as a step."""
        self.turn += 1
        self.calls = self.evaluated = self.passed = 0
        self.watched += self.open
        return self.turn - self.stepped > PATIENCE

    def shift(self) -> bool:
        """Open or close the window after a step; return whether it is open."""
        if not self.open:
            if self.turn >= self.due:
                self.open, self.due, self._wide = True, self.turn + self._wide, WIDE
            return self.open
        if self._first and self.operations >= CROWDED and self.turn >= self._least:
            self._first, self.due = False, self.turn
        self._first = self._first and self.turn < FIRST
        if not self._first and (self._evaluating or self.turn >= self.due):
            self.close()
        return self.open

    def close(self) -> None:
        """Close until a further quarter of all turns has passed."""
        self.due = max(self.turn + LEAST, self.turn + self.turn // APART)
        self.open = self._evaluating = False

    def keeps(self, *kind: object, most: int = DENSE) -> bool:
        """Count one more of a kind; return whether to record it: the first ones, later at each doubling. Half
        of a count is forgotten with each turn: of what every turn repeats often, ever less is recorded.
        """
        turn, times = self._times.get(kind, (self.turn, 0))
        times = (times >> self.turn - turn) + 1
        if len(self._times) > KINDS:
            self._times.clear()
        self._times[kind] = self.turn, times
        return times <= most or not times & (times - 1)

    def keeps_entry(self, *place: int) -> bool:
        """Whether to record an operation on a single entry: after many at a place, a few for each evaluation
        of a net, and some of all."""
        return self.keeps(place) or self.keeps(place, self.evaluated, most=ENTRIES)

    def too_long(self, calls: int = 1) -> bool:
        """Count a call that does not train; return whether there were too many since the newest backward."""
        self.evaluated += calls
        return self.evaluated > LONGEST

    def anew(self) -> None:
        """Record the beginning of another optimizer's training as well."""
        self._trainings += 1
        if self.turn and self._trainings <= TRAININGS:
            if self.open:
                self._least = self.turn + NEW
                self.due = max(self.due, self._least)
            else:
                self.due, self._wide = self.turn, NEW

    def look(self, place: object) -> bool:
        """Open the window until the next step for a call from a place that doesn't train: a few times,
        and later as often as windows open. Return whether the window is open."""
        seen, turn = self._looks.get(place, (0, 0))
        if seen < LOOKS or (APART - 1) * self.turn > APART * turn:
            self._looks[place] = seen + 1, self.turn
            self.open = self._evaluating = True
        return self.open
