"""Makes the student release from the problem sources."""
