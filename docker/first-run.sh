#!/bin/bash
# Makes what the compose file needs the first time: the chain's keys, and an invitation for each of the three stores. Uses
# the images' own programs. Safe to run again: what is there stays.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly STORES=(store-1 store-2 store-3)
compose=(docker compose -f compose.yaml)
in_coordinator=("${compose[@]}" run --rm -T --entrypoint /usr/local/bin/aisle coordinator)
connection=(--coordinator coordinator:7400 --identity /var/lib/aisle/chain)

mkdir -p run/headquarters/invitations
for store in "${STORES[@]}"; do
  mkdir -p "run/$store"
done
# The images run as this user.
[[ $(stat -c %u run/headquarters) == 10001 ]] || chown -R 10001:10001 run 2>/dev/null || sudo chown -R 10001:10001 run

if [[ ! -e run/headquarters/chain/ca.pem ]]; then
  "${in_coordinator[@]}" init /var/lib/aisle/chain --chain compose --server-name coordinator --server-name localhost
  # Prometheus reads the metrics from another container.
  sed -i 's/^metrics_listen = .*/metrics_listen = "0.0.0.0:7401"/' run/headquarters/chain/coordinator.toml
fi

"${compose[@]}" up -d coordinator
until "${in_coordinator[@]}" overview "${connection[@]}" >/dev/null 2>&1; do sleep 1; done

for store in "${STORES[@]}"; do
  [[ -e run/$store/enrol.toml ]] && continue
  "${in_coordinator[@]}" store add "$store" --out "/var/lib/aisle/invitations/$store.enrol.toml" "${connection[@]}"
  mv "run/headquarters/invitations/$store.enrol.toml" "run/$store/enrol.toml"
done
echo "Ready: docker compose -f docker/compose.yaml up -d"
