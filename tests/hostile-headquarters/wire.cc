#include "tests/hostile-headquarters/wire.h"

#include <chrono>
#include <stdexcept>

#include "base/net/status_conversion.h"
#include "proto/convert/secure_sum.h"

namespace aisle::hostile {
namespace {

constexpr std::chrono::seconds kPatience(30);        // Only a hang meets it.
constexpr std::chrono::milliseconds kLookAround(5);  // How often a held call asks whether its caller is still there.

template <typename Value, typename Message>
StatusOr<Said> Understood(const Message& message) {
  AISLE_ASSIGN_OR_RETURN(Value value, FromProto(message));
  return Said(std::move(value));
}

bool SaysThatItTrained(const Said& said) {
  const auto* report = std::get_if<OutcomeReport>(&said);
  return report != nullptr && std::holds_alternative<Trained>(report->outcome);
}

}  // namespace

Wire::Wire() {
  fleet_.on_check_in = [this](grpc::ServerContext& context, const v1::CheckInRequest&, v1::CheckInResponse& response) {
    return AnswerCheckIn(context, response);
  };
  fleet_.on_report = [this](const v1::ReportOutcomeRequest& request) {
    StatusOr<Said> said = Understood<OutcomeReport>(request);
    return said.ok() ? Note(*std::move(said)) : ToGrpc(said.status());
  };
  fleet_.on_sum_step = [this](const v1::SumStepRequest& request) {
    StatusOr<Said> said = Understood<SumReport>(request);
    return said.ok() ? Note(*std::move(said)) : ToGrpc(said.status());
  };
  fleet_.on_uploaded = [this](const v1::UploadHeader& header, const std::string& bytes) {
    const StatusOr<UploadHeader> understood = FromProto(header);
    return understood.ok() ? Note(UploadedVector{*understood, bytes}) : ToGrpc(understood.status());
  };
}

Wire::~Wire() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  fleet_.Stop();
}

grpc::Status Wire::AnswerCheckIn(const grpc::ServerContext& context, v1::CheckInResponse& response) {
  std::unique_lock lock(mutex_);
  while (!order_ && !ending_ && !context.IsCancelled()) changed_.wait_for(lock, kLookAround);
  if (!order_) return {grpc::StatusCode::UNAVAILABLE, "not now"};
  response = ToProto(*order_, absl::Now());
  told_ = true;
  changed_.notify_all();
  return grpc::Status::OK;
}

grpc::Status Wire::Note(Said said) {
  const std::lock_guard lock(mutex_);
  order_.reset();
  said_.push_back(std::move(said));
  changed_.notify_all();
  return deaf_ ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "didn't hear") : grpc::Status::OK;
}

void Wire::Tell(Instruction instruction) {
  {
    const std::lock_guard lock(mutex_);
    order_ = std::move(instruction);
    told_ = false;
    said_.clear();
  }
  changed_.notify_all();
}

Said Wire::Hear() {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [&] { return !said_.empty(); })) {
    throw std::runtime_error("the store says nothing");
  }
  Said said = std::move(said_.front());
  said_.pop_front();
  return said;
}

Said Wire::TellAndHear(const Instruction& instruction) {
  while (true) {
    Tell(instruction);
    Said said = Hear();
    if (std::holds_alternative<TrainInstruction>(instruction) || !SaysThatItTrained(said)) return said;
  }
}

bool Wire::WasTold() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return told_; });
}

void Wire::Deafen(bool deaf) {
  const std::lock_guard lock(mutex_);
  deaf_ = deaf;
}

}  // namespace aisle::hostile
