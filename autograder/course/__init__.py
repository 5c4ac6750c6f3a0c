"""The instructors' files: the course configuration and the problem sources."""
