"""The command line, as a person or a script meets it: real processes, their exit status and what they write."""
