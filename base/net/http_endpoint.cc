#include "base/net/http_endpoint.h"

#include <httplib.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <thread>

namespace aisle {
namespace {

constexpr size_t kThreads = 2;
constexpr time_t kSilenceMaxSeconds = 1;
constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* kTextType = "text/plain; charset=utf-8";

std::string RenderMetrics(const std::vector<std::shared_ptr<prometheus::Collectable>>& sources) {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& source : sources) {
    std::vector<prometheus::MetricFamily> more = source->Collect();
    families.insert(families.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  return prometheus::TextSerializer().Serialize(families);
}

void AnswerReadiness(const std::function<Status()>& readiness, httplib::Response& response) {
  const Status ready = readiness ? readiness() : OkStatus();
  response.status = ready.ok() ? 200 : 503;
  response.set_content(ready.ok() ? "ready\n" : fmt::format("not ready: {}\n", MessageOf(ready)), kTextType);
}

// Unlike httplib's own choice this leaves SO_REUSEPORT off: two programs on one port would each get half of the
// scrapes.
void AllowRestartOnly(int socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

}  // namespace

struct HttpEndpoint::State {
  HttpEndpointOptions options;
  httplib::Server server;
  int port = 0;
  std::atomic<bool> ended = false;
  std::thread thread;

  void Configure();
  Status Bind();
  void Run();
};

void HttpEndpoint::State::Configure() {
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_socket_options(AllowRestartOnly);
  server.set_keep_alive_max_count(1);  // A connection that is kept would hold a thread, and the stop, for seconds.
  server.set_keep_alive_timeout(kSilenceMaxSeconds);
  server.set_read_timeout(kSilenceMaxSeconds);
  server.set_write_timeout(kSilenceMaxSeconds);
  server.set_payload_max_length(0);
  server.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(RenderMetrics(options.metrics), kMetricsType);
  });
  server.Get("/healthz",
             [](const httplib::Request&, httplib::Response& response) { response.set_content("ok\n", kTextType); });
  server.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
    AnswerReadiness(options.readiness, response);
  });
}

Status HttpEndpoint::State::Bind() {
  errno = 0;
  port = options.port;
  if (options.port == 0) {
    port = server.bind_to_any_port(options.host);
  } else if (!server.bind_to_port(options.host, options.port)) {
    port = -1;
  }
  if (port > 0) return OkStatus();
  const int error = errno;
  char text[128];
  return Unavailable("cannot listen for HTTP on {}:{}: {}", options.host, options.port,
                     error == 0 ? "no such address" : strerror_r(error, text, sizeof text));
}

void HttpEndpoint::State::Run() {
  thread = std::thread([this] {
    server.listen_after_bind();
    ended = true;
  });
  // httplib forgets a stop that comes before it runs.
  while (!server.is_running() && !ended) std::this_thread::yield();
}

StatusOr<std::unique_ptr<HttpEndpoint>> HttpEndpoint::Start(HttpEndpointOptions options) {
  if (options.port < 0 || options.port > 65535) return InvalidArgument("HTTP port {} is not 0 to 65535", options.port);
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  state->Configure();
  AISLE_RETURN_IF_ERROR(state->Bind());
  state->Run();
  return std::unique_ptr<HttpEndpoint>(new HttpEndpoint(std::move(state)));
}

HttpEndpoint::HttpEndpoint(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpEndpoint::~HttpEndpoint() {
  state_->server.stop();
  state_->thread.join();
}

int HttpEndpoint::port() const { return state_->port; }

}  // namespace aisle
