"""The commands and their output on the terminal."""
