FROM python:3.13-slim AS build
COPY . /src
RUN pip wheel --no-cache-dir --wheel-dir /wheels '/src[tls,verify]'

FROM python:3.13-slim
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels 'cobalt-sandbox[tls,verify]'
# A volume that is mounted here can be written to: a place for --tls-ca.
RUN install -d -o 10001 -g 10001 /ca
# Nothing else is ever written: the image runs with a read-only root file system.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 COBALT_SANDBOX_HOST=0.0.0.0 COBALT_SANDBOX_TLS_PORT=443
USER 10001:10001
EXPOSE 8462 443
HEALTHCHECK --interval=2s --timeout=5s --start-period=10s --retries=5 CMD ["cobalt-sandbox", "ready"]
ENTRYPOINT ["cobalt-sandbox"]
CMD ["serve"]
