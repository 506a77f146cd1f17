"""Tables, their types and the way to the database; knows no workflow.

Any part of it brings all tables: a column that refers to another table has no type before that table is known, and a
statement that is built before then binds its values without one.
"""

from models import access, accounts, cases, factors, inbound, messages

__all__ = ["access", "accounts", "cases", "factors", "inbound", "messages"]
