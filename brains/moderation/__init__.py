"""Keeping the place safe: what is wrong with a message, why, and what may follow from it. Proposes, never acts."""
