"""Any Docker host: this machine, or another one over ssh://. Docker makes no snapshots, so there is no backups.py."""
