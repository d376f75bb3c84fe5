"""A pytest plugin: what tests of hosts ask for, opened and closed around each."""
