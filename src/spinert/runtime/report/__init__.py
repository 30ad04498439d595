"""What is written for a person or another program: the result document and the picture."""
