"""Second factors: enrolling them and revoking them."""
