"""The languages that judging understands: one file each, with the phrases that people use when they lose a factor.

A new language is one more file, and one more name in the list that `inbox.hearing` tries.
"""
