"""Azure: a Web App for Containers with an Azure Files share at /app/data."""
