"""A sixth system, in a package of its own."""
