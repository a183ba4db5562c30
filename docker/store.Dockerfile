# The store image: a store's edge box: agent, worker, and the command line.
# Built from the repository's root: docker build -f docker/store.Dockerfile -t aisle-store .
FROM debian:bookworm AS build
WORKDIR /aisle
# Packages change seldom: a layer of their own.
COPY dev ./
COPY cmake/packages.txt cmake/
RUN ./dev setup --minimal
COPY . .
RUN docker/build.sh --stage store /stage

FROM scratch
COPY --from=build /stage/ /
COPY --from=build --chown=10001:10001 /stage/var/lib/aisle /var/lib/aisle
USER 10001:10001
VOLUME /var/lib/aisle
ENTRYPOINT ["/usr/local/bin/aisle-agent"]
CMD ["--config", "/etc/aisle/agent.toml"]
