# Debian's Kamailio with the configuration of kamailio-config/, for compose.yaml.
FROM debian:bookworm-slim
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends kamailio \
    && rm -rf /var/lib/apt/lists/*
COPY kamailio.cfg /etc/kamailio/kamailio.cfg
RUN mkdir -p /run/kamailio && chown kamailio:kamailio /run/kamailio
USER kamailio
CMD ["kamailio", "-DD", "-E", "-m", "64", "-M", "8", "-f", "/etc/kamailio/kamailio.cfg"]
