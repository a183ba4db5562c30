// Protobuf frees what it held and leaves the bytes. Both ends of the pipe wipe a task when they are done with it.
#pragma once

#include "aisle/v1/worker.pb.h"

namespace aisle {

void WipeRows(v1::TableData& table);
// Rows, seeds and checkpoints, wherever the task has them; the request is empty afterwards.
void WipeTask(v1::WorkerRequest& request);

// Wipes a request when it goes out of scope.
class WipedRequest {
 public:
  explicit WipedRequest(v1::WorkerRequest request) : request_(std::move(request)) {}
  ~WipedRequest() { WipeTask(request_); }
  WipedRequest(const WipedRequest&) = delete;
  WipedRequest& operator=(const WipedRequest&) = delete;

  v1::WorkerRequest& operator*() { return request_; }
  v1::WorkerRequest* operator->() { return &request_; }

 private:
  v1::WorkerRequest request_;
};

}  // namespace aisle
