#include "base/net/transport.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <charconv>

#include "base/net/grpc_setup.h"

namespace aisle {
namespace {

int Milliseconds(absl::Duration duration) { return static_cast<int>(absl::ToInt64Milliseconds(duration)); }

grpc::ChannelArguments ClientLimits(const ChannelTarget& target) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageSizeMax);
  arguments.SetMaxSendMessageSize(kMessageSizeMax);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(kClientKeepalive));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(kKeepaliveTimeout));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
  // A long poll sends no data for a minute; its pings must not be held back for that.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, Milliseconds(kReconnectMin));
  // Despite its name: how long an attempt to connect, TLS handshake and all, may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, Milliseconds(kConnectTimeout));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, Milliseconds(kReconnectMax));
  // One coordinator address, no load balancer's configuration from DNS, no proxy from the environment.
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (target.own_connection) arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  if (!target.server_name.empty()) arguments.SetSslTargetNameOverride(target.server_name);
  return arguments;
}

Status CheckAddress(const std::string& address) {
  const size_t colon = address.rfind(':');
  unsigned port = 0;
  const char* const end = address.data() + address.size();
  if (colon != std::string::npos && colon > 0) {
    const auto [rest, error] = std::from_chars(address.data() + colon + 1, end, port);
    if (error == std::errc() && rest == end && port <= 65535) return OkStatus();
  }
  return InvalidArgument("'{}' is no address; it needs to be host:port, or [v6 address]:port", address);
}

}  // namespace

void ApplyServerLimits(grpc::ServerBuilder& builder) {
  SetUpGrpc();
  builder.SetMaxReceiveMessageSize(kMessageSizeMax);
  builder.SetMaxSendMessageSize(kMessageSizeMax);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(kServerKeepalive));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(kKeepaliveTimeout));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, Milliseconds(kPingIntervalMin));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, Milliseconds(kConnectionIdleMax));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kStreamWindow);
  builder.AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, kSocketReadMax);
  // Otherwise two coordinators could listen on one port, each getting some of the stores.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

StatusOr<RunningServer> StartServer(grpc::ServerBuilder& builder, const std::string& address,
                                    const std::shared_ptr<grpc::ServerCredentials>& credentials) {
  AISLE_RETURN_IF_ERROR(CheckAddress(address));
  RunningServer running;
  builder.AddListeningPort(address, credentials, &running.port);
  running.server = builder.BuildAndStart();
  if (running.server == nullptr || running.port == 0) {
    return Unavailable("cannot listen on {}: the port is in use, or the address isn't this machine's", address);
  }
  return running;
}

StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const ChannelTarget& target,
                                                     const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  SetUpGrpc();
  AISLE_RETURN_IF_ERROR(CheckAddress(target.address));
  return grpc::CreateCustomChannel(target.address, credentials, ClientLimits(target));
}

}  // namespace aisle
