"""Python's garbage collector, for work that makes many objects which all stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG, _MIDDLE, _OLD = 200_000, 50, 100


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Look for cycles after every 200,000 new objects instead of 700, and among the old ones hardly ever.

    Without it a third of the time of a plan for 100,000 records goes into looking at the same objects again and again.
    """
    before = gc.get_threshold()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    try:
        yield
    finally:
        gc.set_threshold(*before)
