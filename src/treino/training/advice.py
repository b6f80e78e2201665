"""Advice after a training that diverged: the learning rate to try next."""

from treino.engine.train_config import DEFAULTS


def lower_rate(lr: float) -> float:
    """A learning rate to try if ``lr`` was too high: a tenth of it, or the default if that is far lower."""
    usual = DEFAULTS["table"].lr
    return float(f"{lr / 10:.3g}") if lr <= 100 * usual else usual
