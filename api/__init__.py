"""The faces of sre-kb: HTTP, web pages, command line. The only package that wires concrete classes together."""
