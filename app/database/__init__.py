"""SQLite: how it is opened, how writes queue, what its errors mean, and the history of the schema."""
