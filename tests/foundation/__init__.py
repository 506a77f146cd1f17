"""Settings, clock, keyring, redaction and logging: what everything stands on."""
