"""Any Docker host: this machine, or another one over ssh://."""
