"""Orders at a venue outside: what is sent, what becomes of it, and what the venue has."""
