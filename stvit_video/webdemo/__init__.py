"""The page in the browser that labels videos and shows their tokens."""
