// The code that lets one box join as one store: 128 random bits, shown once, kept only as a hash.
#pragma once

#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"

namespace aisle {

class OneTimeCode {
 public:
  static constexpr size_t kDigits = 32;  // Hexadecimal.

  static OneTimeCode Draw(RandomSource& random);
  // Spaces and dashes, as people type them, and capitals are let pass. InvalidArgument with Reason::kCodeInvalid
  // otherwise; the message doesn't repeat the text.
  static StatusOr<OneTimeCode> Parse(std::string_view text);

  // SHA-256 over "aisle/one-time-code/v1" and the 16 bytes: what is stored and looked up. A look-up by it leaks at most
  // the time to compare hashes, which says nothing about the code (128 bits cannot be searched).
  Digest hash() const;
  // For the one message that shows it to the administrator.
  SecretBytes Reveal() const;  // 32 lower-case digits.

 private:
  explicit OneTimeCode(SecretBytes bits) : bits_(std::move(bits)) {}
  SecretBytes bits_;
};

}  // namespace aisle
