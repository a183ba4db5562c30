// What lies between stores and headquarters: it delays, loses, repeats and reorders messages, cuts streams at any byte,
// and falls apart. It carries bytes, as the wire does; link.h and door.h make values of them.
#pragma once

#include <absl/time/time.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "base/status.h"
#include "tests/simulation/process.h"

namespace aisle::simulation {

// The Fleet calls.
enum class Method { kCheckIn, kReportOutcome, kSumStep, kGetUploadStatus, kFetchBlob, kUpload, kRenew };
std::string_view NameOf(Method method);  // "CheckIn".

inline constexpr uint64_t kPiecesOfLongStreams = 32;

struct LinkConditions {
  absl::Duration delay_min = absl::Milliseconds(1);   // Of each message, drawn evenly …
  absl::Duration delay_max = absl::Milliseconds(20);  // … so that they overtake each other.
  double loss = 0;                                    // Chance of a message, and of its call with it.
  double duplicate = 0;      // Chance that a request comes a second time, up to a minute later.
  double cut = 0;            // Chance of a stream, at any byte.
  uint64_t piece_max = 512;  // Bytes of data in a message of a stream, drawn evenly; more in long streams.
};

// A message on its way, as a tap sees it.
struct Sent {
  StoreId store;
  bool up = true;  // From the store.
  Method method = Method::kCheckIn;
  uint64_t call = 0;       // Messages of one call have one number.
  std::string_view bytes;  // One encoded message.
};

// Headquarters' side of the wire. Calls come from the timeline, while headquarters runs.
class Server {
 public:
  using Reply = std::function<void(StatusOr<std::string> message)>;
  struct Stream {  // An upload, message by message; `End` when the store said it was all, or the stream was cut.
    virtual ~Stream() = default;
    virtual void Take(std::string message) = 0;
    virtual void End() = 0;
  };
  virtual ~Server() = default;
  virtual void Call(const StoreId& store, Method method, uint64_t call, std::string message, Reply reply) = 0;
  virtual void HangUp(const StoreId& store, uint64_t call) = 0;
  // Each message of the answer goes to `next`; `end` hears how it ended.
  virtual void Fetch(const StoreId& store, std::string message, std::function<void(std::string)> next, Reply end) = 0;
  virtual std::shared_ptr<Stream> Upload(const StoreId& store, Reply reply) = 0;
};

class Network {
 public:
  Network(Timeline& timeline, RandomSource& random) : timeline_(timeline), random_(random) {}
  ~Network() { ForgetUploads(); }
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Null while headquarters is down: whoever calls finds nobody, and open calls break.
  void Serve(Server* server);

  LinkConditions conditions;        // Of every link.
  void Part(const StoreId& store);  // Its link is dead: nothing passes, and open calls hear nothing more.
  void Heal(const StoreId& store);
  bool IsParted(const StoreId& store) const { return parted_.contains(store); }
  void HealAll();

  // Sees every message that is sent, whether it arrives or not; repeats it doesn't see.
  void Tap(std::function<void(const Sent&)> tap) { taps_.push_back(std::move(tap)); }
  // May rewrite what that store sends, message by message, after the taps have seen it: liars, old versions. Empty:
  // none.
  using Rewrite = std::function<std::string(Method method, std::string message)>;
  void SetRewrite(const StoreId& store, Rewrite rewrite) { rewrites_[store] = std::move(rewrite); }
  // Sends a message of that store again, or one it never sent; nobody hears the answer.
  void Inject(const StoreId& store, Method method, std::string message);

  // Injects one of the latest messages, of whichever store.
  void ReplayOne();

  // What a call is made with. The lane is the fiber's own.
  struct Caller {
    const StoreId& store;
    const Process& process;
    Lane& lane;
    std::stop_token stop;
    absl::Duration timeout;
  };
  // Blocking, on a fiber. Unavailable, Cancelled and DeadlineExceeded as gRPC has them.
  StatusOr<std::string> Call(const Caller& caller, Method method, std::string message);
  // Streams of about `expected` bytes: where one is cut is drawn evenly over them. The source's empty message ends it.
  Status Fetch(const Caller& caller, std::string message, uint64_t expected,
               const std::function<Status(std::string_view)>& sink);
  StatusOr<std::string> Upload(const Caller& caller, uint64_t expected,
                               const std::function<StatusOr<std::string>()>& source);

  // How much data the next message of a stream holds.
  // Of a stream of that many bytes: long ones go in larger pieces, since what a piece costs is the same for all.
  uint64_t DrawPiece(uint64_t stream_size) {
    return 1 + random_.Below(std::max(conditions.piece_max, stream_size / kPiecesOfLongStreams));
  }
  uint64_t messages() const { return messages_; }
  uint64_t bytes() const { return bytes_; }

 private:
  struct Exchange;
  using Shared = std::shared_ptr<Exchange>;
  absl::Duration Delay();
  absl::Duration Draw(absl::Duration from, absl::Duration to);
  bool Chance(double probability);
  bool Reaches(const Shared& exchange) const;
  std::string Send(const Exchange& exchange, bool up, std::string message);
  Shared Open(const Caller& caller, Method method, uint64_t stream_size);
  void Close(const Shared& exchange);
  void ForgetUploads();
  // The message is on its way and arrives, unless something happens to it: then the call breaks. Messages of a stream
  // arrive in their order.
  void Carry(const Shared& exchange, std::function<void()> arrive);
  void Break(const Shared& exchange, Status why, absl::Duration after);
  void FallSilent(const Shared& exchange);
  void Settle(const Shared& exchange, StatusOr<std::string> answer);
  Server::Reply ReplyTo(const Shared& exchange);
  void Repeat(const StoreId& store, Method method, const std::string& message);
  void Wait(const Caller& caller, const std::function<bool()>& ready);
  StatusOr<std::string> Await(const Caller& caller, const Shared& exchange);

  Timeline& timeline_;
  RandomSource& random_;
  Server* server_ = nullptr;
  uint64_t generation_ = 0;  // Of the server: what it was asked before it went down is forgotten.
  uint64_t last_call_ = 0;
  std::set<StoreId> parted_;
  std::map<StoreId, Rewrite> rewrites_;
  std::vector<std::function<void(const Sent&)>> taps_;
  struct Recorded {
    StoreId store;
    Method method;
    std::string message;
  };
  std::deque<Recorded> recorded_;
  std::map<uint64_t, Shared> open_;               // By call: in the same order in every run.
  std::vector<std::weak_ptr<Exchange>> uploads_;  // That the server has begun to take.
  uint64_t messages_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace aisle::simulation
