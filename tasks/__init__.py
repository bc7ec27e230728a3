"""One step of the loop per module: gather, judge, apply."""
