"""The API and the pages. They show what the brain says and compute nothing."""
