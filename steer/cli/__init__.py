"""The command line: typer commands over the SDK and the server."""
