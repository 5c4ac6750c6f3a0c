"""The feedback page of a submission."""
