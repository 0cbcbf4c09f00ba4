"""The most accurate way to run a checkpoint within a budget: the search for it, its table and its picture."""
