"""How the networks of the published systems are trained: films, targets and losses of each task."""
