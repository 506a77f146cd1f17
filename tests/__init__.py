"""The tests: each states in its name the rule that it shows, on real servers, files and processes."""
