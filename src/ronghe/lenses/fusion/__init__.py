"""Science and industry growing together: indicators, composites, their spread and their uncertainty."""
