"""What the operating system says of processes: which there are below the panes, which is which, and who has exited."""
