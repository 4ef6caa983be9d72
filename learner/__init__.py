"""From resolved incidents to patterns, and from patterns to draft runbooks for review."""
