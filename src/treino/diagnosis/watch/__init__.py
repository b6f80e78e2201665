"""The sensors: what is read off a running PyTorch program, without changing one bit of its results."""
