"""What is told of calls: the trees of `query`, `delete` and `statistics`, and log lines."""
