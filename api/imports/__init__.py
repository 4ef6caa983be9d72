"""Incidents from files and request bodies: what other tools export, and what people send."""
