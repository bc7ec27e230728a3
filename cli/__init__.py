"""The `abmloop` command: thin, every line of it calls a function that tests call too."""
