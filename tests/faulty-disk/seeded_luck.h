// Draws for the faults of a test, the same from the same seed everywhere. SplitMix64 (Steele, Lea, Flood 2014).
#pragma once

#include <cstdint>

namespace aisle::faulty_disk {

class SeededLuck {
 public:
  explicit SeededLuck(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  // In [0, bound), for small bounds; 0 if the bound is 0.
  uint64_t Below(uint64_t bound) { return bound == 0 ? 0 : Next() % bound; }

 private:
  uint64_t state_;
};

// How a power cut as a whole goes: often it takes everything, sometimes nothing.
enum class Mood { kLoseAll, kMixed, kKeepAll };
inline Mood DrawMood(SeededLuck& luck) {
  const uint64_t drawn = luck.Below(8);
  return drawn < 3 ? Mood::kLoseAll : drawn < 7 ? Mood::kMixed : Mood::kKeepAll;
}

}  // namespace aisle::faulty_disk
