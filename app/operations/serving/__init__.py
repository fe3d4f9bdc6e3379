"""The web server: from a connection to the Flask app, and to its end."""
