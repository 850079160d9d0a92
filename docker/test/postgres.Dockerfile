# A stand-in for the official PostgreSQL image where no image registry is reached: the same variables, folders and start.
ARG BASE_IMAGE=stand-in-python
FROM ${BASE_IMAGE}
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends postgresql && rm -rf /var/lib/apt/lists/*
ENV PGDATA=/var/lib/postgresql/data PATH=/usr/lib/postgresql/15/bin:$PATH
RUN mkdir -p "$PGDATA" && chown postgres "$PGDATA"
COPY postgres.sh /usr/local/bin/start
USER postgres
STOPSIGNAL SIGINT
ENTRYPOINT ["sh", "/usr/local/bin/start"]
