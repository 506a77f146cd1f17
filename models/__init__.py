"""Tables, their types and the way to the database; knows no workflow."""
