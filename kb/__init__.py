"""The domain and its storage: runbooks, incidents, patterns, versions, audit. Imports none of the other packages."""
