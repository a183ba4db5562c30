// Frames from a worker, which is trusted with nothing: in one piece and byte by byte they give the same messages.
#include "base/check.h"
#include "store-agent/supervisor/frames.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::frames {
namespace {

constexpr uint32_t kFrameMax = 1 << 16;

std::vector<std::string> Messages(std::string_view input, size_t piece) {
  FrameAssembler assembler(kFrameMax);
  std::vector<std::string> messages;
  for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) {
    assembler.Append(input.substr(0, piece));
    for (;;) {
      StatusOr<std::optional<std::string>> next = assembler.Next();
      if (!next.ok()) return messages;
      if (!next->has_value()) break;
      messages.push_back(std::move(**next));
    }
  }
  return messages;
}

}  // namespace

void TryInput(std::string_view input) { AISLE_CHECK(Messages(input, input.size() + 1) == Messages(input, 1)); }

std::vector<std::string> Seeds() {
  return {FrameHeader(5) + "hello" + FrameHeader(1) + "x", FrameHeader(kFrameMax + 1)};
}

}  // namespace aisle::fuzz::frames

AISLE_FUZZ_TARGET(frames);
