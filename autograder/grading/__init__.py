"""From one submission to explicit results."""
