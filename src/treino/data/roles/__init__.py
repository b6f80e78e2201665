"""What each column is: its kind, whether it is learnt from, and what the target asks for."""
