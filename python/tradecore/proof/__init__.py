"""Simulates the whole from one seed: the live runtime and a venue on virtual time, with faults and kills."""
