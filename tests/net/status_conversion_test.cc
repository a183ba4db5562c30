#include "base/net/status_conversion.h"

#include <aisle/v1/fleet.pb.h>
#include <gtest/gtest.h>

#include "base/reason.h"

namespace aisle {
namespace {

TEST(StatusConversionTest, KeepsEveryCodeAndMessage) {
  for (int code = 1; code <= 16; ++code) {
    const Status status = MakeStatus(static_cast<StatusCode>(code), "what happened");
    EXPECT_EQ(FromGrpc(ToGrpc(status)), status);
    EXPECT_EQ(ToGrpc(status).error_code(), static_cast<grpc::StatusCode>(code));
  }
  EXPECT_TRUE(ToGrpc(OkStatus()).ok());
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
}

TEST(StatusConversionTest, KeepsEveryReason) {
  for (int i = 1; i <= static_cast<int>(kReasonMax); ++i) {
    const auto reason = static_cast<Reason>(i);
    const Status back = FromGrpc(ToGrpc(WithReason(NotFound("x"), reason, absl::Milliseconds(i))));
    EXPECT_EQ(ReasonOf(back), reason);
    EXPECT_EQ(RetryAfterOf(back), absl::Milliseconds(i));
  }
}

TEST(StatusConversionTest, SpeaksErrorDetail) {
  v1::ErrorDetail detail;
  const grpc::Status status = ToGrpc(WithReason(NotFound("x"), Reason::kDigestMismatch));
  ASSERT_TRUE(detail.ParseFromString(status.error_details()));
  EXPECT_EQ(detail.reason(), v1::ErrorDetail::REASON_DIGEST_MISMATCH);
  EXPECT_TRUE(ToGrpc(NotFound("x")).error_details().empty());
}

TEST(StatusConversionTest, LivesWithMalformedAndNewerDetails) {
  for (const std::string& details : {std::string("\xff\xff"), std::string(100'000, 'a'), std::string("\x08\x63")}) {
    const Status status = FromGrpc({grpc::StatusCode::NOT_FOUND, "x", details});
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
    EXPECT_EQ(ReasonOf(status), Reason::kUnspecified);
  }
  EXPECT_EQ(FromGrpc({static_cast<grpc::StatusCode>(20), "x"}).code(), StatusCode::kUnknown);
}

TEST(StatusConversionTest, CutsWhatNoHeaderCanHold) {
  EXPECT_EQ(ToGrpc(NotFound("{}", std::string(100'000, 'a'))).error_message().size(), kWireMessageSizeMax);
}

}  // namespace
}  // namespace aisle
