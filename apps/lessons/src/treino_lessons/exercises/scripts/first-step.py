# hint: enumerate(accuracies) gives each number with its place, from 0 on.
# hint: Return the place at once where the accuracy is at least the goal: >= and not >.
# hint: return None stands after the loop, not in it: only then all have been seen.
"""At which step is it good enough?

Write first_step(accuracies, goal): the first step at which the accuracy is at least goal. accuracies is a
list, whose first number is that before the first step, so it is step 0. If no step reaches goal, return None.
"""


def first_step(accuracies, goal):
    for step, right in enumerate(accuracies):
        if right >= goal:
            return step
    return None


def counted_from_one(accuracies, goal):
    """You count from 1; before the first step, step is 0."""
    found = first_step(accuracies, goal)
    return None if found is None else found + 1


def more_than(accuracies, goal):
    """An accuracy that equals the goal reaches it: >= and not >."""
    return next((step for step, right in enumerate(accuracies) if right > goal), None)


def the_last(accuracies, goal):
    """That is the last such step; the first one is wanted: return as soon as you find it."""
    return next((s for s in range(len(accuracies) - 1, -1, -1) if accuracies[s] >= goal), None)


def looked_once(accuracies, goal):
    """It looks at the first number only: return None must stand after the loop."""
    return 0 if accuracies[0] >= goal else None


def cases():
    yield [0.3, 0.5, 0.8, 0.7, 0.9, 0.85], 0.8
    yield [0.3, 0.5, 0.6], 0.8
    yield [0.9, 0.2], 0.8
