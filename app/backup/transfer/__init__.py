"""From the database to a store and back: compressed, encrypted, hashed on the way."""
