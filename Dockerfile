# The floe image, for those who have a container engine: `docker build -t localhost/floe:0.1.0 .`
#
# `invoke images.build --only floe` makes an image that does the same where there is none; a test holds the two
# together. uv comes from uv.lock by its hash, everything else from uv.lock by theirs.
FROM python:3.12-slim@sha256:57cd7c3a7a273101a6485ba99423ee568157882804b1124b4dd04266317710de AS build
WORKDIR /src
COPY . .
RUN ["python", "-c", "import sys; sys.path.insert(0, 'packages/floe-ops/src'); from pathlib import Path; from floe_ops import uv_wheel; uv_wheel.ensure(Path()).rename('/usr/local/bin/uv')"]
ENV UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/opt/floe UV_LINK_MODE=copy
RUN uv sync --locked --no-dev --no-editable --compile-bytecode --python /usr/local/bin/python3 \
    && cp packages/floe-ops/src/floe_ops/images/content/floe_user_code.py /opt/floe/lib/python3.12/site-packages/ \
    && /opt/floe/bin/python -m compileall -q /opt/floe/lib/python3.12/site-packages/floe_user_code.py
ENV PATH=/opt/floe/bin:/usr/local/bin:/usr/bin:/bin
RUN mkdir /app && cp -R demo /app/products \
    && python packages/floe-ops/src/floe_ops/images/content/parse_products.py /app/products /app/parsed

FROM python:3.12-slim@sha256:57cd7c3a7a273101a6485ba99423ee568157882804b1124b4dd04266317710de
LABEL org.opencontainers.image.title="floe" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV DAGSTER_DISABLE_TELEMETRY=yes \
    DAGSTER_HOME=/opt/dagster/home \
    DO_NOT_TRACK=1 \
    HOME=/tmp \
    LANG=C.UTF-8 \
    PATH=/opt/floe/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TZ=UTC
COPY --from=build /opt/floe /opt/floe
COPY --from=build /app /app
RUN ["useradd", "--uid", "1000", "--home-dir", "/tmp", "--no-create-home", "--shell", "/usr/sbin/nologin", "floe"]
WORKDIR /app
USER 1000:1000
CMD ["floe", "--help"]
