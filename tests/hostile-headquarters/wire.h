// The wire between a headquarters that the test plays and one real store: what the store is told next, and what it
// says.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "base/fleet.h"
#include "proto/convert/fleet.h"
#include "tests/store-agent-transfer/fake_fleet.h"

namespace aisle::hostile {

struct UploadedVector {
  UploadHeader header;
  std::string bytes;
};
// Whatever a store says but "what shall I do?".
using Said = std::variant<SumReport, OutcomeReport, UploadedVector>;

// One store at a time. Thread-safe.
class Wire {
 public:
  Wire();
  ~Wire();

  FakeFleet& fleet() { return fleet_; }
  const FakeFleet& fleet() const { return fleet_; }
  // The answer to every check-in until the store says something.
  void Tell(Instruction instruction);
  // What the store says next. A store that says nothing for half a minute fails the test, by an exception.
  Said Hear();
  // What the store says to that. A store that was started again first says once more that it has trained: it is told
  // again.
  Said TellAndHear(const Instruction& instruction);
  // As check-ins stand: true once the store has asked for work since `Tell`, and been told.
  bool WasTold();
  // What is said from now on gets this answer rather than OK, until it is taken back: a store that isn't heard.
  void Deafen(bool deaf);

 private:
  grpc::Status AnswerCheckIn(const grpc::ServerContext& context, v1::CheckInResponse& response);
  grpc::Status Note(Said said);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Instruction> order_;
  std::deque<Said> said_;
  bool told_ = false;
  bool deaf_ = false;
  bool ending_ = false;
  FakeFleet fleet_;  // Last: its threads use the rest.
};

}  // namespace aisle::hostile
