"""What instructors wrote: the configuration and the problem sources."""
