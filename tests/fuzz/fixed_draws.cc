#include "tests/fuzz/fixed_draws.h"

#include <openssl/rand.h>

#include <mutex>
#include <optional>
#include <string>

#include "base/check.h"
#include "base/random.h"

namespace aisle::fuzz {
namespace {

struct Draws {
  std::mutex mutex;
  std::optional<AesCtrStream> stream;  // Made when something is drawn: most inputs draw nothing.
};

Draws& TheDraws() {
  static auto* draws = new Draws;  // Outlives OpenSSL's clean-up.
  return *draws;
}

int Fill(unsigned char* bytes, int size) {
  const std::lock_guard lock(TheDraws().mutex);
  std::optional<AesCtrStream>& stream = TheDraws().stream;
  if (!stream) stream.emplace(SecretBytes::CopyOf(std::string(32, 'f')), "fuzz");
  stream->Fill({bytes, static_cast<size_t>(size)});
  return 1;
}

int IsReady() { return 1; }

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // In favour of providers, which are a library each.
void PutInPlace() {
  static const RAND_METHOD kMethod = {
      .seed = nullptr, .bytes = Fill, .cleanup = nullptr, .add = nullptr, .pseudorand = Fill, .status = IsReady};
  AISLE_CHECK(RAND_set_rand_method(&kMethod) == 1);
}
#pragma GCC diagnostic pop

}  // namespace

void DrawAnew() {
  [[maybe_unused]] static const bool is_in_place = (PutInPlace(), true);
  const std::lock_guard lock(TheDraws().mutex);
  TheDraws().stream.reset();
}

}  // namespace aisle::fuzz
