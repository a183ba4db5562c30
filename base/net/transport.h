// Servers and channels with the house's limits: message sizes, keepalive, idle time, reconnection.
#pragma once

#include <absl/time/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>

#include "base/status.h"

namespace aisle {

inline constexpr int kMessageSizeMax = 4 << 20;                           // Bytes, both ways, framing included.
inline constexpr absl::Duration kClientKeepalive = absl::Seconds(30);     // A dead link is noticed during a call within
inline constexpr absl::Duration kKeepaliveTimeout = absl::Seconds(15);    // the sum of these two.
inline constexpr absl::Duration kServerKeepalive = absl::Seconds(60);     // The same, seen from the coordinator.
inline constexpr absl::Duration kPingIntervalMin = absl::Seconds(10);     // Clients that ping more often are cut off.
inline constexpr absl::Duration kConnectionIdleMax = absl::Minutes(5);    // Then the server closes: idle stores hold
                                                                          // no connection.
inline constexpr absl::Duration kConnectTimeout = absl::Seconds(20);      // Slow links and busy boxes get that long.
inline constexpr absl::Duration kReconnectMin = absl::Milliseconds(500);  // gRPC doubles it, with its own jitter,
inline constexpr absl::Duration kReconnectMax = absl::Seconds(30);        // up to here.

// Bytes a peer may send ahead of what the server has taken, per stream, and bytes read from a socket at once. gRPC's
// own ways of finding these grow to megabytes per connection on a fast link: a hundred stores would cost hundreds of
// MiB. Enough for 10 MB/s at a round trip of 50 ms.
inline constexpr int kStreamWindow = 512 << 10;
inline constexpr int kSocketReadMax = 128 << 10;

// Sets the limits above. Call once per builder, before StartServer.
void ApplyServerLimits(grpc::ServerBuilder& builder);

struct RunningServer {
  std::unique_ptr<grpc::Server> server;  // Destroying it waits for calls in progress; Shutdown(deadline) first.
  int port = 0;                          // The real one, if the address asked for port 0.
};

// Listens on "host:port" and starts. Unavailable naming the address if it can't be had, such as a port in use (gRPC's
// habit of sharing ports between processes is turned off). The builder's services must outlive the server.
StatusOr<RunningServer> StartServer(grpc::ServerBuilder& builder, const std::string& address,
                                    const std::shared_ptr<grpc::ServerCredentials>& credentials);

struct ChannelTarget {
  std::string address;  // "hq.example:7400"; its host part must be a name or IP in the server's certificate …
  std::string server_name = {};  // … unless this is set: then this name must be.
  bool own_connection =
      false;  // Don't share a connection with other channels of this process: for tests and harnesses.
};

// Connects lazily. InvalidArgument for an address without a port.
StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const ChannelTarget& target,
                                                     const std::shared_ptr<grpc::ChannelCredentials>& credentials);

}  // namespace aisle
