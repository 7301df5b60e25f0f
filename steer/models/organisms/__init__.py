"""Model organisms: tiny checkpoints trained from scratch, with a latent mode put there by us."""
