"""From untrusted bytes to a rebuilt notebook."""
