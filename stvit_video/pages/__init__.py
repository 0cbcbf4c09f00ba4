"""HTML pages that need nothing else: their templates, charts, and the page of a run."""
