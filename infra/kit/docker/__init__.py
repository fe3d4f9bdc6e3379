"""Any Docker host: this machine, or another one over ssh://.

Three rooms of the other places are missing here, because Docker has nothing to fill them with: `identity` (who may use
the engine may do everything, and there is no account to grant to), `snapshots` (Docker makes none of a volume;
scripts/manage_db_volume.py makes backups) and `alerts` (there is nobody who sends mail; place.py says so).
"""
