"""Pre-built runbooks that ship with sre-kb."""
