# hint: The squared error takes (guess - truth)**2, the other one abs(guess - truth).
# hint: Both are means: the sum divided by how many there are.
# hint: zip(guesses, truths) gives them in pairs.
"""Two errors for numbers

Write errors(guesses, truths): the mean squared error and the mean distance (l1), both for two lists of numbers.
"""


def errors(guesses, truths):
    off = [guess - truth for guess, truth in zip(guesses, truths)]
    return sum(d**2 for d in off) / len(off), sum(abs(d) for d in off) / len(off)


def summed(guesses, truths):
    """Those are the sums; divide by how many there are."""
    return tuple(error * len(truths) for error in errors(guesses, truths))


def rooted(guesses, truths):
    """The first is the root of the mean squared error; leave the root out."""
    squared, distance = errors(guesses, truths)
    return squared**0.5, distance


def not_absolute(guesses, truths):
    """Errors of opposite signs cancel each other in the second: a distance has no sign, abs(...)."""
    return errors(guesses, truths)[0], (sum(guesses) - sum(truths)) / len(truths)


def turned_round(guesses, truths):
    """Both are right, in the other order: the squared error comes first."""
    return errors(guesses, truths)[::-1]


def cases():
    yield [1.0, 2.0, 6.0], [1.5, 2.0, 3.0]
    yield [10.0, -1.0], [1.0, 1.0]
