# docker build -t task-assist .
# docker run -p 127.0.0.1:8000:8000 -v task-manager-data:/app/data --env-file .env task-assist
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends binutils
# Not below /app: a volume mounted there, instead of at /app/data, would keep the code, and each newer image run the old.
# A venv without pip, linked to the base's own Python: it needs the same base in the stage below, and nothing else.
RUN python3 -m venv --without-pip /opt/task-assist/.venv
COPY requirements/app.txt /tmp/
# pip leaves bytecode beside what it installs: a start without it takes half a second longer.
RUN pip --python /opt/task-assist/.venv/bin/python install --no-cache-dir --require-hashes -r /tmp/app.txt \
 && find /opt/task-assist/.venv -type d \( -name tests -o -name test -o -name testing \) -prune -exec rm -rf {} + \
 && find /opt/task-assist/.venv -type f -name '*.so*' -exec strip --strip-unneeded {} +
RUN printf '#!/bin/sh\nexec /opt/task-assist/.venv/bin/python -P -m app "$@"\n' >/opt/task-assist/.venv/bin/task-assist \
 && chmod +x /opt/task-assist/.venv/bin/task-assist
COPY app /opt/task-assist/app
RUN python3 -m compileall -q /opt/task-assist/app

FROM ${PYTHON_IMAGE}
RUN useradd --uid 1000 --home-dir /app --shell /usr/sbin/nologin app && install -d -o app -g app -m 700 /app/data /backups
COPY --from=build /opt/task-assist/.venv /opt/task-assist/.venv
COPY --from=build /opt/task-assist/app /opt/task-assist/app
# pydantic would read what every installed package says of itself, in search of plug-ins: at each start.
ENV PYDANTIC_DISABLE_PLUGINS=__all__
ENV PATH=/opt/task-assist/.venv/bin:$PATH PYTHONPATH=/opt/task-assist PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    APP_ENV=production DATABASE_PATH=/app/data/task_manager.db
WORKDIR /app
USER app
EXPOSE 8000
STOPSIGNAL SIGTERM
# No VOLUME line: it would give every run without -v an anonymous volume, which looks persistent and is not.
# By bash alone: `task-assist healthcheck` starts Python each time, which takes 26 ms of the processor instead of 2.5.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/8000 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
CMD ["task-assist", "serve"]
