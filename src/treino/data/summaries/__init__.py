"""What is in a table and what is wrong with it, before anything is trained."""
