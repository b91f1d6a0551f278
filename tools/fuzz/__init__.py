"""Random graphs for the running host, and what must hold whatever they are: ``python dev.py fuzz``."""
