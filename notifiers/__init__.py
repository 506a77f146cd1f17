"""The ways out, one file a channel: a notifier gets plain values and a permit, and returns a receipt or raises."""
