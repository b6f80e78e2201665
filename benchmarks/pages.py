"""docs"""


def render():
    return {}
