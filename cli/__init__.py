"""The command line: `keyturn`."""
