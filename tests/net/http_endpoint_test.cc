#include "base/net/http_endpoint.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <sys/socket.h>

#include <atomic>

#include "base/net/process_metrics.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

FileDescriptor ConnectTo(int port) {
  FileDescriptor connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return connection;
}

// Everything that is answered to `request` until the connection is closed.
std::string Ask(int port, std::string_view request) {
  const FileDescriptor connection = ConnectTo(port);
  size_t sent = 0;
  while (sent < request.size()) {
    const ssize_t put = ::send(connection.get(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (put <= 0) break;  // The endpoint has heard enough.
    sent += static_cast<size_t>(put);
  }
  std::string answer;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::recv(connection.get(), buffer, sizeof buffer, 0);
    if (got <= 0) return answer;
    answer.append(buffer, static_cast<size_t>(got));
  }
}

std::string Get(int port, std::string_view path) {
  return Ask(port, fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", path));
}

bool Has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(HttpEndpointTest, ShowsTheMetricsOfAllItsSources) {
  auto registry = std::make_shared<prometheus::Registry>();
  auto& family = prometheus::BuildCounter().Name("aisle_test_things_total").Help("Things.").Register(*registry);
  family.Add({}).Increment(3);
  const auto endpoint =
      HttpEndpoint::Start({.metrics = {registry, MakeProcessMetrics("test", "0.1.0")}, .readiness = {}}).value();
  const std::string answer = Get(endpoint->port(), "/metrics");
  EXPECT_TRUE(Has(answer, "HTTP/1.1 200")) << answer;
  EXPECT_TRUE(Has(answer, "text/plain; version=0.0.4")) << answer;
  EXPECT_TRUE(Has(answer, "\naisle_test_things_total 3\n")) << answer;
  EXPECT_TRUE(Has(answer, "\naisle_test_resident_bytes ")) << answer;
}

TEST(HttpEndpointTest, TellsLifeFromReadiness) {
  std::atomic<bool> ready = false;
  const auto endpoint =
      HttpEndpoint::Start(
          {.metrics = {},
           .readiness = [&ready] { return ready ? OkStatus() : Unavailable("the journal is being replayed"); }})
          .value();
  EXPECT_TRUE(Has(Get(endpoint->port(), "/healthz"), "200"));
  const std::string not_yet = Get(endpoint->port(), "/readyz");
  EXPECT_TRUE(Has(not_yet, "503")) << not_yet;
  EXPECT_TRUE(Has(not_yet, "the journal is being replayed")) << not_yet;
  ready = true;
  EXPECT_TRUE(Has(Get(endpoint->port(), "/readyz"), "HTTP/1.1 200"));
}

TEST(HttpEndpointTest, IsReadyWhereNobodySaysOtherwise) {
  const auto endpoint = HttpEndpoint::Start({}).value();
  EXPECT_TRUE(Has(Get(endpoint->port(), "/readyz"), "HTTP/1.1 200"));
}

TEST(HttpEndpointTest, AnswersNothingElse) {
  const auto endpoint = HttpEndpoint::Start({}).value();
  for (const char* path : {"/", "/metrics/", "/metricsx", "/../etc/passwd", "//metrics", "/%2e%2e/x"}) {
    EXPECT_TRUE(Has(Get(endpoint->port(), path), "HTTP/1.1 404")) << path;
  }
  EXPECT_TRUE(Has(Ask(endpoint->port(), "DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 404"));
}

TEST(HttpEndpointTest, OutlivesNonsense) {
  const auto endpoint = HttpEndpoint::Start({}).value();
  Ask(endpoint->port(), "\r\n\r\n");
  Ask(endpoint->port(), std::string("\0\xff\r\n\r\n", 6));
  Ask(endpoint->port(), "GET " + std::string(1 << 20, 'a') + " HTTP/1.1\r\n\r\n");
  Ask(endpoint->port(), "GET /metrics HTTP/1.1\r\nX: " + std::string(1 << 20, 'a') + "\r\n\r\n");
  Ask(endpoint->port(), "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nx");
  EXPECT_TRUE(Has(Get(endpoint->port(), "/healthz"), "HTTP/1.1 200"));
}

TEST(HttpEndpointTest, SaysSoIfThePortIsInUse) {
  const auto first = HttpEndpoint::Start({}).value();
  const Status second = HttpEndpoint::Start({.port = first->port()}).status();
  EXPECT_EQ(second.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(Has(std::string(MessageOf(second)), "in use")) << second;
  EXPECT_TRUE(Has(std::string(MessageOf(second)), std::to_string(first->port()))) << second;
}

TEST(HttpEndpointTest, RefusesWhatIsNoPlaceToListen) {
  EXPECT_EQ(HttpEndpoint::Start({.port = 65536}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(HttpEndpoint::Start({.host = "192.0.2.1"}).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(HttpEndpoint::Start({.host = "no such host"}).status().code(), StatusCode::kUnavailable);
}

TEST(HttpEndpointTest, FreesItsPortWhenItStops) {
  int port = 0;
  {
    const auto first = HttpEndpoint::Start({}).value();
    port = first->port();
    Get(port, "/healthz");
  }
  EXPECT_TRUE(HttpEndpoint::Start({.port = port}).ok());
}

TEST(HttpEndpointTest, StopsAlthoughAClientBeganToSpeakAndFellSilent) {
  FileDescriptor silent;
  {
    const auto endpoint = HttpEndpoint::Start({}).value();
    silent = ConnectTo(endpoint->port());
    ASSERT_EQ(::send(silent.get(), "GET /met", 8, MSG_NOSIGNAL), 8);
    Get(endpoint->port(), "/healthz");  // Answered by the second thread: so the first has the silent one in hand.
  }
  SUCCEED();
}

}  // namespace
}  // namespace aisle
