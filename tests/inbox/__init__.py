"""The inbox: hostile mail, the table of texts with their judgements, and a Maildir whose watchers crash and race."""
