"""One file a migration; there is no way down: restore a backup instead."""
