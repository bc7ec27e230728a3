"""The suites asked at the two doors: what has landed, what is about to be published."""
