"""The DAIC-WOZ corpus."""
