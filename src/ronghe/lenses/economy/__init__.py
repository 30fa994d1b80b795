"""An economy's structure: who needs whom, and what a sector carries."""
