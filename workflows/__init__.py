"""What Keyturn does: the reset case, its codes and proofs, what it owes people. No Celery, no HTTP, no provider."""
