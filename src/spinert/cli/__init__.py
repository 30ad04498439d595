"""The command line: each command parses and prints, nothing else."""
