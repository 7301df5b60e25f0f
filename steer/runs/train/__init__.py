"""The kind of run ``train``: one vector per site, trained while the model is frozen."""
