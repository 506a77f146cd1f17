"""Tables, migrations and transactions, on SQLite and on PostgreSQL."""
