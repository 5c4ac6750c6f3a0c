"""Figures and the panel that a notebook shows."""
