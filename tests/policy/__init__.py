"""The policy as data, and its three doors: where a message may go, and who may say so."""
