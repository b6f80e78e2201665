"""Drawing: pictures and pages of numbers computed by ``inspection``."""
