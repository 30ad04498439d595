"""What each family of kernels is measured on where there is a GPU: a module with `rows` for each."""
