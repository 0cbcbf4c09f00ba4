"""The speed of models beside others, each in a process of its own, turn by turn."""
