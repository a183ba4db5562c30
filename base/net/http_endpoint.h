// The operator's door: GET /metrics, /healthz and /readyz over plain HTTP, on loopback unless told otherwise.
//
// prometheus-cpp's own Exposer is not used: it fails in processes that link OpenBLAS and takes 2 s to stop.
#pragma once

#include <prometheus/collectable.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace aisle {

struct HttpEndpointOptions {
  std::string host = "127.0.0.1";
  int port = 0;  // 0: the kernel chooses.
  // Their metrics together are the answer to /metrics, in the text format 0.0.4.
  std::vector<std::shared_ptr<prometheus::Collectable>> metrics = {};
  // OK: ready. An error: /readyz answers 503 with its message. Called on the endpoint's threads; must be thread-safe
  // and quick. Without one the endpoint is always ready.
  std::function<Status()> readiness = {};
};

// Listens from Start until destruction. /healthz answers 200 "ok" as long as the process lives. Two threads of its own
// serve one request per connection; a client that says nothing is cut off after a second, so stopping takes at most
// that.
class HttpEndpoint {
 public:
  // Unavailable naming address and reason if it can't listen ("address already in use").
  static StatusOr<std::unique_ptr<HttpEndpoint>> Start(HttpEndpointOptions options);
  ~HttpEndpoint();
  HttpEndpoint(const HttpEndpoint&) = delete;
  HttpEndpoint& operator=(const HttpEndpoint&) = delete;

  int port() const;

 private:
  struct State;
  explicit HttpEndpoint(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace aisle
