# akb in a container: no network needed when it runs, no root, the client's folder mounted.
#
#   docker build -t akb .
#   docker run --rm --network none --user "$(id -u)" -v "$PWD:/data" akb eda polissen.csv --out out --key /data/akb.key
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY configs configs
COPY akb akb
RUN python -m venv /opt/akb \
 && /opt/akb/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock \
 && /opt/akb/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 akb \
 && mkdir /data \
 && chown akb /data
COPY --from=build /opt/akb /opt/akb
ENV PATH=/opt/akb/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER akb
WORKDIR /data
ENTRYPOINT ["akb"]
CMD ["--help"]
