"""Mathematics alone: arrays in, arrays out. Nothing of ours is imported here."""
