"""Our entries in the agents' own settings: put in, taken out and told apart, with the rest left as it was."""
