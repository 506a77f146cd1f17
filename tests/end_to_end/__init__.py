"""Whole processes on whole stacks: nothing in here imports what reads the settings of this process."""
