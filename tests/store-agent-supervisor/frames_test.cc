#include "store-agent/supervisor/frames.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "base/storage/files.h"

namespace aisle {
namespace {

std::string Framed(std::string_view message) {
  return FrameHeader(static_cast<uint32_t>(message.size())).append(message);
}

TEST(FrameAssemblerTest, PutsMessagesTogetherWhereverTheyWereCut) {
  const std::string bytes = Framed("one") + Framed("two and more") + Framed("3");
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    FrameAssembler frames(100);
    std::vector<std::string> messages;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      frames.Append(std::string_view(bytes).substr(at, piece));
      while (true) {
        const auto next = frames.Next();
        ASSERT_TRUE(next.ok());
        if (!*next) break;
        messages.push_back(**next);
      }
    }
    EXPECT_EQ(messages, (std::vector<std::string>{"one", "two and more", "3"}));
    EXPECT_TRUE(frames.idle());
  }
}

TEST(FrameAssemblerTest, RefusesALengthOverTheLimitBeforeTheBytesCome) {
  FrameAssembler frames(100);
  frames.Append(FrameHeader(101));
  EXPECT_EQ(frames.Next().status().code(), StatusCode::kInvalidArgument);
}

TEST(FrameAssemblerTest, RefusesAnEmptyFrame) {
  FrameAssembler frames(100);
  frames.Append(FrameHeader(0));
  EXPECT_FALSE(frames.Next().ok());
}

class ReadFrameTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    input_ = FileDescriptor(ends[0]);
    output_ = FileDescriptor(ends[1]);
  }
  FileDescriptor input_;
  FileDescriptor output_;
};

TEST_F(ReadFrameTest, ReadsWhatWriteFrameWrote) {
  ASSERT_TRUE(WriteFrame(output_.get(), "hello").ok());
  EXPECT_EQ(ReadFrame(input_.get(), 100).value(), "hello");
}

TEST_F(ReadFrameTest, TellsACleanEndFromACut) {
  ASSERT_TRUE(WriteAll(output_.get(), Framed("hello").substr(0, 6), "pipe").ok());
  output_.Close();
  EXPECT_EQ(ReadFrame(input_.get(), 100).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(ReadFrame(input_.get(), 100).status().code(), StatusCode::kOutOfRange);
}

TEST_F(ReadFrameTest, RefusesALengthOverTheLimit) {
  ASSERT_TRUE(WriteFrame(output_.get(), "hello").ok());
  EXPECT_EQ(ReadFrame(input_.get(), 4).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aisle
