"""Routes of the HTTP face, one file a subject."""
