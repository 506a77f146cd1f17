"""Second factors: their codes, their rows, and what happens when two use one at once."""
