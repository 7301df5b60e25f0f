# Any Debian with python3 (3.11 or newer) and its venv module.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE} AS build
# Without one, pip on Linux fetches the CUDA build of torch, several GB larger: give the address of
# PyTorch's CPU index here, or mount a pip configuration that knows a CPU wheel.
ARG PIP_EXTRA_INDEX_URL
WORKDIR /src
RUN python3 -m venv /opt/steer
ENV PATH=/opt/steer/bin:$PATH
# torch first: the largest layer, and the source does not touch it.
COPY constraints.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint constraints.txt torch
COPY . .
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint constraints.txt '.[server]'

# The same base again: the environment refers to the python it was made with.
# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="steer" \
      org.opencontainers.image.description="A base model's output with and without steering" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
# Home is the only place that is written to besides /tmp: the store, runs, model downloads.
RUN groupadd --gid 10001 steer \
    && useradd --no-log-init --uid 10001 --gid 10001 --home-dir /cache --create-home steer
COPY --from=build /opt/steer /opt/steer
ENV PATH=/opt/steer/bin:$PATH \
    HOME=/cache \
    HF_HUB_DISABLE_TELEMETRY=1 \
    PYTHONUNBUFFERED=1 \
    STEER_TARGET=127.0.0.1:50051
USER 10001:10001
EXPOSE 50051
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s CMD ["steer", "health"]
ENTRYPOINT ["steer"]
# Plain text on all interfaces: who may reach the port is up to whoever publishes it.
CMD ["serve", "--address", "0.0.0.0:50051", "--insecure"]
