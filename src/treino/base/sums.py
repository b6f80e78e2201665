"""Sums of products of a document's figures: the same bits each time, wherever the numbers lie in memory."""

import numpy as np
from numpy.typing import NDArray


def dot(a_N: NDArray[np.float64], b_N: NDArray[np.float64]) -> np.float64:
    """The sum of the products, for a figure in a document.

    NumPy's sum has an order that follows from the length alone. The one of BLAS (``a_N @ b_N``) may also
    follow from the vectors' alignment and from the number of threads, and then a correlation of 1 is
    0.9999999999999999 another time.
    """
    return np.float64(np.multiply(a_N, b_N).sum())
