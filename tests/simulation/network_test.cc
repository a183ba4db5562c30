#include "tests/simulation/network.h"

#include <gtest/gtest.h>

#include <optional>

namespace aisle::simulation {
namespace {

// Answers every call with its message in brackets, and holds those that say so.
class EchoServer final : public Server {
 public:
  class Taken final : public Stream {
   public:
    Taken(EchoServer& server, Reply reply) : server_(server), reply_(std::move(reply)) {}
    void Take(std::string message) override { server_.uploaded += message; }
    void End() override {
      ++server_.ends;
      reply_("[" + server_.uploaded + "]");
    }

   private:
    EchoServer& server_;
    const Reply reply_;
  };

  void Call(const StoreId&, Method, uint64_t, std::string message, Reply reply) override {
    ++calls;
    if (message != "hold") reply("[" + message + "]");
  }
  void HangUp(const StoreId&, uint64_t) override { ++hung_up; }
  void Fetch(const StoreId&, std::string message, std::function<void(std::string)> next, Reply end) override {
    for (const char letter : message) next(std::string(1, letter));
    end("");
  }
  std::shared_ptr<Stream> Upload(const StoreId&, Reply reply) override {
    return std::make_shared<Taken>(*this, std::move(reply));
  }

  int calls = 0;
  int hung_up = 0;
  int ends = 0;
  std::string uploaded;
};

class NetworkTest : public ::testing::Test {
 protected:
  NetworkTest() { network_.Serve(&server_); }

  Network::Caller By(std::stop_token stop = {}, absl::Duration timeout = absl::Minutes(10)) {
    return {.store = store_, .process = process_, .lane = lane_, .stop = std::move(stop), .timeout = timeout};
  }
  void Call(const std::string& message, std::stop_token stop = {}, absl::Duration timeout = absl::Minutes(10)) {
    answer_.reset();
    lane_.Post([=, this] { answer_ = network_.Call(By(stop, timeout), Method::kCheckIn, message); });
  }
  void Run(absl::Duration time = absl::Minutes(2)) {
    const absl::Time until = timeline_.Now() + time;
    while (timeline_.RunNext(until)) continue;
  }
  // Uploads ten letters, a message each; true if it was answered.
  bool Upload() {
    server_.uploaded.clear();
    bool answered = false;
    lane_.Post([&] {
      int next = 0;
      answered = network_
                     .Upload(By(), 10,
                             [&]() -> StatusOr<std::string> {
                               return next == 10 ? "" : std::string(1, static_cast<char>('a' + next++));
                             })
                     .ok();
    });
    Run();
    return answered;
  }

  Timeline timeline_{absl::FromUnixSeconds(1'800'000'000)};
  MachineClock clock_{timeline_};
  AesCtrStream random_{SecretBytes(32), "network"};
  Process process_{timeline_, clock_, random_};
  Lane& lane_ = process_.AddLane(true);
  const StoreId store_ = *StoreId::Parse("store-001");
  EchoServer server_;
  Network network_{timeline_, random_};
  std::optional<StatusOr<std::string>> answer_;
};

TEST_F(NetworkTest, CarriesACallAndItsAnswer) {
  Call("hello");
  Run();
  EXPECT_EQ(answer_->value(), "[hello]");
}

TEST_F(NetworkTest, ALostMessageBreaksItsCall) {
  network_.conditions.loss = 1;
  Call("hello");
  Run();
  EXPECT_EQ(answer_->status().code(), StatusCode::kUnavailable);
}

TEST_F(NetworkTest, RepeatsARequestAndKeepsTheFirstAnswer) {
  network_.conditions.duplicate = 1;
  Call("hello");
  Run();
  EXPECT_EQ(answer_->value(), "[hello]");
  EXPECT_EQ(server_.calls, 2);
}

TEST_F(NetworkTest, ACallThatIsStoppedIsHungUp) {
  std::stop_source stop;
  Call("hold", stop.get_token());
  Run();
  EXPECT_FALSE(answer_.has_value());
  stop.request_stop();
  Run();
  EXPECT_EQ(answer_->status().code(), StatusCode::kCancelled);
  EXPECT_EQ(server_.hung_up, 1);
}

TEST_F(NetworkTest, ACallThatIsNotAnsweredRunsOut) {
  Call("hold", {}, absl::Seconds(30));
  Run();
  EXPECT_EQ(answer_->status().code(), StatusCode::kDeadlineExceeded);
}

TEST_F(NetworkTest, WhoIsPartedReachesNobodyUntilItHeals) {
  network_.Part(store_);
  Call("hello");
  Run();
  EXPECT_EQ(answer_->status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(server_.calls, 0);
  network_.Heal(store_);
  Call("hello");
  Run();
  EXPECT_TRUE(answer_->ok());
}

TEST_F(NetworkTest, AServerThatGoesBreaksWhatItWasAsked) {
  Call("hold");
  Run();
  network_.Serve(nullptr);
  Run();
  EXPECT_EQ(answer_->status().code(), StatusCode::kUnavailable);
  Call("hello");
  Run();
  EXPECT_EQ(answer_->status().code(), StatusCode::kUnavailable);
}

TEST_F(NetworkTest, AStreamIsCutAnywhereAndTheServerHearsOfIt) {
  EXPECT_TRUE(Upload());
  EXPECT_EQ(server_.uploaded, "abcdefghij");
  network_.conditions.cut = 1;
  std::set<size_t> sizes;
  for (int i = 0; i < 60; ++i) {
    const bool answered = Upload();
    EXPECT_TRUE(std::string_view("abcdefghij").starts_with(server_.uploaded)) << server_.uploaded;
    EXPECT_EQ(answered, server_.uploaded.size() == 10);
    sizes.insert(server_.uploaded.size());
  }
  EXPECT_GE(sizes.size(), 8U);
  EXPECT_GE(server_.ends, 40);  // Some are cut before they have begun.
}

TEST_F(NetworkTest, ADownloadArrivesInOrder) {
  std::string got;
  Status fetched = Internal("not yet");
  lane_.Post([&] {
    fetched = network_.Fetch(By(), "abcdefghij", 10, [&](std::string_view piece) {
      got += piece;
      return OkStatus();
    });
  });
  Run();
  EXPECT_TRUE(fetched.ok());
  EXPECT_EQ(got, "abcdefghij");
}

TEST_F(NetworkTest, ADeadProcessSaysNothing) {
  Call("hold");
  Run();
  process_.Die();
  EXPECT_EQ(answer_->status().code(), StatusCode::kCancelled);
  EXPECT_EQ(network_.Call(By(), Method::kCheckIn, "hello").status().code(), StatusCode::kCancelled);
  Run();
  EXPECT_EQ(server_.calls, 1);
}

}  // namespace
}  // namespace aisle::simulation
