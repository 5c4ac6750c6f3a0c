"""The trusted side of the sandbox: starts the sandbox process, communicates with it and tests its confinement."""
