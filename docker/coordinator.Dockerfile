# The coordinator image: the coordinator at headquarters, and the command line.
# Built from the repository's root: docker build -f docker/coordinator.Dockerfile -t aisle-coordinator .
FROM debian:bookworm AS build
WORKDIR /aisle
# Packages change seldom: a layer of their own.
COPY dev ./
COPY cmake/packages.txt cmake/
RUN ./dev setup --minimal
COPY . .
RUN docker/build.sh --stage coordinator /stage

FROM scratch
COPY --from=build /stage/ /
COPY --from=build --chown=10001:10001 /stage/var/lib/aisle /var/lib/aisle
USER 10001:10001
VOLUME /var/lib/aisle
# Stores and administrators (mTLS).
EXPOSE 7400
ENTRYPOINT ["/usr/local/bin/aisle-coordinator"]
CMD ["--config", "/etc/aisle/coordinator.toml"]
