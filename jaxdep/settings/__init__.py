"""Settings: what each may be, declared once by the type of its field."""
