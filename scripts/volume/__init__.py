"""The commands of manage_db_volume.py. They drive Docker; what knows the database is `task-assist` in the image."""
