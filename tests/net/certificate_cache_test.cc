#include "base/net/certificate_cache.h"

#include <gtest/gtest.h>

#include "tests/net/test_chain.h"

namespace aisle {
namespace {

TEST(CertificateCacheTest, GivesWhatParsingGives) {
  const testing::TestChain chain;
  CertificateCache cache(4);
  const Certificate certificate = chain.Store("s1").certificate;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(cache.Parse(certificate.pem()).value().serial(), certificate.serial());
    EXPECT_EQ(cache.count(), 1u);
  }
}

TEST(CertificateCacheTest, KeepsNoFailures) {
  CertificateCache cache(4);
  EXPECT_FALSE(cache.Parse("nonsense").ok());
  EXPECT_EQ(cache.count(), 0u);
}

TEST(CertificateCacheTest, StaysBoundedAndKeepsWhatIsUsed) {
  const testing::TestChain chain;
  CertificateCache cache(4);
  const Certificate regular = chain.Store("regular").certificate;
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(cache.Parse(chain.Store("passing").certificate.pem()).ok());
    EXPECT_EQ(cache.Parse(regular.pem()).value().identity().name, "regular");
    EXPECT_LE(cache.count(), 8u);
  }
}

}  // namespace
}  // namespace aisle
