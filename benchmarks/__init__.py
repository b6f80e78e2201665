"""Every figure in the docs comes from a script in here: ``python -m benchmarks`` lists them."""
