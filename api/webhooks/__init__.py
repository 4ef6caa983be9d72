"""Alert payloads of other systems, each turned into `kb.incident.Alert` values."""
