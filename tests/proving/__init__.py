"""Proves that killing any process of a running bot loses nothing and repeats nothing: `python -m tests.proving`."""
