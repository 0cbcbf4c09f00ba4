"""What the tokens of a video have seen, and what each says for a label."""
