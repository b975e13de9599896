"""The ways to a host, one file each, which ends in TRANSPORT = Transport(...)."""
