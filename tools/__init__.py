"""What contributors run: no part of the program."""
