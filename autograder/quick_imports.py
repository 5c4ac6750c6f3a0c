"""Spares each process the 3 to 4 CPU seconds in which `rfc3987_syntax` builds a grammar that nothing here uses.

jsonschema imports that library if it is installed (JupyterLab's dependencies bring it), to check strings of the format
`iri`; nbformat imports jsonschema, and nearly everything here imports nbformat. Importing this module first makes
jsonschema believe that the library is not installed, which it is prepared for. A process that has already imported the
library keeps it.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None means: importing it fails
