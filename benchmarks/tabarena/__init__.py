"""treino as a model of TabArena and AutoGluon; how to run it there: README.md."""
