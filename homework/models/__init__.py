"""Models of the notebooks, and what rates their outputs."""
