"""`python -m jaxdep`: the command line."""

from jaxdep.cli.commands import main

main()
