# ngdaemon in a container: not root, no privilege, the log on standard error.
#
#   docker build -t ngdaemon .
#   docker run --network host ngdaemon
#
# Media needs the host's addresses and a wide range of ports, so run it in the host's network. Options are best set by
# environment (-e NGDAEMON_INTERFACE=…) or in /etc/ngdaemon/ngdaemon.conf: the health check reads them there too.

# The same Debian, with a Rust toolchain in it: install.sh finds it, and builds the native forwarder too.
FROM rust:1-slim-bookworm AS build
COPY . /source
RUN /source/packaging/install.sh build

FROM debian:bookworm-slim
COPY --from=build /opt/ngdaemon /opt/ngdaemon
COPY packaging /source/packaging
RUN /source/packaging/install.sh runtime && rm -r /source
USER ngdaemon
ENTRYPOINT ["ngdaemon"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 CMD ["ngdaemon", "--ping"]
