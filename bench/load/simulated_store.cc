#include "bench/load/simulated_store.h"

#include <absl/time/clock.h>

#include <algorithm>

#include "base/fleet.h"
#include "base/net/transport.h"

namespace aisle {
namespace {

constexpr absl::Duration kGrace = absl::Seconds(15);  // Beyond the wait that was agreed, as an agent's.
constexpr absl::Duration kStreamTimeout = absl::Minutes(10);

void SetTimeout(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
}

}  // namespace

template <typename Request, typename Response>
struct SimulatedStore::Call {
  grpc::ClientContext context;
  Request request;
  Response response;
  std::shared_ptr<grpc::Channel> channel;
  Tally::Clock::time_point begun = Tally::Clock::now();
};

class SimulatedStore::Fetching final : public grpc::ClientReadReactor<v1::FetchBlobResponse> {
 public:
  Fetching(SimulatedStore& store, const v1::BlobRef& blob) : store_(store), channel_(store.Channel()) {
    ++store_.world_.calls;
    SetTimeout(context_, kStreamTimeout);
    request_.set_sha256(blob.sha256());
    v1::Fleet::Stub(channel_).async()->FetchBlob(&context_, &request_, this);
    StartRead(&chunk_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (ok) StartRead(&chunk_);
  }
  void OnDone(const grpc::Status& status) override {
    if (status.ok()) store_.world_.tally.Took(Tally::Call::kFetch, Tally::Clock::now() - begun_);
    if (store_.EndedWell(status, channel_, [&store = store_] { store.Train(); })) {
      store_.After(store_.world_.training, [&store = store_] { store.Report(); });
    }
    --store_.world_.calls;
    delete this;
  }

 private:
  SimulatedStore& store_;
  std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  v1::FetchBlobRequest request_;
  v1::FetchBlobResponse chunk_;
  Tally::Clock::time_point begun_ = Tally::Clock::now();
};

class SimulatedStore::Uploading final : public grpc::ClientWriteReactor<v1::UploadRequest> {
 public:
  explicit Uploading(SimulatedStore& store)
      : store_(store), channel_(store.Channel()), left_(store.world_.update.name().size) {
    ++store_.world_.calls;
    SetTimeout(context_, kStreamTimeout);
    *message_.mutable_header()->mutable_round() = store.task_.round();
    message_.mutable_header()->set_sha256(std::string(store.world_.update.name().digest.view()));
    message_.mutable_header()->set_size_bytes(left_);
    message_.set_data(store.world_.update.chunk());
    v1::Fleet::Stub(channel_).async()->Upload(&context_, &response_, this);
    WriteNext();
    StartCall();
  }
  void OnWriteDone(bool ok) override {
    message_.clear_header();
    if (ok && left_ > 0) WriteNext();
  }
  void OnDone(const grpc::Status& status) override {
    if (status.ok()) {
      store_.world_.tally.Took(Tally::Call::kUpload, Tally::Clock::now() - begun_);
      store_.standing_ = v1::STORE_STANDING_UPLOADED;
    }
    if (store_.EndedWell(status, channel_, [&store = store_] { store.Ask(); })) store_.Ask();
    --store_.world_.calls;
    delete this;
  }

 private:
  void WriteNext() {
    if (left_ < message_.data().size()) message_.mutable_data()->resize(left_);
    left_ -= message_.data().size();
    if (left_ > 0) {
      StartWrite(&message_);
    } else {
      StartWriteLast(&message_, grpc::WriteOptions());
    }
  }
  SimulatedStore& store_;
  std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  v1::UploadRequest message_;
  v1::UploadResponse response_;
  uint64_t left_;  // Bytes to write after the message in hand.
  Tally::Clock::time_point begun_ = Tally::Clock::now();
};

std::shared_ptr<grpc::Channel> SimulatedStore::Channel() {
  const std::lock_guard lock(mutex_);
  if (channel_ == nullptr) channel_ = *OpenChannel({.address = world_.address, .own_connection = true}, credentials_);
  return channel_;
}

v1::CheckInRequest SimulatedStore::Request(bool willing, absl::Duration wait_max) const {
  v1::CheckInRequest request;
  request.set_protocol_major(kProtocolMajor);
  request.set_agent_version("0.1.0");
  request.add_tables("rows");
  request.set_willing(willing);
  request.set_standing(v1::STORE_STANDING_IDLE);
  request.set_wait_max_ms(static_cast<uint32_t>(absl::ToInt64Milliseconds(wait_max)));
  request.set_clock_unix_ms(absl::ToUnixMillis(absl::Now()));
  return request;
}

void SimulatedStore::After(absl::Duration wait, std::function<void()> act) {
  world_.timers.PostAt(world_.timers.Now() + wait, std::move(act));
}

bool SimulatedStore::EndedWell(const grpc::Status& status, const std::shared_ptr<grpc::Channel>& used,
                               std::function<void()> again) {
  if (status.ok()) {
    backoff_.Reset();
    return true;
  }
  if (world_.pace == Pace::kEnding) return false;
  world_.tally.Failed(status);
  // As an agent: the next try begins a new connection. So does a channel whose peer has just gone.
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && !world_.away) {
    const std::lock_guard lock(mutex_);
    if (channel_ == used) channel_ = nullptr;
  }
  SecureRandom random;
  After(backoff_.Next(random), std::move(again));
  return false;
}

bool SimulatedStore::Refused(std::function<void()> again) {
  if (!world_.away) return false;
  EndedWell(grpc::Status(grpc::StatusCode::UNAVAILABLE, "nobody listens"), nullptr, std::move(again));
  return true;
}

void SimulatedStore::NoteAnswer() {
  const uint32_t era = world_.era;
  if (era_.exchange(era) != era) ++world_.answered;
}

void SimulatedStore::Start() {
  if (parked_.exchange(false)) Ask();
}

void SimulatedStore::Ask() {
  if (world_.pace != Pace::kAsTold && standing_ == v1::STORE_STANDING_IDLE) {
    idle_ = true;
    parked_ = true;
    return;
  }
  idle_ = false;
  if (Refused([this] { Ask(); })) return;
  auto call = std::make_shared<Call<v1::CheckInRequest, v1::CheckInResponse>>();
  call->channel = Channel();
  call->request = Request(/*willing=*/true, kCheckInWaitMax);
  call->request.set_standing(standing_);
  if (standing_ != v1::STORE_STANDING_IDLE) *call->request.mutable_round() = task_.round();
  SetTimeout(call->context, kCheckInWaitMax + kGrace);
  ++world_.calls;
  v1::Fleet::Stub(call->channel)
      .async()
      ->CheckIn(&call->context, &call->request, &call->response, [this, call](const grpc::Status& status) {
        if (EndedWell(status, call->channel, [this] { Ask(); })) {
          NoteAnswer();
          Heard(call->response);
        }
        --world_.calls;
      });
}

void SimulatedStore::Heard(const v1::CheckInResponse& answer) {
  if (answer.has_train()) {
    task_ = answer.train();
    standing_ = v1::STORE_STANDING_TRAINING;
    Train();
  } else if (answer.has_collect()) {
    Upload();
  } else if (answer.has_closed()) {
    standing_ = v1::STORE_STANDING_IDLE;
    Ask();
  } else {
    idle_ = standing_ == v1::STORE_STANDING_IDLE;
    After(absl::Milliseconds(answer.come_back().after_ms()), [this] { Ask(); });
  }
}

void SimulatedStore::Train() {
  if (!Refused([this] { Train(); })) new Fetching(*this, task_.weights());
}

void SimulatedStore::Report() {
  if (Refused([this] { Report(); })) return;
  auto call = std::make_shared<Call<v1::ReportOutcomeRequest, v1::ReportOutcomeResponse>>();
  call->channel = Channel();
  *call->request.mutable_round() = task_.round();
  v1::BlobRef& update = *call->request.mutable_trained()->mutable_update();
  update.set_sha256(std::string(world_.update.name().digest.view()));
  update.set_size_bytes(world_.update.name().size);
  SetTimeout(call->context, absl::Minutes(1));
  ++world_.calls;
  v1::Fleet::Stub(call->channel)
      .async()
      ->ReportOutcome(&call->context, &call->request, &call->response, [this, call](const grpc::Status& status) {
        // Where the round went on without it, the next answer tells.
        const bool unheard = status.error_code() == grpc::StatusCode::UNAVAILABLE;
        if (status.ok()) world_.tally.Took(Tally::Call::kReport, Tally::Clock::now() - call->begun);
        if (EndedWell(status, call->channel, [this, unheard] { unheard ? Report() : Ask(); })) {
          standing_ = v1::STORE_STANDING_TRAINED;
          Ask();
        }
        --world_.calls;
      });
}

void SimulatedStore::Upload() { new Uploading(*this); }

void SimulatedStore::Probe(bool willing, std::function<void()> done) {
  auto call = std::make_shared<Call<v1::CheckInRequest, v1::CheckInResponse>>();
  call->channel = Channel();
  call->request = Request(willing, absl::ZeroDuration());
  SetTimeout(call->context, kGrace);
  ++world_.calls;
  v1::Fleet::Stub(call->channel)
      .async()
      ->CheckIn(&call->context, &call->request, &call->response,
                [this, call, done = std::move(done)](const grpc::Status& status) {
                  if (status.ok()) {
                    world_.tally.Took(Tally::Call::kCheckIn, Tally::Clock::now() - call->begun);
                  } else if (world_.pace != Pace::kEnding) {
                    world_.tally.Failed(status);
                  }
                  done();
                  --world_.calls;
                });
}

}  // namespace aisle
