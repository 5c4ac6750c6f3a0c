"""Reads untrusted submissions and rebuilds the notebooks to grade."""
