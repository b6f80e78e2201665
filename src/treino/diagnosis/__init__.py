"""The doctor: finds faults in any training code about which PyTorch stays silent."""
