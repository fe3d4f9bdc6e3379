"""Google Cloud: a small VM with a persistent disk at /app/data, or Cloud Run with a Filestore share."""
