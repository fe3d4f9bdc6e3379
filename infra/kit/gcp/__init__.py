"""Google Cloud: a small VM with a persistent disk at /app/data, or Cloud Run with a Filestore share.

Its hosting is of two kinds, so it is in vm.py and cloud_run.py.
"""
