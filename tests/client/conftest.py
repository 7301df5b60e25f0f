from fake_fixture import fake  # noqa: F401
