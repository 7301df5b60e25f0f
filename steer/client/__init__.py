"""The Python SDK: a client, its asynchronous twin, recipes, results."""
