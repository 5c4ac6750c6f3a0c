"""The web page on which people grade written answers and figures, one question for the whole class."""
