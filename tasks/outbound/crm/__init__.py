"""The connectors, one module each, behind one small protocol (`base`)."""
