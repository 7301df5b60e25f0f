"""Methods that make interventions: extraction from contrasts, and training on rewards."""
