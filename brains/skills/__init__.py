"""The skills: one file for each ability."""
