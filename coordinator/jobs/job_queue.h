// Which job gets the store that has just said it is willing. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/fleet.h"
#include "base/ids.h"

namespace aisle {

// A job whose round would gain by one more store.
struct Opening {
  JobId job;
  uint32_t priority = 0;
  uint64_t stores_served = 0;  // Stores this job has been given so far: among equals the least served goes first.
  Digest plan;
  std::vector<std::string> tables;  // That the plan reads.
  bool secure_sum = false;
};

// True if the store keeps the tables the plan reads, has not refused the plan before, and is of a version that knows
// the plan's way of summing.
bool CouldServe(const Opening& opening, const CheckIn& check_in);

// The highest priority first, then the least served, then by name; nullopt if nothing fits the store.
std::optional<size_t> Choose(std::span<const Opening> openings, const CheckIn& check_in);

}  // namespace aisle
