"""Loading models and telling them apart; the bundled model organisms."""
