"""From a source to what students get."""
