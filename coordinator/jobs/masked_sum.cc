#include "coordinator/jobs/masked_sum.h"

#include <algorithm>
#include <thread>
#include <vector>

namespace aisle {
namespace {

constexpr size_t kPieceMin = size_t{1} << 16;  // Coordinates: less isn't worth a thread.

}  // namespace

Status TakeMasksOff(const secagg::Transcript& transcript, ModularSum& sum) {
  AISLE_ASSIGN_OR_RETURN(const secagg::RecoveredMasks masks, secagg::Reconstruct(transcript));
  const std::span<uint32_t> values = sum.mutable_values();
  const size_t threads =
      std::clamp<size_t>(values.size() / kPieceMin, 1, std::max(1U, std::thread::hardware_concurrency()));
  const size_t piece = (values.size() + threads - 1) / threads;
  const auto clear = [&](size_t first) {
    masks.RemoveFrom(first, values.subspan(first, std::min(piece, values.size() - first)));
  };
  std::vector<std::thread> helpers;
  for (size_t first = piece; first < values.size(); first += piece) helpers.emplace_back(clear, first);
  if (!values.empty()) clear(0);
  for (std::thread& helper : helpers) helper.join();
  return OkStatus();
}

}  // namespace aisle
