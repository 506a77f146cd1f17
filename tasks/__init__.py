"""Thin Celery tasks: claim, call, record; and `ring`, which tells the broker that a message is due."""
