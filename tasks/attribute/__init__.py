"""Credits of deals to the touches that came before: in the loop, from two files, from paths."""
