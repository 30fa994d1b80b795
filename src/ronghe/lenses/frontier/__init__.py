"""The frontier: fields, breakthroughs, what they feed, who works with whom, where to go next."""
