#include "tests/simulation/network.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

namespace aisle::simulation {
namespace {

constexpr absl::Duration kSilenceMax = absl::Seconds(20);  // Until a dead link is noticed.
constexpr absl::Duration kRepeatedMax = absl::Minutes(1);  // Until a repeated request comes again.
constexpr size_t kRecordedMax = 500;
constexpr absl::Duration kBetweenPieces = absl::Milliseconds(2);

Status Lost() { return Unavailable("the connection was reset"); }

}  // namespace

std::string_view NameOf(Method method) {
  static constexpr std::string_view kNames[] = {"CheckIn",   "ReportOutcome", "SumStep", "GetUploadStatus",
                                                "FetchBlob", "Upload",        "Renew"};
  return kNames[static_cast<size_t>(method)];
}

// A call, from when it is made until its caller has gone.
struct Network::Exchange {
  StoreId store;
  Method method = Method::kCheckIn;
  uint64_t call = 0;
  uint64_t generation = 0;
  Lane* lane = nullptr;  // Null once the caller has gone.
  std::optional<StatusOr<std::string>> answer;
  bool answered = false;           // By the server.
  std::deque<std::string> pieces;  // Of a download, arrived.
  uint64_t cut_at = UINT64_MAX;    // Bytes of the stream that still arrive.
  bool broken = false;             // Nothing passes any more, either way.
  absl::Time last_arrival;         // Of the stream's messages so far.
  std::shared_ptr<Server::Stream> upload;

  void Wake() const {
    if (lane != nullptr) lane->Wake();
  }
};

void Network::Serve(Server* server) {
  server_ = server;
  ++generation_;
  if (server != nullptr) return;
  for (const auto& [call, exchange] : open_) {
    if (!IsParted(exchange->store)) Break(exchange, Lost(), Delay());
  }
  ForgetUploads();
}

// What the server has of them is its own memory, and keeps the exchange.
void Network::ForgetUploads() {
  for (const std::weak_ptr<Exchange>& upload : std::exchange(uploads_, {})) {
    if (const Shared exchange = upload.lock()) exchange->upload.reset();
  }
}

void Network::Part(const StoreId& store) {
  if (!parted_.insert(store).second) return;
  for (const auto& [call, exchange] : open_) {
    if (exchange->store == store) FallSilent(exchange);
  }
}

void Network::Heal(const StoreId& store) { parted_.erase(store); }

void Network::HealAll() { parted_.clear(); }

absl::Duration Network::Draw(absl::Duration from, absl::Duration to) { return from + (to - from) * random_.Fraction(); }

absl::Duration Network::Delay() { return Draw(conditions.delay_min, conditions.delay_max); }

bool Network::Chance(double probability) { return probability > 0 && random_.Fraction() < probability; }

// Whether what was sent now would find the server that the call was made to.
bool Network::Reaches(const Shared& exchange) const {
  return !IsParted(exchange->store) && server_ != nullptr && exchange->generation == generation_;
}

std::string Network::Send(const Exchange& exchange, bool up, std::string message) {
  ++messages_;
  bytes_ += message.size();
  for (const auto& tap : taps_) {
    tap({.store = exchange.store, .up = up, .method = exchange.method, .call = exchange.call, .bytes = message});
  }
  if (!up) return message;
  if (const auto rewrite = rewrites_.find(exchange.store); rewrite != rewrites_.end() && rewrite->second) {
    message = rewrite->second(exchange.method, std::move(message));
  }
  recorded_.push_back({exchange.store, exchange.method, message});
  if (recorded_.size() > kRecordedMax) recorded_.pop_front();
  return message;
}

void Network::ReplayOne() {
  if (recorded_.empty()) return;
  const Recorded& said = recorded_[random_.Below(recorded_.size())];
  if (!IsParted(said.store)) Inject(said.store, said.method, said.message);
}

Network::Shared Network::Open(const Caller& caller, Method method, uint64_t stream_size) {
  auto exchange = std::make_shared<Exchange>();
  exchange->store = caller.store;
  exchange->method = method;
  exchange->call = ++last_call_;
  exchange->generation = generation_;
  exchange->lane = &caller.lane;
  if (stream_size > 0 && Chance(conditions.cut)) exchange->cut_at = random_.Below(stream_size + 1);
  open_.emplace(exchange->call, exchange);
  return exchange;
}

// The caller has gone. A server that doesn't know of it yet learns it.
void Network::Close(const Shared& exchange) {
  open_.erase(exchange->call);
  exchange->lane = nullptr;
  if (exchange->answered || exchange->generation != generation_) return;
  timeline_.After(Delay(), [this, exchange] {
    if (server_ == nullptr || exchange->generation != generation_ || exchange->answered) return;
    if (exchange->upload != nullptr) exchange->upload->End();
    if (exchange->method == Method::kCheckIn) server_->HangUp(exchange->store, exchange->call);
  });
}

void Network::Settle(const Shared& exchange, StatusOr<std::string> answer) {
  if (exchange->answer || exchange->lane == nullptr) return;
  exchange->answer = std::move(answer);
  exchange->Wake();
}

void Network::Break(const Shared& exchange, Status why, absl::Duration after) {
  timeline_.After(after, [this, exchange, why = std::move(why)] { Settle(exchange, why); });
}

// Its caller notices after a while.
void Network::FallSilent(const Shared& exchange) {
  exchange->broken = true;
  Break(exchange, Lost(), Draw(absl::ZeroDuration(), kSilenceMax));
}

void Network::Carry(const Shared& exchange, std::function<void()> arrive) {
  if (exchange->broken) return;
  if (IsParted(exchange->store) || Chance(conditions.loss)) return FallSilent(exchange);
  exchange->last_arrival = std::max(exchange->last_arrival, timeline_.Now() + Delay());
  timeline_.At(exchange->last_arrival, [this, exchange, arrive = std::move(arrive)] {
    if (exchange->broken) return;
    if (IsParted(exchange->store)) return FallSilent(exchange);
    arrive();
  });
}

Server::Reply Network::ReplyTo(const Shared& exchange) {
  return [this, exchange](StatusOr<std::string> message) {
    exchange->answered = true;
    if (message.ok()) message = Send(*exchange, false, *std::move(message));
    Carry(exchange, [this, exchange, message = std::move(message)] { Settle(exchange, message); });
  };
}

void Network::Inject(const StoreId& store, Method method, std::string message) {
  if (server_ == nullptr) return;
  const uint64_t call = ++last_call_;
  if (method == Method::kUpload) {
    server_->Upload(store, [](const auto&) {})->Take(std::move(message));
  } else if (method == Method::kFetchBlob) {
    server_->Fetch(
        store, std::move(message), [](const auto&) {}, [](const auto&) {});
  } else {
    server_->Call(store, method, call, std::move(message), [](const auto&) {});
  }
}

void Network::Repeat(const StoreId& store, Method method, const std::string& message) {
  if (!Chance(conditions.duplicate)) return;
  timeline_.After(Draw(absl::ZeroDuration(), kRepeatedMax), [=, this] {
    if (!IsParted(store)) Inject(store, method, message);
  });
}

void Network::Wait(const Caller& caller, const std::function<bool()>& ready) {
  const std::stop_callback waker(caller.stop, [&caller] { caller.lane.Wake(); });
  WaitUntil(caller.process, [&] { return caller.stop.stop_requested() || ready(); });
}

StatusOr<std::string> Network::Await(const Caller& caller, const Shared& exchange) {
  const Timeline::Id timeout = timeline_.After(caller.timeout, [this, exchange] {
    Settle(exchange, MakeStatus(StatusCode::kDeadlineExceeded, "the call took too long"));
  });
  Wait(caller, [&] { return exchange->answer.has_value(); });
  timeline_.Cancel(timeout);
  Close(exchange);
  if (exchange->answer) return *std::move(exchange->answer);
  return Cancelled("the call was stopped");
}

StatusOr<std::string> Network::Call(const Caller& caller, Method method, std::string message) {
  if (caller.process.dead()) return Cancelled("the process is dead");
  const Shared exchange = Open(caller, method, 0);
  message = Send(*exchange, true, std::move(message));
  Repeat(caller.store, method, message);
  Carry(exchange, [this, exchange, method, message = std::move(message)]() mutable {
    if (!Reaches(exchange)) return Break(exchange, Unavailable("nobody is there"), Delay());
    server_->Call(exchange->store, method, exchange->call, std::move(message), ReplyTo(exchange));
  });
  return Await(caller, exchange);
}

Status Network::Fetch(const Caller& caller, std::string message, uint64_t expected,
                      const std::function<Status(std::string_view)>& sink) {
  if (caller.process.dead()) return Cancelled("the process is dead");
  const Shared exchange = Open(caller, Method::kFetchBlob, expected);
  message = Send(*exchange, true, std::move(message));
  const auto take = [this, exchange](std::string piece) {
    piece = Send(*exchange, false, std::move(piece));
    if (piece.size() > exchange->cut_at) {
      exchange->cut_at = 0;
      return Break(exchange, Lost(), Delay());
    }
    exchange->cut_at -= piece.size();
    Carry(exchange, [exchange, piece = std::move(piece)]() mutable {
      exchange->pieces.push_back(std::move(piece));
      exchange->Wake();
    });
  };
  Carry(exchange, [this, exchange, take, message = std::move(message)]() mutable {
    if (!Reaches(exchange)) return Break(exchange, Unavailable("nobody is there"), Delay());
    server_->Fetch(exchange->store, std::move(message), take, ReplyTo(exchange));
  });
  for (Status taken;;) {
    Wait(caller, [&] { return exchange->answer.has_value() || !exchange->pieces.empty(); });
    while (!exchange->pieces.empty() && taken.ok() && !caller.process.dead()) {
      taken = sink(exchange->pieces.front());
      exchange->pieces.pop_front();
    }
    if (taken.ok() && !exchange->answer && !caller.stop.stop_requested() && !caller.process.dead()) continue;
    Close(exchange);
    if (!taken.ok()) return taken;
    return exchange->answer ? exchange->answer->status() : Cancelled("the call was stopped");
  }
}

StatusOr<std::string> Network::Upload(const Caller& caller, uint64_t expected,
                                      const std::function<StatusOr<std::string>()>& source) {
  if (caller.process.dead()) return Cancelled("the process is dead");
  const Shared exchange = Open(caller, Method::kUpload, expected);
  bool cut = false;
  while (!cut && !exchange->answer && !caller.stop.stop_requested() && !caller.process.dead()) {
    StatusOr<std::string> piece = source();
    if (!piece.ok()) {
      Close(exchange);
      return piece.status();
    }
    if (piece->empty()) break;
    std::string message = Send(*exchange, true, *std::move(piece));
    cut = message.size() > exchange->cut_at;
    if (cut) break;
    exchange->cut_at -= message.size();
    Carry(exchange, [this, exchange, message = std::move(message)]() mutable {
      if (!Reaches(exchange)) return Break(exchange, Unavailable("nobody is there"), Delay());
      if (exchange->upload == nullptr) {
        exchange->upload = server_->Upload(exchange->store, ReplyTo(exchange));
        uploads_.push_back(exchange);
      }
      exchange->upload->Take(std::move(message));
    });
    const absl::Time next = timeline_.Now() + Draw(absl::ZeroDuration(), kBetweenPieces);
    timeline_.At(next, [exchange] { exchange->Wake(); });
    Wait(caller, [&] { return timeline_.Now() >= next || exchange->answer.has_value(); });
  }
  if (cut) Break(exchange, Lost(), Delay());
  if (!cut && !caller.stop.stop_requested() && !caller.process.dead()) {
    Carry(exchange, [this, exchange] {
      if (Reaches(exchange) && exchange->upload != nullptr) exchange->upload->End();
    });
  }
  return Await(caller, exchange);
}

}  // namespace aisle::simulation
