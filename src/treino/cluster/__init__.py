"""Other processes that train, on this machine or on many: what is asked of them, and Ray, which runs them."""
