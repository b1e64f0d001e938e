"""Learning from data what is shipped, or what a community's own machine learns."""
