"""Training in other processes, on this machine or on many: the interface of a cluster, and Ray behind it."""
