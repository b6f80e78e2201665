"""Wilson's interval of a proportion."""

import math

Z = 1.959963984540054  # the normal distribution's 97.5 % point


def wilson(right: int, rows: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927; recommended by Brown, Cai & DasGupta 2001).

    Unlike share ± 1.96·deviation it stays within [0, 1] and has a width at 0 or ``rows`` right.
    """
    share, z2 = right / rows, Z * Z
    centre = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = Z * math.sqrt(share * (1 - share) / rows + z2 / (4 * rows * rows)) / (1 + z2 / rows)
    # With none or all right, one end is exactly 0 or 1; rounding would leave 1e-17.
    return (0.0 if right == 0 else max(0.0, centre - half), 1.0 if right == rows else min(1.0, centre + half))
