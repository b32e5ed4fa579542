"""`python -m jaxdep`: the command line."""

from jaxdep.cli.main import main

main()
