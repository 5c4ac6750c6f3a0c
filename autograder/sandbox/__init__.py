"""Our end of the sandbox: starts the process for student code, speaks to it, and proves that it is confined."""
