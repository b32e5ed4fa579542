"""Training loops: many runs in one program, each a pure function of its seed and settings."""
