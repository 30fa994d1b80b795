"""Side by side with peers, in one run, printing ratios. Nothing here is a test: times are printed, never asserted."""
