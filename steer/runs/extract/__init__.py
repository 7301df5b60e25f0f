"""The kind of run ``extract``."""
