#include "coordinator/enrolment/one_time_code.h"

#include "base/reason.h"

namespace aisle {
namespace {

constexpr size_t kBytes = OneTimeCode::kDigits / 2;
constexpr size_t kTypedLengthMax = 64;
constexpr std::string_view kHashDomain = "aisle/one-time-code/v1";
constexpr std::string_view kDigitsOf = "0123456789abcdef";

int DigitValue(char c) {
  if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  const size_t at = kDigitsOf.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

Status Refuse(std::string_view why) {
  return WithReason(InvalidArgument("the one-time code {}; it has {} hexadecimal digits", why, OneTimeCode::kDigits),
                    Reason::kCodeInvalid);
}

}  // namespace

OneTimeCode OneTimeCode::Draw(RandomSource& random) {
  SecretBytes bits(kBytes);
  random.Fill(bits.Mutable());
  return OneTimeCode(std::move(bits));
}

StatusOr<OneTimeCode> OneTimeCode::Parse(std::string_view text) {
  if (text.size() > kTypedLengthMax) return Refuse("is too long");
  SecretBytes bits(kBytes);
  size_t digits = 0;
  for (const char c : text) {
    if (c == ' ' || c == '-') continue;
    const int value = DigitValue(c);
    if (value < 0) return Refuse("holds something else than digits");
    if (digits == kDigits) return Refuse("is too long");
    uint8_t& byte = bits.Mutable()[digits / 2];
    byte = static_cast<uint8_t>((byte << 4) | value);
    ++digits;
  }
  if (digits != kDigits) return Refuse("is too short");
  return OneTimeCode(std::move(bits));
}

Digest OneTimeCode::hash() const {
  Sha256 hash;
  hash.Update(kHashDomain);
  hash.Update(bits_.Reveal());
  return hash.Finish();
}

SecretBytes OneTimeCode::Reveal() const {
  SecretBytes text(kDigits);
  const std::string_view bytes = bits_.Reveal();
  for (size_t i = 0; i < kDigits; ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i / 2]);
    text.Mutable()[i] = static_cast<uint8_t>(kDigitsOf[i % 2 == 0 ? byte >> 4 : byte & 15]);
  }
  return text;
}

}  // namespace aisle
