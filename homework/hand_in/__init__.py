"""The submission log: per-student inputs, answers, metrics and their expected ranges."""
