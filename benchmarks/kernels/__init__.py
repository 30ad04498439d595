"""Rows of the kernel table, one file per family: each has rows()."""
