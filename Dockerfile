# docker build -t chipgate .
# docker run --name chipgate --network host -v ./config:/etc/chipgate:ro -v chipgate-state:/var/lib/chipgate \
#   -e SMARTPROXY_USERNAME -e SMARTPROXY_PASSWORD chipgate
#
# ./config has the chipgate.yaml. Its folder is mounted and not the file: an editor that replaces the file would leave its
# mount behind. `docker kill -s HUP chipgate` has the configuration read again.
#
# The volume keeps the ledger, which knows which chip has which address, and the token of the control port.
#
# A chip's port listens on the loopback of its network namespace, so clients share that namespace: --network host, or
# network_mode: "service:chipgate" for a client in a container. docs/clients.md has the other ways and their price. No port
# is exposed: which there are is the configuration's to say, and by default none listens beyond loopback.
FROM debian:bookworm-slim AS build
WORKDIR /chipgate
COPY .ci/packages .ci/packages
RUN bash -c 'source .ci/packages && install_packages "${build_packages[@]}"'
COPY CMakeLists.txt CMakePresets.json ./
COPY include include
COPY src src
COPY docs/openapi.json docs/openapi.json
RUN cmake --preset release -DCHIPGATE_TESTS=OFF \
 && cmake --build --preset release --target chipgate \
 && strip --strip-debug build/release/chipgate

FROM debian:bookworm-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates libfmt9 libprometheus-cpp-core1.0 libspdlog1.10 libsqlite3-0 libssl3 libyaml-cpp0.7 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin chipgate
COPY --from=build /chipgate/build/release/chipgate /usr/local/bin/chipgate
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/chipgate
ENV CHIPGATE_STATE_DIR=/var/lib/chipgate
VOLUME /var/lib/chipgate
COPY LICENSE /usr/share/doc/chipgate/LICENSE
USER 10001:10001
STOPSIGNAL SIGTERM
# Readiness, asked with bash alone. It asks where admin.listen is by default; override it where yours is elsewhere.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/9310 && printf 'GET /readyz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r -t 2 _ status _ <&3 && [[ $status == 200 ]]"]
ENTRYPOINT ["chipgate"]
CMD ["serve", "--config", "/etc/chipgate/chipgate.yaml"]
