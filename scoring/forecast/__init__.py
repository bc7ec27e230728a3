"""What open and coming deals will bring, from how long deals like them stayed open: pure functions over columns."""
