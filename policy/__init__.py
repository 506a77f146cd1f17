"""What is allowed, as data: regions, channels, validity, limits, proofs and holds. Pure: no table, no vendor."""
