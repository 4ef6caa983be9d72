"""From runbooks to a searchable index, and from an alert to the section that helps."""
