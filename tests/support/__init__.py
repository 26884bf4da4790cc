"""What end-to-end tests, the soak and the benchmarks share: terminals, private tmux servers, private homes."""
