#include "privacy/secagg/field.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <vector>

#include "tests/secagg-math/chi_square.h"

namespace aisle::secagg {
namespace {

constexpr uint64_t kP = FieldElement::kModulus;
__extension__ using Wide = unsigned __int128;

// Any element, the edges of the field more often than chance has it.
rc::Gen<FieldElement> AnyElement() {
  return rc::gen::map(rc::gen::oneOf(rc::gen::inRange<uint64_t>(0, kP), rc::gen::inRange<uint64_t>(0, 4),
                                     rc::gen::inRange<uint64_t>(kP - 4, kP)),
                      [](uint64_t value) { return FieldElement{value}; });
}

RC_GTEST_PROP(FieldTest, AgreesWithPlainArithmetic, ()) {
  const uint64_t a = (*AnyElement()).value;
  const uint64_t b = (*AnyElement()).value;
  RC_ASSERT(Add({a}, {b}).value == (a + b) % kP);
  RC_ASSERT(Subtract({a}, {b}).value == (a + kP - b) % kP);
  RC_ASSERT(Multiply({a}, {b}).value == static_cast<uint64_t>(static_cast<Wide>(a) * b % kP));
}

TEST(FieldTest, AgreesWithPlainArithmeticAtTheEdges) {
  const std::vector<uint64_t> edges = {
      0,      1,      2,          3,          (kP - 1) / 2,     (kP + 1) / 2, kP - 3,
      kP - 2, kP - 1, 1ull << 60, 1ull << 31, (1ull << 60) + 1, 1ull << 52,   (1ull << 52) - 1};
  for (const uint64_t a : edges) {
    for (const uint64_t b : edges) {
      EXPECT_EQ(Add({a}, {b}).value, (a + b) % kP) << a << " " << b;
      EXPECT_EQ(Subtract({a}, {b}).value, (a + kP - b) % kP) << a << " " << b;
      EXPECT_EQ(Multiply({a}, {b}).value, static_cast<uint64_t>(static_cast<Wide>(a) * b % kP)) << a << " " << b;
    }
  }
}

RC_GTEST_PROP(FieldTest, AnElementTimesItsInverseIsOne, ()) {
  const FieldElement a = *AnyElement();
  RC_PRE(a.value != 0);
  RC_ASSERT(Multiply(a, Inverse(a)) == FieldElement{1});
}

TEST(FieldTest, ZeroHasNoInverseAndGivesZero) { EXPECT_EQ(Inverse({0}), FieldElement{0}); }

RC_GTEST_PROP(FieldTest, InvertsManyAsItInvertsOne, ()) {
  auto elements = *rc::gen::container<std::vector<FieldElement>>(
      rc::gen::suchThat(AnyElement(), [](FieldElement element) { return element.value != 0; }));
  std::vector<FieldElement> expected;
  for (const FieldElement element : elements) expected.push_back(Inverse(element));
  InvertAll(elements);
  RC_ASSERT(elements == expected);
}

TEST(FieldDeathTest, ZeroAmongManyIsOurBug) {
  std::vector<FieldElement> elements = {{1}, {0}, {2}};
  EXPECT_DEATH(InvertAll(elements), "no inverse");
}

// Hands out given words.
class Words final : public RandomSource {
 public:
  explicit Words(std::vector<uint64_t> words) : words_(std::move(words)) {}
  void Fill(std::span<uint8_t> bytes) override {
    ASSERT_EQ(bytes.size(), 8);
    ASSERT_LT(next_, words_.size());
    std::memcpy(bytes.data(), &words_[next_++], 8);
  }

 private:
  std::vector<uint64_t> words_;
  size_t next_ = 0;
};

TEST(FieldTest, DrawsTheTop61BitsAndAgainIfTheyAreTheModulus) {
  Words words({kP << 3 | 5, ~uint64_t{0}, (kP - 1) << 3, 7, uint64_t{1} << 63});
  EXPECT_EQ(DrawElement(words).value, kP - 1);
  EXPECT_EQ(DrawElement(words).value, 0);
  EXPECT_EQ(DrawElement(words).value, uint64_t{1} << 60);
}

TEST(FieldTest, DrawsUniformly) {
  AesCtrStream random(SecretBytes::CopyOf(std::string(32, 'f')), "test");
  ChiSquare256 high;
  ChiSquare256 low;
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t value = DrawElement(random).value;
    ASSERT_LT(value, kP);
    high.Count(static_cast<uint8_t>(value >> 53));
    low.Count(static_cast<uint8_t>(value));
  }
  EXPECT_TRUE(high.LooksUniform()) << high.statistic();
  EXPECT_TRUE(low.LooksUniform()) << low.statistic();
}

}  // namespace
}  // namespace aisle::secagg
