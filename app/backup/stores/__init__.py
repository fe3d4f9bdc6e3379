"""Where backups lie: a folder or a bucket, and what is kept there under which names."""
