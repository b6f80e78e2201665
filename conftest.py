"""What holds for the tests of everything here: their tiers, what each case costs, and Ctrl-C."""

pytest_plugins = ["tests.tiers", "pytester"]
