// Unary calls in gRPC's callback style, without ceremony.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <utility>

#include "base/net/status_conversion.h"
#include "base/status.h"

namespace aisle {

// Ends the call at once, with an error or with OK.
inline grpc::ServerUnaryReactor* FinishNow(grpc::CallbackServerContext* context, const Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

// A call that is answered later, perhaps after the caller has hung up. Deletes itself when gRPC is done with it.
class PatientReactor final : public grpc::ServerUnaryReactor {
 public:
  explicit PatientReactor(std::function<void()> hung_up) : hung_up_(std::move(hung_up)) {}
  void OnCancel() override { hung_up_(); }
  void OnDone() override { delete this; }

 private:
  std::function<void()> hung_up_;
};

}  // namespace aisle
