"""Measures of a trained network and its data, as arrays; ``plots`` draws them."""
