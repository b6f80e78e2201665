# hint: Which network is chosen? The one with the largest number in validation.
# hint: validation.index(max(validation)) is its place, and test has its number at the same place.
# hint: Subtract the mean of test: sum(test) / len(test)
"""How much of it was luck?

Write lead(validation, test): choose the network with the best accuracy on validation, and return by how much
its accuracy on test is above the mean of all networks on test. Both are lists with one number for each network.
"""


def lead(validation, test):
    best = validation.index(max(validation))
    return test[best] - sum(test) / len(test)


def best_on_test(validation, test):
    """You chose by the test: then nothing is left that could judge the choice."""
    return max(test) - sum(test) / len(test)


def lead_on_validation(validation, test):
    """That is the lead on validation, by which it was chosen; how much of it arrives at the test?"""
    return max(validation) - sum(validation) / len(validation)


def without_the_mean(validation, test):
    """That is its accuracy on test; how much is it above the mean of all?"""
    return test[validation.index(max(validation))]


def cases():
    yield [0.8, 0.9, 0.7], [0.85, 0.8, 0.9]
    yield [0.95, 0.6, 0.7, 0.7], [0.9, 0.7, 0.8, 0.92]
