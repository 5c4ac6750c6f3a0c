"""Training: loops that resume from checkpoints, batches, precision."""
