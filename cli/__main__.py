"""`python -m cli` is the `abmloop` command."""

from cli.main import main

main()
