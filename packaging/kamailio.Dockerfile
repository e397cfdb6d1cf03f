# Debian's Kamailio with the configurations of kamailio-config/, for compose.yaml and compose.webrtc.yaml.
FROM debian:bookworm-slim
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends kamailio kamailio-tls-modules kamailio-websocket-modules \
    && rm -rf /var/lib/apt/lists/*
COPY kamailio.cfg webrtc.cfg /etc/kamailio/
RUN mkdir -p /run/kamailio && chown kamailio:kamailio /run/kamailio
USER kamailio
ENTRYPOINT ["kamailio", "-DD", "-E", "-m", "64", "-M", "8", "-f"]
CMD ["/etc/kamailio/kamailio.cfg"]
