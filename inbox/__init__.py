"""The support inbox: where mail comes from, what it says and what it asks. Decides nothing about accounts."""
