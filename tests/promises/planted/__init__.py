"""Plants bugs one at a time and sees whether each is noticed, so that a proof is known to find anything."""
