"""Learning from data: what Kinfolk ships, and what a community's own verdicts teach."""
