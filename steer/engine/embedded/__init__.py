"""The embedded engine: transformers in this process, one thread, continuous batching."""
