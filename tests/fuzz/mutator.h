// Draws inputs near those it knows, blind to what they mean: what a fuzzer does, without its guidance.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/random.h"

namespace aisle::fuzz {

class Mutator {
 public:
  // `known` must hold at least one input. `random` must outlive this; the same stream gives the same inputs.
  Mutator(std::vector<std::string> known, RandomSource& random) : known_(std::move(known)), random_(random) {}

  // One of those known, changed one to five times: bits, bytes, numbers, pieces lost, doubled, or taken from another.
  std::string Draw();

 private:
  const std::string& Any() { return known_[random_.Below(known_.size())]; }
  std::string PieceOf(const std::string& input);
  void Change(std::string& input);
  void PutNumber(std::string& input);

  const std::vector<std::string> known_;
  RandomSource& random_;
};

}  // namespace aisle::fuzz
