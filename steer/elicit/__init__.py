"""Methods that make interventions: directions of two classes, and training."""
