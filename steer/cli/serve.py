"""``steer serve``."""

from typing import Annotated

import typer

from steer.server.settings import Settings

_DEFAULT = Settings()


def _option(field: str, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(help=text, envvar=f"STEER_{field.upper()}")
    return option


def serve(
    model: Annotated[
        str, _option("model", "organism/a1, a hub id, a local folder, or a GGUF file.")
    ] = _DEFAULT.model,
    revision: Annotated[str, _option("revision", "Revision of a hub model.")] = _DEFAULT.revision,
    address: Annotated[
        str, _option("address", "HOST:PORT (port 0 picks one) or unix:PATH.")
    ] = _DEFAULT.address,
    store: Annotated[
        str | None,
        _option("store", "Folder or URL of vectors. Default: steer/store in XDG_DATA_HOME."),
    ] = _DEFAULT.store,
    bundled: Annotated[
        bool, _option("bundled", "Whether the vectors shipped with steer are there too.")
    ] = _DEFAULT.bundled,
    dtype: Annotated[str, _option("dtype", "auto, float32, bfloat16 or float16.")] = _DEFAULT.dtype,
    device: Annotated[str, _option("device", "auto, cpu, cuda, cuda:1, …")] = _DEFAULT.device,
    max_rows: Annotated[int, _option("max_rows", "Rows that run at once.")] = _DEFAULT.max_rows,
    kv_tokens: Annotated[
        int, _option("kv_tokens", "Token positions of key-value memory; 0 chooses.")
    ] = _DEFAULT.kv_tokens,
    step_tokens: Annotated[
        int, _option("step_tokens", "Most tokens in one forward pass.")
    ] = _DEFAULT.step_tokens,
    max_queue: Annotated[int, _option("max_queue", "Rows that may wait.")] = _DEFAULT.max_queue,
    threads: Annotated[
        int, _option("threads", "CPU threads of torch; 0 leaves its choice.")
    ] = _DEFAULT.threads,
    max_message_bytes: Annotated[
        int, _option("max_message_bytes", "Largest message accepted.")
    ] = _DEFAULT.max_message_bytes,
    max_upload_bytes: Annotated[
        int, _option("max_upload_bytes", "Largest dictionary accepted.")
    ] = _DEFAULT.max_upload_bytes,
    capture_bytes: Annotated[
        int, _option("capture_bytes", "Memory for captures kept for patching.")
    ] = _DEFAULT.capture_bytes,
    drain_seconds: Annotated[
        float, _option("drain_seconds", "How long SIGTERM lets running rows finish.")
    ] = _DEFAULT.drain_seconds,
    database: Annotated[
        str | None,
        _option("database", "File or SQLAlchemy URL of runs. Default: .runs in the store."),
    ] = _DEFAULT.database,
    lease_seconds: Annotated[
        float, _option("lease_seconds", "When a run of a server that died is taken over.")
    ] = _DEFAULT.lease_seconds,
    reflection: Annotated[
        bool, _option("reflection", "Answer gRPC server reflection.")
    ] = _DEFAULT.reflection,
    insecure: Annotated[
        bool, _option("insecure", "Listen where other machines can reach it, unprotected.")
    ] = _DEFAULT.insecure,
) -> None:
    """Serve a model until SIGTERM or SIGINT."""
    settings = Settings(**locals())
    try:
        from steer.server.app import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "steer":
            raise
        typer.echo(f'no module {error.name!r}; run: pip install "steer[server]"', err=True)
        raise typer.Exit(1) from None
    run(settings)
