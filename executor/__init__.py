"""From a published runbook to a plan, and from an approved plan to an execution with a trail."""
