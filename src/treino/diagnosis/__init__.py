"""The doctor: finds what PyTorch stays silent about, in anybody's training code."""
