"""The workflows, in one process and without a broker, on both engines."""
