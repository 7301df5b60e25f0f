"""Task × arms × samples, with the controls that say what a number means."""
