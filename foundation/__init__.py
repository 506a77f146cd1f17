"""What everything stands on: settings, the clock, the keyring, logging and redaction."""
