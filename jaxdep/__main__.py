"""`python -m jaxdep`: the command line."""

from jaxdep.cli import main

main()
